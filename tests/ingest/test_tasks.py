"""The doors of the timetable find their work and are safe to run twice."""

from contextlib import closing
from typing import Any

import pytest
from celery import current_app
from django.db import connections

from dashboard.celery import app
from ingest import rollups, tasks
from ingest.models import AccountDay, Event, StaleDay
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
    assert not StaleDay.objects.exists()


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
