"""Days of events as partitions: made before they are needed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

DAYS_AHEAD: Final = 3
# Serialises those who make partitions; any number will do as long as it is ours.
_LOCK: Final = 7_301_001


def partition_name(day: date) -> str:
    return f"ingest_event_{day:%Y%m%d}"


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def missing_days(days: Iterable[date]) -> list[date]:
    wanted = sorted(set(days))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name "
            "WHERE to_regclass(name) IS NULL",
            [[partition_name(day) for day in wanted]],
        )
        missing = {name for (name,) in cursor.fetchall()}
    return [day for day in wanted if partition_name(day) in missing]


def ensure_partitions(days: Iterable[date]) -> int:
    """Makes what is missing, in a transaction of its own; says how many."""
    missing = missing_days(days)
    if not missing:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        made = missing_days(missing)
        for day in made:
            _make(cursor, day)
    return len(made)


def _make(cursor: CursorWrapper, day: date) -> None:
    # Made aside and then attached: that locks the parent only lightly, whereas
    # PARTITION OF would wait for every reader and stop all that come after.
    name = partition_name(day)
    cursor.execute(f"CREATE TABLE {name} (LIKE ingest_event INCLUDING DEFAULTS)")
    cursor.execute(
        f"ALTER TABLE ingest_event ATTACH PARTITION {name} "
        f"FOR VALUES FROM ('{start_of(day)}') TO ('{start_of(day + timedelta(1))}')"
    )


def prepare(today: date) -> int:
    """Yesterday to some days ahead, so that no event has to wait for its day."""
    return ensure_partitions(
        today + timedelta(days=ahead) for ahead in range(-1, DAYS_AHEAD + 1)
    )
