"""Days of events that are past their time: each is dropped whole, as a partition.

Ingest never waits for it. The partition is let go while others work (DETACH …
CONCURRENTLY), and dropped when nobody can see it any more. What a legal hold keeps is
put back as the day's partition. A run that dies in between leaves a table that hangs on
nothing; the next run finds it and goes on.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from ingest import ledger
from ingest.drain import partitions
from ingest.keeping import holds

# How long a partition may wait to be let go; then it is left for the next run.
PATIENCE: Final = "10s"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dropped:
    events: int
    held: int


def past(before: date) -> list[date]:
    """Days with a table of events, whether it hangs on the rest or not.

    One that is half let go comes first: while there is one, no other can go.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substr(relname, 14) FROM pg_class "
            "LEFT JOIN pg_inherits ON inhrelid = pg_class.oid "
            "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' "
            "AND relname ~ '^ingest_event_[0-9]{8}$' AND relname < %s "
            "ORDER BY coalesce(inhdetachpending, false) DESC, relname",
            [partitions.partition_name(before)],
        )
        return [date.fromisoformat(day) for (day,) in cursor.fetchall()]


def count(day: date, now: datetime) -> Dropped:
    """What `drop` would do."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{holds.WITH_HELD} SELECT count(*) FILTER (WHERE NOT {_HELD}), "  # noqa: S608
            f"count(*) FILTER (WHERE {_HELD}) "
            f"FROM {partitions.partition_name(day)} AS event",
            {"day": day, "now": now},
        )
        return Dropped(*cursor.fetchone())


def drop(day: date, now: datetime) -> Dropped:
    """Raises OperationalError where others hold the day for too long."""
    due = count(day, now)
    if due.held and not due.events:
        return due
    _let_go(day)
    return _replace(day, now)


_HELD: Final = holds.is_held(
    day="%(day)s::date", account="event.account_id", source="event.source_id"
)


def _let_go(day: date) -> None:
    """Takes the day's table out of the partitioned one; nothing where it is out."""
    name = partitions.partition_name(day)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = %s::regclass",
            [name],
        )
        found = cursor.fetchone()
        if found is None:
            return
        how = "FINALIZE" if found[0] else "CONCURRENTLY"
        with _patience(cursor):
            cursor.execute(f"ALTER TABLE ingest_event DETACH PARTITION {name} {how}")


@contextmanager
def _patience(cursor: CursorWrapper) -> Iterator[None]:
    cursor.execute(f"SET statement_timeout = '{PATIENCE}'")
    try:
        yield
    finally:
        cursor.execute("RESET statement_timeout")


@transaction.atomic
def _replace(day: date, now: datetime) -> Dropped:
    """Drops a table that hangs on nothing, but for its held rows, which go back."""
    name = partitions.partition_name(day)
    kept = f"{name}_kept"
    with connection.cursor() as cursor:
        holds.wait(cursor)
        some = holds.in_force(now).exists()
        held = _set_aside(cursor, day, now, kept) if some else 0
        events = ledger.note_dropped_events(cursor, name)
        cursor.execute(f"DROP TABLE {name}")
        if held:
            cursor.execute(f"ALTER TABLE {kept} RENAME TO {name}")
            partitions.attach(cursor, day)
        return Dropped(events, held)


def _set_aside(cursor: CursorWrapper, day: date, now: datetime, kept: str) -> int:
    name = partitions.partition_name(day)
    cursor.execute(f"CREATE TABLE {kept} (LIKE ingest_event INCLUDING DEFAULTS)")
    cursor.execute(
        f"{holds.WITH_HELD}, moved AS ("  # noqa: S608
        f"DELETE FROM {name} AS event WHERE {_HELD} RETURNING *) "
        f"INSERT INTO {kept} SELECT * FROM moved",
        {"day": day, "now": now},
    )
    held: int = cursor.rowcount
    if not held:
        cursor.execute(f"DROP TABLE {kept}")
    return held
