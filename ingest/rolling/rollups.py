"""Events → account-days: what was stored is added, what was changed is made again.

A batch is read after it was stored, twice and no more: first for the plain sums, by
one statement of PostgreSQL, and then for what else an account showed, here. So the
cost follows what arrived and not what is there already. Account-days that somebody
marked are made again from all their events. Both ways end in the same bytes
(ingest/rolling/days.py). Marks and rows change in one transaction: whoever is killed
has changed nothing.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from heapq import nlargest
from itertools import pairwise
from operator import or_
from typing import Any, Final

import polars as pl
from django.db import connection, transaction
from django.utils import timezone

from ingest.drain import copying, partitions
from ingest.models import UnsummedBatch
from ingest.rolling import day_rows, days, sightings, summing, totals
from ingest.rolling.days import Day
from ingest.rolling.marks import mark, mark_accounts, mark_batches, stored

__all__ = [
    "LOCK",
    "keep_pace",
    "keep_up",
    "mark",
    "mark_accounts",
    "mark_batches",
    "refresh_stale",
    "stored",
    "sum_open_day",
]

# One refresher at a time: two would compute the same days.
LOCK: Final = 7_301_002
# What one transaction takes on: enough to share the cost of an account-day between
# its events, little enough to stay in memory and to let the sums go first.
EVENTS_SUMMED_AT_ONCE: Final = 500_000
EVENTS_AT_ONCE: Final = 100_000
BATCHES_AT_ONCE: Final = 10_000
# Of these so many account-days are in memory at a time, some kilobytes each.
DAYS_AT_ONCE: Final = 10_000
MARKED_AT_ONCE: Final = 1_000
# So many account-days since the last look mean full load. Then what accounts showed,
# and their sightings, wait this long for each other, so that sums keep up.
MANY: Final = 20_000
WAIT: Final = timedelta(seconds=60)
# Pages may be so far behind what is stored while everybody is busy storing.
PACE: Final = timedelta(seconds=4)
# Seconds after which the timetable may look again.
PATIENCE: Final = 20.0


def refresh_stale(*, limit: int | None = None) -> int:
    """Rolls up until nothing waits, sightings too; says how many account-days.

    `limit` bounds the accounts whose marked days are made again, and adds no batch.
    Gives 0 at once where another refresher is at work.
    """
    if limit is not None:
        return _make_again(limit)
    refreshed = 0
    with _uncollected():
        while True:
            done = _add_sums() or _make_again(MARKED_AT_ONCE)
            refreshed += done
            if not done and not _add_details():
                break
    while settle():
        pass
    return refreshed


def keep_up() -> int:
    """Rolls up what waits, for the timetable; says how many account-days.

    The sums of all that waits come first. Under full load the rest follows in
    portions, when it has waited for WAIT; else at once.
    """
    stop = time.monotonic() + PATIENCE
    with _uncollected():
        refreshed = _add_sums()
        many = refreshed >= MANY
        refreshed += _make_again(MARKED_AT_ONCE)
        for rest, waiting_since in ((_add_details, _oldest), (settle, _unsettled)):
            while time.monotonic() < stop and rest_is_due(waiting_since(), many=many):
                if not rest():
                    break
                refreshed += _add_sums()
    return refreshed


def keep_pace() -> int:
    """Adds sums that have waited for PACE, for who is busy storing; says how many."""
    oldest = UnsummedBatch.objects.filter(is_summed=False).order_by("marked_at")
    since = oldest.values_list("marked_at", flat=True).first()
    if since is None or since > timezone.now() - PACE:
        return 0
    return _add_sums()


def rest_is_due(oldest: datetime | None, *, many: bool) -> bool:
    return oldest is not None and (not many or oldest <= timezone.now() - WAIT)


def _oldest() -> datetime | None:
    summed = UnsummedBatch.objects.filter(is_summed=True).order_by("marked_at")
    return summed.values_list("marked_at", flat=True).first()


def _unsettled() -> datetime | None:
    return sightings.waiting_since()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Account-days hold no cycles; looking for some takes longer than making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@transaction.atomic
def settle() -> int:
    """Brings some sightings up to the account-days; says how many notes that took."""
    return sightings.settle() if _alone() else 0


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


# --- what was stored -----------------------------------------------------------------

_CHOSEN: Final = """
SELECT batch_id FROM (
    SELECT batch_id, sum(events) OVER (ORDER BY marked_at, batch_id) - events AS before
    FROM (
        SELECT * FROM ingest_unsummedbatch WHERE {which}
        ORDER BY marked_at, batch_id LIMIT %s
    ) AS oldest
) AS counted WHERE before < %s
"""
_TAKE_FOR_SUMS: Final = f"""
UPDATE ingest_unsummedbatch SET is_summed = true
WHERE batch_id IN ({_CHOSEN.format(which="NOT is_summed")})
RETURNING batch_id, first_on, last_on, hours
"""  # noqa: S608 - made of constants
_TAKE_FOR_DETAILS: Final = f"""
DELETE FROM ingest_unsummedbatch WHERE batch_id IN ({_CHOSEN.format(which="is_summed")})
RETURNING batch_id, first_on, last_on, hours
"""  # noqa: S608 - made of constants
# PostgreSQL would walk through the whole summary of pages (BRIN) once for each batch;
# so it is asked for a few ranges, and compares what it reads there with the list.
_OF_BATCHES: Final = """
({ranges}) AND batch_id + 0 = ANY(%s::bigint[])
AND occurred_at >= %s AND occurred_at < %s
"""
RANGES: Final = 16
# The newest pages are in no summary yet, and without one each search reads them all.
_SUMMARISE: Final = """
SELECT brin_summarize_new_values(tree.inhrelid)
FROM pg_inherits AS tree JOIN pg_index AS index ON indexrelid = tree.inhrelid
WHERE tree.inhparent = 'event_batch'::regclass AND indrelid IN (
    SELECT to_regclass(name) FROM unnest(%s::text[]) AS name
)
"""


@transaction.atomic
def _add_sums() -> int:
    """Adds the batches that have waited longest to the sums of their account-days."""
    if not _alone():
        return 0
    taken = _taken(_TAKE_FOR_SUMS, EVENTS_SUMMED_AT_ONCE)
    return totals.add(taken.where, taken.values, taken.hours) if taken else 0


@transaction.atomic
def _add_details() -> int:
    """Adds what else these batches' accounts showed; says in how many account-days."""
    if not _alone():
        return 0
    taken = _taken(_TAKE_FOR_DETAILS, EVENTS_AT_ONCE)
    if taken is None:
        return 0
    table = _events(taken.where, taken.values)
    places = table["place"].unique().sort()
    for some in places.to_frame().iter_slices(DAYS_AT_ONCE):
        own = some["place"]
        events = table.filter(pl.col("place").is_between(own[0], own[-1]))
        _write("ingest_accountday", _found(events, _known(own)))
    touched: dict[date, list[int]] = defaultdict(list)
    for place in places:
        account, day = summing.account_and_day(place)
        touched[day].append(account)
    sightings.note(touched)
    return len(places) or 1


