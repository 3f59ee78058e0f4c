"""The town that whole runs are measured on is what ingest would have made of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import time_machine
from django.db import connection

from benchmarks import town, town_days, town_filling, town_rollups
from benchmarks.town import ENDS_AT, Town
from ingest.drain import partitions, writers
from ingest.models import Account, AccountDay, Sighting, Source
from ingest.rolling import marks, rollups

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Iterator[Town]:
    """Some hundred accounts of whom every request went through ingest itself."""
    made = town.made_up(400, 6_000, 4, seed=3)
    days = range(made.days)
    with time_machine.travel(ENDS_AT + timedelta(hours=1), tick=True):
        partitions.ensure_partitions(
            town_days.start_of(made, day).date() for day in days
        )
        town_filling.fill_accounts(raw(), made)
        origin = writers.Origin(Source.objects.get(pk=1), way_in="file")
        for day in days:
            frame = town_days.requests_on(made, day)
            batch = writers.import_batch([town_days.lines(frame)], origin)
            assert batch.stored == len(frame)
        marks.mark_accounts(Account.objects.values_list("pk", flat=True))
        rollups.refresh_stale()
        yield made


def raw() -> psycopg.Connection:
    connection.ensure_connection()
    found = connection.connection
    assert isinstance(found, psycopg.Connection)
    return found


def test_account_days_are_those_that_ingest_makes(place: Town) -> None:
    own = {"id", "state"}
    fields = AccountDay._meta.concrete_fields
    names = ", ".join(str(f.column) for f in fields if f.name not in own)
    made, real = (
        f"SELECT {names} FROM expected",
        f"SELECT {names} FROM ingest_accountday",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE expected (LIKE ingest_accountday INCLUDING DEFAULTS)"
        )
        cursor.execute("ALTER TABLE expected ALTER id DROP NOT NULL")
        for day in range(place.days):
            frame = town_days.requests_on(place, day)
            counts = town_rollups.counts_of(frame)
            today = town_days.start_of(place, day).date()
            town_filling.copy_account_days(raw(), "expected", frame, counts, today)
        cursor.execute("SELECT count(*) FROM expected")
        assert cursor.fetchone()[0] > 300
        cursor.execute(f"({made} EXCEPT {real}) UNION ALL ({real} EXCEPT {made})")
        assert cursor.fetchall() == []


def test_sightings_are_those_that_ingest_makes(place: Town, tmp_path: Path) -> None:
    for day in range(place.days):
        counts = town_rollups.counts_of(town_days.requests_on(place, day))
        today = town_days.start_of(place, day).date()
        town_filling.keep_shown(counts, today, day, tmp_path)
    made = {
        (kind, account, str(value), *rest)
        for kind, found in town_filling.all_sightings(place, tmp_path)
        for account, value, *rest in found.iter_rows()
    }
    columns = ("first_seen_on", "last_seen_on", "count", "last_count")
    real = Sighting.objects.values_list(
        "indicator__kind", "account_id", "indicator__value", *columns
    )
    assert made == set(real)


def test_events_are_stored_as_ingest_stores_them(place: Town) -> None:
    frame = town_days.requests_on(place, 2)
    rows = town_days.event_rows(frame)
    apart = {"source_id", "batch_id", "received_at"}
    names = ", ".join(name for name in rows.columns if name not in apart)
    start = town_days.start_of(place, 2)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE expected AS SELECT {names} FROM ingest_event"
        )
        cursor.execute("TRUNCATE expected")
        town_filling.copy(raw(), "expected", rows.drop(apart))
        real = (
            f"SELECT {names} FROM ingest_event"
            f" WHERE occurred_at >= '{start}' AND occurred_at < '{start}'::timestamptz"
            " + interval '1 day'"
        )
        made = f"SELECT {names} FROM expected"
        cursor.execute(f"({made} EXCEPT {real}) UNION ALL ({real} EXCEPT {made})")
        assert cursor.fetchall() == []
