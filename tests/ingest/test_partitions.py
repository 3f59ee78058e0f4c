"""A day of events is a table of its own, made before it is needed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from ingest import tasks
from ingest.drain import partitions
from ingest.ledger import note_dropped_events
from ingest.models import Account, Event
from ingest.selectors import recent_events
from tests.ingest.records import a_request, requests

pytestmark = pytest.mark.django_db
FAR = date(2024, 2, 28)


def test_a_missing_day_is_made_once():
    assert partitions.ensure_partitions([FAR, FAR + timedelta(1), FAR]) == 2
    assert partitions.ensure_partitions([FAR, FAR + timedelta(1)]) == 0


def test_an_event_lies_in_its_days_table(deliver):
    deliver(
        a_request(occurred_at="2026-11-17T23:59:59.999999Z"),
        a_request(event_id="2", occurred_at="2026-11-18T00:00:00Z"),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, event_id FROM ingest_event")
        found = dict(cursor.fetchall())
    assert found == {"ingest_event_20261117": "ev-1", "ingest_event_20261118": "2"}


def test_a_days_table_has_the_indexes_of_the_whole():
    partitions.ensure_partitions([FAR])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_indexes WHERE tablename = %s",
            [partitions.partition_name(FAR)],
        )
        assert cursor.fetchone() == (3,)


def test_days_ahead_are_ready_after_the_hourly_task():
    tasks.prepare_partitions()
    ahead = [date(2026, 11, day) for day in (17, 18, 19, 20, 21)]
    assert partitions.missing_days(ahead) == []


def test_dropping_a_days_table_drops_its_events_only(deliver):
    deliver(
        a_request(occurred_at="2026-11-16T12:00:00Z"),
        a_request(event_id="2"),
    )
    with connection.cursor() as cursor:
        note_dropped_events(cursor, "ingest_event_20261116")
        cursor.execute("DROP TABLE ingest_event_20261116")
    assert Event.objects.get().event_id == "2"


def plan_of_a_timeline(account: Account) -> str:
    with connection.cursor() as cursor:
        # A small table is read whole whatever indexes it has.
        cursor.execute("SET LOCAL enable_seqscan = off")
    return recent_events(account).explain()


def test_a_day_that_is_over_is_indexed_by_account_once(deliver):
    deliver(*requests(20))
    assert partitions.close_day(date(2026, 11, 18))
    assert not partitions.close_day(date(2026, 11, 18))
    assert not partitions.close_day(FAR)
    assert "ingest_event_20261118_account_time" in plan_of_a_timeline(
        Account.objects.get()
    )


def test_a_closed_day_takes_late_events(deliver):
    deliver(a_request())
    partitions.close_day(date(2026, 11, 18))
    deliver(a_request(event_id="late"))
    assert recent_events(Account.objects.get()).count() == 2


def test_the_timeline_of_an_open_day_reads_page_ranges(deliver):
    deliver(*requests(20))
    partitions.summarise_open_days()
    account = Account.objects.get()
    assert "ingest_event_20261118_account_id_idx" in plan_of_a_timeline(account)
    assert recent_events(account).count() == 20


def test_a_day_is_closed_by_the_hourly_task_an_hour_after_its_end(deliver, clock):
    deliver(a_request())
    clock.move_to(datetime(2026, 11, 19, 0, 59, tzinfo=UTC))
    tasks.prepare_partitions()
    assert not partitions.is_closed(date(2026, 11, 18))
    clock.move_to(datetime(2026, 11, 19, 1, 1, tzinfo=UTC))
    tasks.prepare_partitions()
    assert partitions.is_closed(date(2026, 11, 18))
    assert not partitions.is_closed(date(2026, 11, 19))
