"""Requests that were refused as a whole are counted, and cost next to nothing."""

import io
import json
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from ingest.doors.refusals import Counts
from ingest.models import IngestKey, RefusedRequest, Source
from ingest.senders.keys import issue_key
from tests.conftest import NOW
from tests.ingest.fixtures import URL
from tests.ingest.records import a_request, ndjson
from tests.waiting import wait_until

NDJSON = "application/x-ndjson"


def counted() -> list[tuple[str, int, int, int]]:
    rows = RefusedRequest.objects.order_by("code")
    return [(row.code, row.status, row.count, row.byte_count) for row in rows]


@pytest.mark.parametrize(
    ("body", "kind", "headers", "code", "status"),
    [
        (b"", NDJSON, {}, "empty_body", 400),
        (b"x" * 20, NDJSON, {}, "not_json", 400),
        (b"{}", "text/csv", {}, "wrong_content_type", 415),
        (b"{}", NDJSON, {"Content_Encoding": "br"}, "wrong_content_encoding", 415),
        (b"{}", NDJSON, {"Idempotency_Key": ""}, "bad_idempotency_key", 400),
    ],
)
def test_a_refused_request_is_counted_under_its_key(
    gateway, body, kind, headers, code, status
):
    for _ in range(3):
        assert gateway.post(body, kind, **headers).status_code == status
    assert counted() == [(code, status, 3, 3 * len(body))]
    row = RefusedRequest.objects.get()
    assert row.key == IngestKey.objects.get()
    assert row.hour == NOW.replace(minute=0)


def test_a_body_over_the_limit_counts_with_what_it_announced(gateway, settings):
    settings.INGEST_MAX_BODY_BYTES = 1000
    assert gateway.post(b"x" * 1001).status_code == 413
    assert counted() == [("body_too_large", 413, 1, 1001)]


def test_a_reused_promise_is_counted(gateway):
    gateway.send(a_request(), Idempotency_Key="one")
    assert gateway.send(a_request(turn=2), Idempotency_Key="one").status_code == 422
    assert counted()[0][:3] == ("idempotency_key_reused", 422, 1)


def test_who_has_no_key_or_the_wrong_one_is_counted_as_unknown(db):
    for token in ("", "Bearer sw_00_11", "Basic x"):
        Client().post(URL, b"{}", content_type=NDJSON, headers={"Authorization": token})
    row = RefusedRequest.objects.get()
    assert (row.code, row.count, row.key) == ("unknown_key", 3, None)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"revoked_at": NOW}, "unknown_key"),
        ({"expires_at": NOW}, "unknown_key"),
        ({"networks": ["203.0.113.0/24"]}, "address_not_allowed"),
        ({"scopes": ["read"]}, "wrong_scope"),
    ],
)
def test_who_still_uses_a_key_that_no_longer_opens_is_counted_by_name(
    gateway, told, code
):
    IngestKey.objects.update(**told)
    gateway.post(b"{}")
    row = RefusedRequest.objects.get()
    assert (row.code, row.key) == (code, IngestKey.objects.get())


@pytest.mark.parametrize("door", ["/v1/traces", "/api/v1/telemetry/litellm"])
def test_every_way_in_counts_what_it_refuses(secret, door):
    answer = Client().post(
        door,
        b"x",
        content_type="text/csv",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 415
    assert RefusedRequest.objects.get().key == IngestKey.objects.get()


def test_an_accepted_request_and_a_look_at_a_batch_are_not_counted(gateway):
    gateway.send(a_request(), "bad")
    Client().get("/api/v1/batches/00000000-0000-0000-0000-000000000000")
    assert counted() == []


def test_an_absurd_length_does_no_harm(gateway):
    counts = gateway.post(b"{}", "text/csv", Content_Length="9" * 30)
    assert counts.status_code < 500


def test_the_ledger_shows_them_beside_its_sums(gateway):
    gateway.post(b"", NDJSON)
    out = io.StringIO()
    call_command("check_ledger", "--json", stdout=out)
    found = json.loads(out.getvalue())
    (row,) = found["refused_requests"]
    assert (row["source"], row["day"], row["code"]) == (
        "gateway",
        "2026-11-18",
        "empty_body",
    )
    assert found["totals"]["refused"] == 0
    table = io.StringIO()
    call_command("check_ledger", stdout=table)
    assert "400 empty_body: 1, 0 bytes" in table.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_flood_is_one_write_a_pause_and_loses_no_count(
    settings, django_assert_num_queries
):
    settings.INGEST_REFUSALS_PAUSE = 0.2
    counts = Counts()
    with django_assert_num_queries(0):
        for _ in range(10_000):
            counts.add(None, "unknown_key", 401, 7)
    wait_until(counted)
    assert counted() == [("unknown_key", 401, 10_000, 70_000)]


def test_while_the_database_is_away_the_sums_wait(db):
    counts = Counts()
    settled = "ingest.doors.refusals._write"
    with patch(settled, side_effect=OperationalError):
        counts._sums.update(_one(counts))
        assert not counts.write()
    assert counts.write()
    assert [row[2] for row in counted()] == [1]


def _one(counts: Counts) -> dict[Any, Any]:
    with patch.object(counts, "write", return_value=True):
        counts.add(None, "not_json", 400, 1)
    return dict(counts._sums)


def test_two_processes_add_to_one_row(db):
    source = Source.objects.create(name="s")
    key, _ = issue_key(source=source, name="k", scopes=["ingest:write"])
    for counts in (Counts(), Counts()):
        counts.add(key.pk, "not_json", 400, 5)
        counts.add(None, "unknown_key", 401, 5)
    assert [row[2:] for row in counted()] == [(2, 10), (2, 10)]


def test_a_line_that_is_refused_is_no_refused_request(gateway):
    gateway.post(ndjson([a_request(), "{}"]))
    assert not RefusedRequest.objects.exists()
