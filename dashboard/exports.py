"""Findings as files: NDJSON, CSV or Parquet, in the contract's fields.

A file is written under another name beside its place and renamed when it is whole, so
that nobody ever reads half of one. Rows stream from the database to the disk.

In CSV a list or an object is JSON in its cell. A cell that a spreadsheet would run as
a formula gets a single quote in front (OWASP ASVS 5.0, V1.2.10), and so does one that
starts with a single quote already: take one leading quote off to have the text back.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from dashboard import findings
from dashboard.findings import AccountRow, ClusterRow

Rows = Iterable[Mapping[str, Any]]
Schema = dict[str, pl.DataType | type[pl.DataType]]

_TIME = pl.Datetime("us", "UTC")
_REASONS = pl.List(
    pl.Struct(
        {
            "signal": pl.String,
            "points": pl.Float64,
            "value": pl.Float64,
            "baseline": pl.Float64,
            "sentence": pl.String,
        }
    )
)
ACCOUNT_SCHEMA: Schema = {
    "account_id": pl.String,
    "score": pl.Float64,
    "band": pl.String,
    "cluster_id": pl.String,
    "cluster_score": pl.Float64,
    "status": pl.String,
    "first_flagged_at": _TIME,
    "reasons": _REASONS,
}
CLUSTER_SCHEMA: Schema = {
    "cluster_id": pl.String,
    "score": pl.Float64,
    "band": pl.String,
    "verdict": pl.String,
    "size": pl.Int64,
    "members": pl.List(pl.String),
    "proposed_ban": pl.List(pl.String),
    "exposure": pl.Struct(
        {"exchanges": pl.Int64, "input_tokens": pl.Int64, "output_tokens": pl.Int64}
    ),
    "first_flagged_at": _TIME,
}

# Spreadsheets take these for the start of a formula, the full-width forms too.
_FORMULA_STARTS = frozenset("=+-@\uff0b\uff0d\uff1d\uff20")
_QUOTED_STARTS = _FORMULA_STARTS | frozenset("\t\r\n\0'")
_CHUNK = 2000
# Clusters carry their members with them, so fewer at a time.
_CLUSTER_CHUNK = 50


class UnknownFormat(Exception):
    """The file's name does not say which format it should have."""

    def __init__(self, path: Path) -> None:
        known = ", ".join(WRITERS)
        super().__init__(
            f"{path.name} names no known format. End it in one of: {known}."
        )


def account_rows() -> Iterator[AccountRow]:
    """Every account, in the order in which they were first seen."""
    found = findings.accounts().order_by("pk").iterator(chunk_size=_CHUNK)
    return (findings.account_row(account) for account in found)


def cluster_rows() -> Iterator[ClusterRow]:
    """Every cluster of the newest run, highest score first."""
    found = findings.clusters().order_by("-score", "pk").iterator(chunk_size=_CHUNK)
    while chunk := list(islice(found, _CLUSTER_CHUNK)):
        yield from findings.cluster_rows(chunk)


def writer_for(path: Path) -> "Writer":
    try:
        return WRITERS[path.suffix.lower()]
    except KeyError:
        raise UnknownFormat(path) from None


def write(path: Path, rows: Rows, schema: Schema) -> int:
    """Write all rows, or leave what was there before. Returns how many.

    Raises UnknownFormat for another ending, OSError where the disk refuses.
    """
    writer = writer_for(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        count = writer(part, rows, schema)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def write_ndjson(path: Path, rows: Rows, schema: Schema) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, default=_as_text, ensure_ascii=False) + "\n")
            count += 1
    return count


def write_csv(path: Path, rows: Rows, schema: Schema) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(schema)
        for row in rows:
            table.writerow([csv_cell(row[name]) for name in schema])
            count += 1
    return count


def write_parquet(path: Path, rows: Rows, schema: Schema) -> int:
    """By way of NDJSON, which polars turns into Parquet without holding all rows."""
    lines = path.with_name(path.name + ".ndjson")
    try:
        count = write_ndjson(lines, rows, schema)
        if count:
            pl.scan_ndjson(lines, schema=schema).sink_parquet(path)
        else:
            pl.DataFrame(schema=schema).write_parquet(path)
    finally:
        lines.unlink(missing_ok=True)
    return count


def csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return _harmless(json.dumps(value, default=_as_text, ensure_ascii=False))
    if isinstance(value, str):
        return _harmless(value)
    return _as_text(value)


def _harmless(text: str) -> str:
    starts_formula = text.lstrip()[:1] in _FORMULA_STARTS
    return "'" + text if starts_formula or text[:1] in _QUOTED_STARTS else text


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


Writer = Callable[[Path, Rows, Schema], int]
WRITERS: dict[str, Writer] = {
    ".ndjson": write_ndjson,
    ".csv": write_csv,
    ".parquet": write_parquet,
}
