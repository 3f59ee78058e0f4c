"""Days of events as partitions: made before they are needed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

DAYS_AHEAD: Final = 3
# Most of what comes late has come by then.
LATENESS: Final = timedelta(hours=1)
# Serialises those who make partitions; any number will do as long as it is ours.
_LOCK: Final = 7_301_001


def partition_name(day: date) -> str:
    return f"ingest_event_{day:%Y%m%d}"


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def existing_days() -> list[date]:
    """Every day that has a partition, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substr(relname, 14) FROM pg_inherits JOIN pg_class "
            "ON pg_class.oid = inhrelid WHERE inhparent = 'ingest_event'::regclass "
            "AND relname ~ '^ingest_event_[0-9]{8}$' ORDER BY relname"
        )
        return [date.fromisoformat(day) for (day,) in cursor.fetchall()]


# Asked of the catalogue itself: to_regclass goes on saying that there is no such table
# after a wait for whoever was making it.
_MISSING: Final = """
SELECT name FROM unnest(%s::text[]) AS name WHERE NOT EXISTS (
    SELECT FROM pg_class WHERE relname = name AND pg_table_is_visible(oid))
"""


def missing_days(days: Iterable[date]) -> list[date]:
    wanted = sorted(set(days))
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, [[partition_name(day) for day in wanted]])
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
    attach(cursor, day)


def attach(cursor: CursorWrapper, day: date) -> None:
    """Hangs a day's table, which must hold that day alone, onto the others."""
    cursor.execute(
        f"ALTER TABLE ingest_event ATTACH PARTITION {partition_name(day)} "
        f"FOR VALUES FROM ('{start_of(day)}') TO ('{start_of(day + timedelta(1))}')"
    )


def prepare(today: date) -> int:
    """Yesterday to some days ahead, so that no event has to wait for its day."""
    return ensure_partitions(
        today + timedelta(days=ahead) for ahead in range(-1, DAYS_AHEAD + 1)
    )


def account_index(day: date) -> str:
    """The tree over (account_id, occurred_at) that a closed day has."""
    return f"{partition_name(day)}_account_time"


def is_closed(day: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [account_index(day)])
        return bool(cursor.fetchone()[0])


def close_day(day: date) -> bool:
    """Indexes a day that is over by account and time; whether it had to be done.

    Late events may come all the same, before and after: the tree is one more index to
    them, and those who come while it is built wait for it (about a second for two
    million events). Outside a transaction the day's rows are frozen too, so that they
    are never rewritten again.
    """
    name, index = partition_name(day), account_index(day)
    if missing_days([day]) or is_closed(day):
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS {index} ON {name} (account_id, occurred_at)"
        )
        whole = "ANALYZE" if connection.in_atomic_block else "VACUUM (FREEZE, ANALYZE)"
        cursor.execute(f"{whole} {name}")
    return True


_OPEN_DAYS: Final = """
SELECT to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') AS day FROM pg_inherits
WHERE inhparent = 'ingest_event'::regclass
  AND to_regclass(inhrelid::regclass::text || '_account_time') IS NULL
ORDER BY day
"""


def close_days(now: datetime) -> int:
    """Closes the days that have been over for a while; says how many."""
    over = (now - LATENESS).astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_DAYS)
        days = [day for (day,) in cursor.fetchall() if day < over]
    return sum(close_day(day) for day in days)


_OPEN_INDEXES: Final = """
SELECT index.indexrelid FROM pg_inherits AS part
JOIN pg_index AS index ON index.indrelid = part.inhrelid
JOIN pg_class AS known ON known.oid = index.indexrelid
JOIN pg_am AS method ON method.oid = known.relam AND method.amname = 'brin'
WHERE part.inhparent = 'ingest_event'::regclass
  AND pg_relation_size(part.inhrelid) > 0
  AND to_regclass(part.inhrelid::regclass::text || '_account_time') IS NULL
"""


def summarise_open_days() -> int:
    """Tells the page ranges of open days what came into them; says how many were new.

    A range that is not summarised is read by everybody who asks for an account.
    """
    summarised = 0
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_INDEXES)
        for (index,) in cursor.fetchall():
            cursor.execute("SELECT brin_summarize_new_values(%s::regclass)", [index])
            summarised += int(cursor.fetchone()[0])
    return summarised
