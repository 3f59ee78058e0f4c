"""What is to be rolled up, and why nobody else has to remember.

A mark is written in the transaction that changed the events; `rollups.py` takes it
away in the transaction that wrote the rows. So neither is lost without the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection
from django.db.models import Model

from ingest.models import StaleDay, UnsightedDays, UnsummedBatch
from ingest.rolling import sightings

_WAITING: Final[tuple[type[Model], ...]] = (StaleDay, UnsummedBatch, UnsightedDays)
_SUM_BATCHES: Final = """
INSERT INTO ingest_unsummedbatch AS known
    (batch_id, events, first_on, last_on, hours, marked_at, is_summed)
SELECT batch_id, events, first_on, last_on, hours, now(), false
FROM unnest(%s::bigint[], %s::int[], %s::date[], %s::date[], %s::int[])
    AS stored (batch_id, events, first_on, last_on, hours)
ON CONFLICT (batch_id) DO UPDATE SET
    events = known.events + excluded.events,
    first_on = least(known.first_on, excluded.first_on),
    last_on = greatest(known.last_on, excluded.last_on),
    hours = known.hours | excluded.hours
"""
_MARK_DAYS: Final = """
INSERT INTO ingest_staleday (account_id, day, marked_at)
SELECT account_id, day, now() FROM unnest(%s::bigint[], %s::date[])
    AS marks (account_id, day)
"""
_MARK_BATCHES: Final = """
INSERT INTO ingest_staleday (account_id, day, marked_at)
SELECT DISTINCT account_id, (occurred_at AT TIME ZONE 'UTC')::date, now()
FROM ingest_event WHERE batch_id = ANY(%s::bigint[])
"""

_OLDEST: Final = """
SELECT least(
    (SELECT marked_at FROM ingest_staleday ORDER BY id LIMIT 1),
    (SELECT min(marked_at) FROM ingest_unsummedbatch),
    (SELECT marked_at FROM ingest_unsighteddays ORDER BY id LIMIT 1)
)
"""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """How many events of a batch were stored, and the days and hours (UTC) they lie in.

    `hours` has a bit for each hour of the day, as `UnsummedBatch` has.
    """

    batch_id: int
    events: int
    first_on: date
    last_on: date
    hours: int


def stored(batches: Iterable[StoredBatch]) -> None:
    """The events of these batches are to be added to their account-days, once.

    To be called in the transaction that stores the events. A batch is stored in one
    transaction, in several calls if need be: what is added to a batch that is
    committed already is not seen, or its first events are added twice.
    """
    rows = list(batches)
    with connection.cursor() as cursor:
        cursor.execute(
            _SUM_BATCHES,
            [
                [each.batch_id for each in rows],
                [each.events for each in rows],
                [each.first_on for each in rows],
                [each.last_on for each in rows],
                [each.hours for each in rows],
            ],
        )


def mark(days: Iterable[tuple[int, date]]) -> None:
    """These (account id, UTC day) are made again from the events that are there then.

    To be called in the transaction that changes or removes their events, at any point
    of it. A mark too many costs time and changes nothing.
    """
    marks = sorted(set(days))
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK_DAYS, [[account for account, _ in marks], [day for _, day in marks]]
        )


def mark_batches(batches: Iterable[int]) -> int:
    """Marks every account-day that has an event of these batches (`Batch.pk`).

    To be called before the events are removed, in the same transaction. Says how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK_BATCHES, [sorted(set(batches))])
        return int(cursor.rowcount)


def mark_accounts(accounts: Iterable[int]) -> None:
    """All sightings of these accounts are made again: their records changed."""
    sightings.note({date(1970, 1, 1): sorted(set(accounts))}, whole=True)


def is_uncounted(since: date, until: date) -> bool:
    """Whether something of the days from `since` to before `until` is not rolled up."""
    marked = StaleDay.objects.filter(day__gte=since, day__lt=until)
    stored_there = UnsummedBatch.objects.filter(first_on__lt=until, last_on__gte=since)
    return marked.exists() or stored_there.exists()


def waiting_since() -> datetime | None:
    """When the oldest mark was written; None where everything is rolled up."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        at: datetime | None = cursor.fetchone()[0]
    return at


def is_waiting() -> bool:
    return any(model._default_manager.exists() for model in _WAITING)


def waiting() -> int:
    """How many marks there are; 0 where everything is rolled up."""
    return sum(model._default_manager.count() for model in _WAITING)
