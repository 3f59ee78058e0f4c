"""A day of events is a table of its own, made before it is needed."""

from datetime import date, timedelta

import pytest
from django.db import connection

from ingest import partitions, tasks
from ingest.models import Event
from tests.ingest.records import a_request

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
        assert cursor.fetchone() == (2,)


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
        cursor.execute("DROP TABLE ingest_event_20261116")
    assert Event.objects.get().event_id == "2"
