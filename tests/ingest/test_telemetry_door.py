"""POST /api/v1/telemetry: what a sender is told, and that it is true."""

import json

import pytest
from django.db import OperationalError
from django.test import Client

from ingest.drain import writers
from ingest.models import (
    Account,
    Batch,
    Event,
    ModelRelease,
    QuarantinedLine,
    Source,
)
from ingest.senders.keys import issue_key
from tests.ingest.fixtures import URL, Gateway
from tests.ingest.records import (
    a_release,
    a_request,
    an_account,
    an_activity,
    ndjson,
    packed,
    requests,
)


def test_all_four_record_types_are_taken_and_stored(gateway):
    answer = gateway.send(a_request(), an_activity(), an_account(), a_release())
    assert answer.status_code == 202
    assert writers.store_pending() == 1
    assert Event.objects.count() == 2
    assert Account.objects.get().updated_at is not None
    assert ModelRelease.objects.get().model == "nova-2"


def test_the_answer_has_exactly_the_members_of_the_contract(gateway):
    answer = gateway.send(a_request(), "nonsense").json()
    assert answer.keys() == {
        "batch_id",
        "received",
        "accepted",
        "duplicates",
        "rejected",
        "errors",
    }
    assert (answer["received"], answer["accepted"], answer["rejected"]) == (2, 1, 1)
    assert answer["duplicates"] is None
    assert answer["errors"][0].keys() == {"line", "field", "code", "message"}


def test_accepted_lines_are_committed_before_the_answer(gateway, hints):
    answer = gateway.send(a_request()).json()
    batch = Batch.objects.get(batch_id=answer["batch_id"])
    assert batch.state == "pending"
    assert batch.payload
    assert hints == [batch.pk]


def test_a_json_array_is_taken_too(gateway):
    body = json.dumps([a_request(), a_request(event_id="ev-2"), 7], indent=2)
    answer = gateway.post(body.encode(), "application/json").json()
    assert (answer["accepted"], answer["errors"][0]["line"]) == (2, 3)
    writers.store_pending()
    assert Event.objects.count() == 2


def test_gzip_is_taken_and_kept_as_it_came(gateway):
    body = packed(ndjson(requests(3)))
    assert gateway.post(body, Content_Encoding="gzip").json()["accepted"] == 3
    assert bytes(Batch.objects.get().payload or b"") == body
    writers.store_pending()
    assert Event.objects.count() == 3


def test_several_gzip_members_in_a_row_are_one_body(gateway):
    body = packed(ndjson([a_request()])) + packed(ndjson([a_request(event_id="2")]))
    assert gateway.post(body, Content_Encoding="gzip").json()["accepted"] == 2


def test_the_same_idempotency_key_and_body_get_the_first_answer(gateway):
    first = gateway.send(a_request(), "bad", Idempotency_Key="k1")
    again = gateway.send(a_request(), "bad", Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (202, first.json())
    assert Batch.objects.count() == 1


def test_a_body_packed_anew_is_the_same_body(gateway):
    body = ndjson([a_request()])
    first = gateway.post(body, Idempotency_Key="k1").json()
    again = gateway.post(packed(body), Content_Encoding="gzip", Idempotency_Key="k1")
    assert again.json() == first


def test_a_dead_database_is_a_503_with_retry_after(gateway, monkeypatch):
    def no_database(*args, **options):
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr("ingest.doors.api.writers.accept", no_database)
    answer = gateway.send(a_request())
    assert answer.status_code == 503
    assert 1 <= int(answer["Retry-After"]) <= 120
    assert answer.json()["code"] == "database_unavailable"


def test_a_batch_tells_what_became_of_it(gateway):
    gateway.send(a_request())
    writers.store_pending()
    batch_id = gateway.send(
        a_request(), a_request(event_id="2"), a_request(input_tokens=9), "bad"
    ).json()["batch_id"]
    assert gateway.get(batch_id).json()["state"] == "pending"
    writers.store_pending()
    report = gateway.get(batch_id).json()
    counts = ("received", "stored", "duplicates", "conflicts", "quarantined", "refused")
    assert [report[name] for name in counts] == [4, 1, 1, 1, 0, 1]
    assert [error["code"] for error in report["errors"]] == ["conflict", "bad_json"]


def test_a_batch_of_another_source_is_not_found(gateway, secret):
    batch_id = gateway.send(a_request()).json()["batch_id"]
    _, other = issue_key(
        source=Source.objects.create(name="other"), name="x", scopes=["ingest:write"]
    )
    assert Gateway(other).get(batch_id).status_code == 404


def test_unknown_fields_are_kept_out_and_counted(gateway):
    gateway.send(a_request(colour="red", shape={"a": [1]}), a_request(colour="blue"))
    assert Batch.objects.get().unknown_fields == {"colour": 2, "shape": 1}


def test_a_refused_line_is_kept_byte_for_byte_with_its_place(gateway):
    bad = b'{"type":"request","event_id":"x" \xff}'
    gateway.post(ndjson([a_request()]) + bad + b"\n")
    line = QuarantinedLine.objects.get()
    assert (bytes(line.raw), line.line, line.code) == (bad, 2, "bad_encoding")
    assert line.byte_offset == len(ndjson([a_request()]))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_another_method_is_told_which_one_to_use(db, method):
    answer = Client().generic(method, URL)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.json()["hint"] == "Use POST."


@pytest.mark.parametrize("accept", ["text/html", "application/problem+json", "a/b"])
def test_any_accept_header_is_answered_in_json(gateway, accept):
    answer = gateway.send(a_request(), Accept=accept)
    assert (answer.status_code, answer["Content-Type"]) == (202, "application/json")


def test_who_claims_to_be_another_source_is_refused(gateway):
    refused = gateway.send(a_request(), X_Stillwatch_Source="someone-else")
    assert refused.status_code == 403
    assert refused.json()["code"] == "source_mismatch"
    assert not Batch.objects.exists()
    assert gateway.send(a_request(), X_Stillwatch_Source="gateway").status_code == 202


def test_a_source_inside_a_record_is_an_unknown_field_like_any_other(gateway):
    batch_id = gateway.send(a_request(source="someone-else")).json()["batch_id"]
    assert gateway.get(batch_id).json()["unknown_fields"] == {"source": 1}
