"""Deletes what is past its day, kind by kind; a legal hold wins over every setting.

A run may be repeated or cut off at any point: it deletes in portions, each in a
transaction of its own that first asks what is held, and waits for nobody's row.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from ingest.drain import partitions
from ingest.keeping import event_days, holds
from ingest.keeping.retention_kinds import EVENTS, KINDS, Kind, Rows
from ingest.models import RetentionRun

PORTION: Final = 10_000
# One run at a time; any number will do as long as it is ours.
_RUN_LOCK: Final = 7_301_011
log = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another run is at it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows of one kind before the day `before`: deleted, and kept by holds.

    `error` says why the rest stays until the next run.
    """

    kind: Kind
    before: date
    dropped: int
    held: int
    error: str = ""


def apply(now: datetime | None = None) -> list[Outcome]:
    """Deletes what is due; raises AlreadyRunning where another run is at work."""
    at = now or timezone.now()
    with _alone():
        return [_apply(kind, at) for kind in KINDS]


def due(now: datetime | None = None) -> list[Outcome]:
    """What `apply` would delete now."""
    at = now or timezone.now()
    return [_due(kind, at) for kind in KINDS]


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_RUN_LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_RUN_LOCK])


def _apply(kind: Kind, now: datetime) -> Outcome:
    before = kind.before(now)
    run = RetentionRun.objects.create(kind=kind.key, started_at=now, before=before)
    error = ""
    try:
        if kind is EVENTS:
            run.dropped, run.held, error = _drop_days(before, now)
        for rows in kind.rows:
            dropped, held = _drop_rows(rows, before, now)
            run.dropped += dropped * rows.counted
            run.held += held * rows.counted
    except OperationalError as failure:
        # Others were in the way: what is left is left for the next run.
        log.warning("%s could not all be deleted: %s", kind.title, failure)
        error = str(failure).strip()
    run.error, run.finished_at = error[:1000], timezone.now()
    run.save()
    return Outcome(kind, before, run.dropped, run.held, error)


def _drop_days(before: date, now: datetime) -> tuple[int, int, str]:
    dropped = held = 0
    for day in event_days.past(before):
        try:
            found = event_days.drop(day, now)
        except OperationalError as failure:
            # Whoever is in the way of this day would be in the way of the others.
            log.warning("The events of %s could not be dropped: %s", day, failure)
            return dropped, held, f"{day}: {str(failure).strip()}"
        dropped, held = dropped + found.events, held + found.held
    return dropped, held, ""


def _drop_rows(rows: Rows, before: date, now: datetime) -> tuple[int, int]:
    total = 0
    while dropped := _drop_portion(rows, before, now):
        total += dropped
    return total, _count(rows, before, now, held=True)


_DROP: Final = """
{held}, due AS MATERIALIZED (
    SELECT t.{key} FROM {table} AS t
    WHERE t.{at} < %(before)s AND {condition} AND {unheld}
    LIMIT %(portion)s FOR UPDATE OF t SKIP LOCKED
), gone AS ({action} RETURNING {returning} AS told)
SELECT count(*), array_agg(told) FROM gone
"""


@transaction.atomic
def _drop_portion(rows: Rows, before: date, now: datetime) -> int:
    with connection.cursor() as cursor:
        holds.wait(cursor)
        some = holds.in_force(now).exists()
        statement = _DROP.format(
            held=holds.WITH_HELD,
            key=rows.key,
            table=rows.table,
            at=rows.at,
            condition=rows.condition,
            unheld=f"NOT {rows.held}" if some else "true",
            action=rows.action.format(table=rows.table, key=rows.key),
            returning=rows.returning,
        )
        cursor.execute(statement, {**_bound(rows, before, now), "portion": PORTION})
        dropped, told = cursor.fetchone()
        if rows.after and dropped:
            rows.after(cursor, told)
        return int(dropped)


def _bound(rows: Rows, before: date, now: datetime) -> dict[str, Any]:
    start = before if rows.is_day else partitions.start_of(before)
    return {"before": start, "now": now}


def _count(rows: Rows, before: date, now: datetime, *, held: bool) -> int:
    if held and not holds.in_force(now).exists():
        return 0
    with connection.cursor() as cursor:
        is_held = rows.held if held else f"NOT {rows.held}"
        cursor.execute(
            f"{holds.WITH_HELD} SELECT count(*) FROM {rows.table} AS t "  # noqa: S608
            f"WHERE t.{rows.at} < %(before)s AND {rows.condition} AND {is_held}",
            _bound(rows, before, now),
        )
        return int(cursor.fetchone()[0])


def _due(kind: Kind, now: datetime) -> Outcome:
    before = kind.before(now)
    dropped = held = 0
    if kind is EVENTS:
        for day in event_days.past(before):
            found = event_days.count(day, now)
            dropped, held = dropped + found.events, held + found.held
    for rows in kind.rows:
        if rows.counted:
            dropped += _count(rows, before, now, held=False)
            held += _count(rows, before, now, held=True)
    return Outcome(kind, before, dropped, held)


def oldest(kind: Kind) -> date | None:
    """The UTC day of the oldest row that the kind counts."""
    if kind is EVENTS:
        return _oldest_event_day()
    found = [_oldest(rows) for rows in kind.rows if rows.counted]
    return min((day for day in found if day is not None), default=None)


def _oldest_event_day() -> date | None:
    with connection.cursor() as cursor:
        for day in partitions.existing_days():
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {partitions.partition_name(day)})"  # noqa: S608
            )
            if cursor.fetchone()[0]:
                return day
    return None


def _oldest(rows: Rows) -> date | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(t.{rows.at}) FROM {rows.table} AS t WHERE {rows.condition}"  # noqa: S608
        )
        found: date | datetime | None = cursor.fetchone()[0]
    if isinstance(found, datetime):
        return found.astimezone(UTC).date()
    return found