@dataclass(frozen=True, slots=True)
class _Taken:
    """A condition on events, with its values, and the hours of a day they lie in."""

    where: str
    values: list[Any]
    hours: set[int]


def _taken(statement: str, events: int) -> _Taken | None:
    """The events of some batches, which are marked as taken by the statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [BATCHES_AT_ONCE, events])
        batches = cursor.fetchall()
        if not batches:
            return None
        first = min(first for _, first, _, _ in batches)
        last = max(last for _, _, last, _ in batches)
        span = [first + timedelta(days=day) for day in range((last - first).days + 1)]
        cursor.execute(_SUMMARISE, [[partitions.partition_name(day) for day in span]])
    start, end = partitions.start_of(first), partitions.start_of(last)
    pks = sorted(pk for pk, *_ in batches)
    between = (f"batch_id BETWEEN {low} AND {high}" for low, high in _ranges(pks))
    where = _OF_BATCHES.format(ranges=" OR ".join(between))
    values = [copying.numbers(pks), start, end + timedelta(days=1)]
    bits = reduce(or_, (hours for *_, hours in batches))
    return _Taken(where, values, {hour for hour in range(24) if bits >> hour & 1})


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """At most RANGES that hold these ascending numbers and as few others as can be."""
    gaps = [
        (after - before, at) for at, (before, after) in enumerate(pairwise(numbers))
    ]
    ends = sorted(at for gap, at in nlargest(RANGES - 1, gaps) if gap > 1)
    starts = [0, *(at + 1 for at in ends)]
    for start, end in zip(starts, [*ends, len(numbers) - 1], strict=True):
        yield numbers[start], numbers[end]


# --- what was marked -----------------------------------------------------------------

_TAKE_MARKS: Final = """
WITH chosen AS (
    SELECT account_id FROM ingest_staleday
    GROUP BY account_id ORDER BY min(id) LIMIT %s
), taken AS (
    DELETE FROM ingest_staleday WHERE account_id IN (SELECT account_id FROM chosen)
    RETURNING account_id, day
)
SELECT DISTINCT account_id, day FROM taken
"""
_OF_ACCOUNTS: Final = """
account_id = ANY(%s::bigint[]) AND occurred_at >= %s AND occurred_at < %s
"""
# In one statement, and so in one view of the database: an event is there and its
# batch is to be added yet, or it is to be counted here.
_NOT_TO_COME: Final = """
AND NOT EXISTS (
    SELECT FROM ingest_unsummedbatch AS unsummed
    WHERE unsummed.batch_id = event.batch_id AND ({which})
)
"""
_IN_SUMS: Final = _OF_ACCOUNTS + _NOT_TO_COME.format(which="NOT is_summed")
_IN_DETAILS: Final = _OF_ACCOUNTS + _NOT_TO_COME.format(which="true")


@transaction.atomic
def _make_again(accounts: int) -> int:
    """Makes the marked days of some accounts from the events that are there now."""
    if not _alone():
        return 0
    with connection.cursor() as cursor:
        # The marks go first and the events are read after: what is marked from now
        # on stays for the next time, what was marked before is seen by what follows.
        cursor.execute(_TAKE_MARKS, [accounts])
        marks = cursor.fetchall()
    if not marks:
        return 0
    by_day: dict[date, list[int]] = defaultdict(list)
    for account, day in marks:
        by_day[day].append(account)
    dropped = set(partitions.missing_days(by_day))
    for day in sorted(by_day):
        if day not in dropped:  # else its rows outlive its events
            refresh_day(day, by_day[day])
    sightings.note(by_day, whole=True)
    return len(marks)


def refresh_day(day: date, accounts: Iterable[int]) -> None:
    """Makes one day's rows of these accounts from the events that are there now."""
    start = partitions.start_of(day)
    wanted = copying.numbers(sorted(accounts))
    values: list[Any] = [wanted, start, start + timedelta(days=1)]
    with connection.cursor() as cursor:
        # A day whose events are gone has no row.
        cursor.execute(
            "DELETE FROM ingest_accountday "
            "WHERE day = %s AND account_id = ANY(%s::bigint[])",
            [day, wanted],
        )
    totals.add(_IN_SUMS, values)
    _write("ingest_accountday", _found(_events(_IN_DETAILS, values)))


