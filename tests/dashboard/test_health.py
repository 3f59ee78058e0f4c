"""GET /health/: is the database there, and is work moving?"""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from ingest.models import Batch, StaleDay
from tests.factories import AccountFactory, SourceFactory

pytestmark = pytest.mark.django_db


def waiting_batch(minutes: float) -> None:
    Batch.objects.create(
        source=SourceFactory(),
        body_sha256=b"",
        received_at=timezone.now() - timedelta(minutes=minutes),
        received=1,
        accepted=1,
        rejected=0,
    )


def test_an_idle_installation_is_well():
    response = Client().get("/health/")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"


def test_work_that_just_arrived_is_no_reason_to_worry():
    waiting_batch(0.5)
    assert Client().get("/health/").status_code == 200


def test_a_batch_that_nobody_stores_turns_it_red_and_says_so():
    waiting_batch(10)
    response = Client().get("/health/")
    assert response.status_code == 503
    [reason] = response.json()["reasons"]
    assert "stored" in reason
    assert "worker" in reason


def test_a_day_that_nobody_rolls_up_turns_it_red():
    day = StaleDay.objects.create(account=AccountFactory(), day=timezone.now().date())
    long_ago = timezone.now() - timedelta(hours=1)
    StaleDay.objects.filter(pk=day.pk).update(marked_at=long_ago)
    assert Client().get("/health/").json()["work"]["rollups"]["status"] == "stalled"


def test_a_parked_batch_is_a_warning_and_stops_nobody():
    waiting_batch(10)
    Batch.objects.update(state="parked")
    response = Client().get("/health/")
    assert response.status_code == 200
    assert "1 batches are parked: three attempts failed." in response.json()["warnings"]


def test_a_throwaway_database_is_named():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    [told] = Client().get("/health/").json()["warnings"]
    assert "synchronous_commit" in told


def test_a_database_that_does_not_answer_is_said_and_not_a_crash():
    client = Client()
    client.cookies["stillwatch_session"] = "some-session"
    gone = OperationalError("connection refused to 10.0.0.1")
    with patch("django.db.backends.utils.CursorWrapper.execute", side_effect=gone):
        response = client.get("/health/")
    assert response.status_code == 503
    assert response.json() == {
        "status": "down",
        "reasons": ["The database does not answer."],
    }


def test_looking_is_cheap(django_assert_num_queries):
    with django_assert_num_queries(5):
        Client().get("/health/")
