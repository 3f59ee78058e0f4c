"""The doors of the timetable find their work and are safe to run twice."""

from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connections
from django.utils import timezone

from dashboard.celery import app
from ingest import tasks
from ingest.models import (
    Account,
    AccountDay,
    Event,
    Sighting,
    StaleDay,
    UnsightedDays,
    UnsummedBatch,
)
from ingest.rolling import rollups, sightings
from ingest.rolling.marks import is_waiting
from tests.ingest.records import a_request

pytestmark = pytest.mark.django_db


def test_every_task_of_the_timetable_is_known_by_its_name():
    ours = {
        entry["task"]
        for entry in app.conf.beat_schedule.values()
        if entry["task"].startswith("ingest.")
    }
    assert ours | {"ingest.store_batch"} <= set(current_app.tasks)


def test_an_event_goes_all_the_way_by_tasks_alone(gateway, hints):
    gateway.send(a_request(), a_request(event_id="2"))
    for _ in range(2):
        tasks.store_batch(hints[0])
        tasks.sweep_batches()
        tasks.refresh_rollups()
    assert Event.objects.count() == 2
    assert AccountDay.objects.get().requests == 2
    assert not is_waiting()


def test_who_is_busy_storing_adds_the_sums_that_wait(deliver, gateway, hints):
    """The timetable's own task may have to wait until nothing comes any more."""
    deliver(a_request(event_id="earlier"))
    UnsummedBatch.objects.update(marked_at=timezone.now() - timedelta(seconds=10))
    gateway.send(a_request(event_id="later"))
    tasks.store_batch(hints[-1])
    assert AccountDay.objects.get().requests == 2


@pytest.fixture
def elsewhere():
    """Runs a statement as another process would: in a connection of its own."""
    with closing(connections.create_connection("default")) as other:

        def run(statement: str, *values: Any) -> None:
            with other.cursor() as cursor:
                cursor.execute(statement, values)

        yield run


@pytest.mark.django_db(transaction=True)
def test_a_second_refresher_leaves_the_first_at_work(deliver, elsewhere):
    deliver(a_request())
    elsewhere("SELECT pg_advisory_lock(%s)", rollups.LOCK)
    assert rollups.refresh_stale() == 0
    elsewhere("SELECT pg_advisory_unlock(%s)", rollups.LOCK)
    assert rollups.refresh_stale() == 1


@pytest.mark.django_db(transaction=True)
def test_a_mark_written_during_a_refresh_is_not_lost(deliver, elsewhere, monkeypatch):
    deliver(a_request())
    rollups.refresh_stale()
    account = Account.objects.get()
    rollups.mark([(account.pk, date(2026, 11, 18))])
    refresh_day = rollups.refresh_day

    def refresh_and_be_overtaken(day, accounts):
        refresh_day(day, accounts)
        elsewhere(
            "INSERT INTO ingest_staleday (account_id, day, marked_at) "
            "SELECT id, %s, now() FROM ingest_account",
            day,
        )

    monkeypatch.setattr(rollups, "refresh_day", refresh_and_be_overtaken)
    rollups.refresh_stale(limit=1)
    assert StaleDay.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_batch_stored_during_a_refresh_is_added_once(deliver, elsewhere, monkeypatch):
    deliver(a_request())
    known = rollups._known

    def known_and_be_overtaken(places):
        monkeypatch.setattr(rollups, "_known", known)
        deliver(a_request(event_id="2"))
        return known(places)

    monkeypatch.setattr(rollups, "_known", known_and_be_overtaken)
    rollups.refresh_stale()
    assert AccountDay.objects.get().requests == 2


def test_a_refresh_that_dies_is_taken_up_where_it_was(deliver, monkeypatch):
    deliver(a_request())

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(sightings, "note", die)
        rollups.refresh_stale()
    assert AccountDay.objects.get().by_model == {}
    rollups.refresh_stale()
    day = AccountDay.objects.get()
    assert (day.requests, day.by_model) == (1, {"nova-2": 1})


def test_under_full_load_sums_come_first_and_the_rest_within_a_minute(
    deliver, monkeypatch
):
    monkeypatch.setattr(rollups, "MANY", 1)
    deliver(a_request(device_id="d"))
    tasks.refresh_rollups()
    day = AccountDay.objects.get()
    assert (day.requests, day.hours[9], day.by_model) == (1, 1, {})
    assert not Sighting.objects.exists()
    UnsummedBatch.objects.update(marked_at=timezone.now() - rollups.WAIT)
    deliver(a_request(event_id="2", device_id="d"))
    tasks.refresh_rollups()
    day.refresh_from_db()
    assert (day.requests, day.by_model) == (2, {"nova-2": 2})
    UnsightedDays.objects.update(marked_at=timezone.now() - rollups.WAIT)
    deliver(a_request(event_id="3", device_id="d"))
    tasks.refresh_rollups()
    assert Sighting.objects.get().count == 2


def test_a_day_made_again_between_sums_and_the_rest_is_no_different(
    deliver, monkeypatch
):
    deliver(a_request(device_id="d"))
    rollups._add_sums()
    deliver(a_request(event_id="2", device_id="d"))
    rollups.mark([(Account.objects.get().pk, date(2026, 11, 18))])
    rollups._make_again(1)
    day = AccountDay.objects.get()
    assert (day.requests, day.by_model) == (1, {})
    rollups.refresh_stale()
    day.refresh_from_db()
    assert (day.requests, day.by_model) == (2, {"nova-2": 2})
    assert Sighting.objects.get().count == 2