def sum_open_day(
    table: str, *, day: date, accounts: Iterable[int], until: datetime
) -> None:
    """One day's rows as they stood at `until`, into a table shaped like AccountDay.

    For a replay of history, where the day's own row already knows what came later.
    """
    wanted = copying.numbers(sorted(accounts))
    last = until + timedelta(microseconds=1)
    values: list[Any] = [wanted, partitions.start_of(day), last]
    totals.add_into(table, _OF_ACCOUNTS, values)
    _write(table, _found(_events(_OF_ACCOUNTS, values)))


# --- reading and writing -------------------------------------------------------------

_KNOWN: Final = """
SELECT account_id, day, state FROM ingest_accountday
JOIN (
    SELECT account, date '1970-01-01' + number
    FROM unnest(%s::bigint[], %s::int[]) AS two (account, number)
) AS wanted (account_id, day) USING (account_id, day)
WHERE state IS NOT NULL
"""
_MAKE_ROOM: Final = f"""
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT {", ".join(day_rows.COLUMNS)} FROM ingest_accountday WITH NO DATA
"""  # noqa: S608 - made of constants
_FILL: Final = f"COPY made ({', '.join(day_rows.COLUMNS)}) FROM STDIN (FORMAT binary)"
_CHANGED: Final = ", ".join(f"{name} = made.{name}" for name in day_rows.COLUMNS[2:])
_UPDATE: Final = f"""
UPDATE {{table}} AS day SET {_CHANGED} FROM made
WHERE day.account_id = made.account_id AND day.day = made.day
"""  # noqa: S608 - made of constants


def _events(where: str, values: list[Any]) -> pl.DataFrame:
    statement = f"SELECT {summing.SELECTED} FROM ingest_event AS event WHERE {where}"  # noqa: S608
    return summing.read_table(copying.read(f"COPY ({statement}) TO STDOUT", values))


def _known(places: Iterable[int]) -> dict[int, bytes]:
    """What there is to add to: account-day → its state."""
    two = [summing.split(place) for place in places]
    wanted = [copying.numbers(column) for column in zip(*two, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, wanted or ["{}", "{}"])
        return {summing.place_of(account, day): state for account, day, state in cursor}


def _found(
    table: pl.DataFrame, known: Mapping[int, bytes] | None = None
) -> dict[int, Day]:
    """The account-days that the table touches, on top of what is known of them."""
    states = known or {}
    found = {
        place: days.unpack(states[place]) if place in states else Day()
        for place in table["place"].unique().sort()
    }
    summing.add(table, found)
    return found


def _write(table: str, found: Mapping[int, Day]) -> None:
    """Into rows that are there already, with their sums."""
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.made")
        cursor.execute(_MAKE_ROOM)
        copying.copy(_FILL, [day_rows.table(found)])
        cursor.execute("ANALYZE made (account_id, day)")
        cursor.execute(_UPDATE.format(table=table))
