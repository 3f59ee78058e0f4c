"""What a key may send in a minute and a day, and how it is told (promises.md 40)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ingest.doors.errors import QuotaExceeded
from ingest.drain import writers
from ingest.models import Batch, IngestKey, KeyUse, QuarantinedLine
from ingest.senders import keys, quotas
from tests.ingest.fixtures import Gateway
from tests.ingest.records import ndjson, packed, requests

WRITE = "ingest:write"


@pytest.fixture(autouse=True)
def fresh_memory():
    quotas._seen.clear()


@pytest.fixture
def limited(source):
    """A gateway whose key has these limits."""

    def make(**limits: int) -> Gateway:
        _, secret = keys.issue_key(
            source=source, name="k", scopes=[WRITE], limits=quotas.Limits(**limits)
        )
        return Gateway(secret)

    return make


def test_a_key_within_its_quota_notices_nothing(limited):
    gateway = limited(rows_per_minute=10)
    for n in range(2):
        assert gateway.send(*requests(5, turn=n + 1)).status_code == 202


def test_beyond_the_rows_of_a_minute_nothing_is_kept(limited):
    gateway = limited(rows_per_minute=10)
    gateway.send(*requests(8))
    refused = gateway.send(*requests(3), "not json")
    assert refused.status_code == 429
    assert refused["Retry-After"] == "60"
    assert refused.json()["code"] == "quota_exceeded"
    assert "10 rows a minute and has sent 8" in refused.json()["detail"]
    assert (Batch.objects.count(), QuarantinedLine.objects.count()) == (1, 0)


def test_the_next_minute_begins_anew(limited, clock):
    gateway = limited(rows_per_minute=10)
    clock.shift(timedelta(seconds=17))
    assert gateway.send(*requests(10)).status_code == 202
    assert gateway.send(*requests(1))["Retry-After"] == "43"
    clock.shift(timedelta(seconds=43))
    assert gateway.send(*requests(1)).status_code == 202


def test_a_day_is_counted_over_its_minutes(limited, clock):
    gateway = limited(rows_per_day=10)
    for _ in range(2):
        assert gateway.send(*requests(5)).status_code == 202
        clock.shift(timedelta(minutes=5))
    refused = gateway.send(*requests(1))
    assert (refused.status_code, refused["Retry-After"]) == (429, "120")
    assert "a day" in refused.json()["detail"]
    clock.shift(timedelta(days=1))
    assert gateway.send(*requests(1)).status_code == 202


def test_bytes_count_as_they_are_unpacked(limited):
    body = ndjson(requests(200))
    gateway = limited(bytes_per_minute=len(body) - 1)
    refused = gateway.post(packed(body), Content_Encoding="gzip")
    assert refused.status_code == 429
    assert "bytes a minute" in refused.json()["detail"]
    assert not Batch.objects.exists()


def test_announced_bytes_are_refused_before_they_are_read(limited, monkeypatch):
    def read(request):
        raise AssertionError("the body was read")

    monkeypatch.setattr("ingest.doors.bodies.body_of", read)
    assert limited(bytes_per_minute=10).send(*requests(1)).status_code == 429


def test_a_key_beyond_its_quota_is_refused_before_its_body_is_read(
    limited, monkeypatch
):
    gateway = limited(rows_per_minute=5)
    gateway.send(*requests(5))
    assert gateway.send(*requests(1)).status_code == 429
    monkeypatch.setattr("ingest.doors.bodies.body_of", pytest.fail)
    assert gateway.send(*requests(1)).status_code == 429


def test_a_request_that_alone_is_too_much_says_so(limited):
    refused = limited(rows_per_minute=5).send(*requests(9))
    assert refused.status_code == 429
    assert "this request alone brings" in refused.json()["detail"]
    assert "smaller requests" in refused.json()["hint"]


def test_another_keys_flood_is_not_mine(limited):
    noisy, quiet = limited(rows_per_minute=5), limited(rows_per_minute=5)
    noisy.send(*requests(5))
    assert noisy.send(*requests(1)).status_code == 429
    assert quiet.send(*requests(5)).status_code == 202


def test_what_another_process_counted_counts(limited):
    gateway = limited(rows_per_minute=10)
    gateway.send(*requests(8))
    quotas._seen.clear()  # as a process that has not heard of it
    assert gateway.send(*requests(3)).status_code == 429
    assert Batch.objects.count() == 1


def test_a_key_without_limits_of_its_own_has_the_installations(limited, settings):
    settings.INGEST_ROWS_PER_MINUTE = 5
    assert limited().send(*requests(6)).status_code == 429
    assert limited(rows_per_minute=0).send(*requests(6)).status_code == 202


def test_what_a_person_replays_counts_for_nobody(limited, source):
    limited(rows_per_minute=1)
    key = IngestKey.objects.get()
    writers.accept([ndjson(requests(5))], writers.Origin(source, key, way_in="replay"))
    assert not KeyUse.objects.exists()


def test_use_is_shown_and_forgotten_in_time(limited, clock):
    limited().send(*requests(5))
    key = IngestKey.objects.get()
    used = quotas.use_of(key, timezone.now())
    assert (used.minute_rows, used.day_rows) == (5, 5)
    clock.shift(timedelta(hours=3))
    assert quotas.forget(timezone.now()) == 1
    assert quotas.use_of(key, timezone.now()).day_rows == 5
    clock.shift(timedelta(days=91))
    assert quotas.forget(timezone.now()) == 1


@pytest.mark.django_db(transaction=True)
def test_senders_at_once_stay_within_one_quota():
    from tests.factories import SourceFactory
    from tests.ingest.test_inbox_survives import in_threads

    source = SourceFactory()
    key, _ = keys.issue_key(
        source=source, name="k", scopes=[WRITE], limits=quotas.Limits(50)
    )
    body = ndjson(requests(10))
    refused = []

    def send(n: int) -> None:
        try:
            writers.accept([body], writers.Origin(source, key))
        except QuotaExceeded:
            refused.append(n)
        finally:
            connection.close()

    in_threads(8, send)
    assert Batch.objects.count() == 5
    assert len(refused) == 3
