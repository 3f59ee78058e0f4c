"""Rows that should be there → a table: only what changed is written."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import JSONField, Model
from psycopg import sql

CHUNK = 5_000
# One for all: `json.dumps` makes an encoder of its own each time.
written = json.JSONEncoder(ensure_ascii=False).encode
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What identifies a row, what is compared, and what is only carried along."""

    model: type[Model]
    key: tuple[str, ...]
    compared: tuple[str, ...]
    carried: tuple[str, ...] = ()


def store(
    table: Table, wanted: Mapping[Key, Key], existing: Iterable[Key], **carried: Any
) -> int:
    """Make the table's rows be `wanted`; `existing` has (pk, *key, *compared) rows.

    Returns how many rows were written or removed.
    """
    width = len(table.key)
    stale, same = [], set()
    for pk, *columns in existing:
        key, values = tuple(columns[:width]), tuple(columns[width:])
        if key not in wanted:
            stale.append(pk)
        elif wanted[key] == values:
            same.add(key)
    rows = table.model._default_manager
    for start in range(0, len(stale), CHUNK):
        rows.filter(pk__in=stale[start : start + CHUNK]).delete()
    fresh = [key for key in wanted if key not in same]
    if fresh:
        rest = tuple(carried[name] for name in table.carried)
        upsert(table, (key + wanted[key] + rest for key in fresh))
    return len(stale) + len(fresh)


def upsert(table: Table, rows: Iterable[Key]) -> None:
    """COPY and one statement: bulk_create quotes every JSON text twice over."""
    meta, names = table.model._meta, table.key + table.compared + table.carried
    told = {f.attname for f in meta.concrete_fields if isinstance(f, JSONField)}
    changes: list[sql.Composable] = [
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name))
        for name in names[len(table.key) :]
    ]
    named = {
        "table": sql.Identifier(meta.db_table),
        "columns": listed(names),
        "keys": listed(table.key),
        "changes": sql.SQL(", ").join(changes),
    }
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.detection_fresh")
        cursor.execute(FRESH.format(**named))
        with cursor.copy(COPY.format(**named)) as copy:
            for row in rows:
                copy.write_row(
                    written(value) if name in told else value
                    for name, value in zip(names, row, strict=True)
                )
        cursor.execute(UPSERT.format(**named))


def listed(names: Iterable[str]) -> sql.Composed:
    identifiers: list[sql.Composable] = [sql.Identifier(name) for name in names]
    return sql.SQL(", ").join(identifiers)


FRESH = sql.SQL(
    "CREATE TEMP TABLE detection_fresh ON COMMIT DROP AS"
    " SELECT {columns} FROM {table} WITH NO DATA"
)
COPY = sql.SQL("COPY detection_fresh ({columns}) FROM STDIN")
UPSERT = sql.SQL(
    "INSERT INTO {table} ({columns}) SELECT {columns} FROM detection_fresh"
    " ON CONFLICT ({keys}) DO UPDATE SET {changes}"
)


def columns(table: Table, **only: Any) -> Iterable[Key]:
    """(pk, *key, *compared) of every row, or of those that Django finds by `only`."""
    rows = table.model._default_manager.filter(**only)
    found = rows.values_list("pk", *table.key, *table.compared)
    return found.iterator(chunk_size=CHUNK)
