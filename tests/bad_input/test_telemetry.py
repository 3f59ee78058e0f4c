"""promises.md section 4, the ingest API: input → status, code, and what was kept."""

import gzip
import io
import json
import random
import tracemalloc
import zlib
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory

from ingest.doors import api
from ingest.doors.unpacking import zstd
from ingest.drain import writers
from ingest.ledger import ledger
from ingest.mending.masking import MOST_BYTES
from ingest.models import Batch, Event, IngestKey, QuarantinedLine, RefusedRequest
from ingest.senders import keys
from tests.ingest.fixtures import URL
from tests.ingest.records import (
    a_request,
    an_account,
    an_activity,
    ndjson,
    packed,
    requests,
)

GOOD = ndjson([a_request()])
TAIL = GOOD.strip()[:-1]


@dataclass(frozen=True)
class Refused:
    """A request of which nothing is kept."""

    name: str
    body: bytes
    status: int
    code: str
    content_type: str = "application/x-ndjson"
    encoding: str = ""


ZSTD = zstd.compress(GOOD)
DEEP = b"[" * 10_000 + b"]" * 10_000
REFUSED = [
    Refused("1 empty body", b"", 400, "empty_body"),
    Refused("1 only blank lines", b"\n \r\n\n", 400, "empty_body"),
    Refused("1 empty array", b"[]", 400, "empty_body", "application/json"),
    Refused("2 not JSON", b"hello\nworld\n", 400, "not_json"),
    Refused("2 no array", b'{"a":1', 400, "not_json", "application/json"),
    Refused("2 an object", b"{}", 400, "not_an_array", "application/json"),
    Refused("12 deep", DEEP, 400, "too_deep"),
    Refused("12 deep object", b'{"a":' * 10_000 + b"}" * 10_000, 400, "too_deep"),
    Refused("12 deep array", DEEP, 400, "too_deep", "application/json"),
    Refused("24 10 MiB + 1", b" " * (10 * 2**20 + 1), 413, "body_too_large"),
    Refused("26 100,001 lines", b"{}\n" * 100_001, 413, "too_many_lines"),
    Refused("28 cut", packed(GOOD)[:-9], 400, "broken_gzip", encoding="gzip"),
    Refused("28 no gzip", GOOD, 400, "broken_gzip", encoding="gzip"),
    Refused("28 tail", packed(GOOD) + b"junk", 400, "broken_gzip", encoding="gzip"),
    Refused("28 zstd cut", ZSTD[:-5], 400, "broken_zstd", encoding="zstd"),
    Refused("28 no zstd", GOOD, 400, "broken_zstd", encoding="zstd"),
    Refused("29 br", GOOD, 415, "wrong_content_encoding", encoding="br"),
    Refused("29 twice", GOOD, 415, "wrong_content_encoding", encoding="gzip, gzip"),
    Refused("30 text", GOOD, 415, "wrong_content_type", "text/plain"),
    Refused("30 none", GOOD, 415, "wrong_content_type", ""),
    Refused(
        "30 latin", GOOD, 415, "wrong_content_type", "application/json; charset=latin-1"
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_refused_request_leaves_nothing(gateway, case):
    headers = {"Content_Encoding": case.encoding} if case.encoding else {}
    answer = gateway.post(case.body, case.content_type, **headers)
    assert answer.status_code == case.status
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["status"]) == (case.code, case.status)
    assert problem["detail"]
    assert problem["hint"]
    assert not Batch.objects.exists()
    counted = RefusedRequest.objects.get()
    assert (counted.code, counted.status) == (case.code, case.status)
    assert (counted.count, counted.byte_count) == (1, len(case.body))


def test_2_what_is_no_json_is_told_with_line_and_column(gateway):
    problem = gateway.post(b'[{"a":1},\n {"b":}]', "application/json").json()
    assert problem["where"] == "line 2, column 7"
    assert "column" in gateway.post(b'{"a":}').json()["detail"]


def test_30_the_right_content_type_is_named(gateway):
    answer = gateway.post(GOOD, "text/csv").json()
    assert "application/x-ndjson" in answer["hint"]


@dataclass(frozen=True)
class BadLine:
    """A line that is refused while the good one beside it is stored."""

    name: str
    line: Any
    code: str
    field: str | None = None
    fate: str = "refused"


LINES = [
    BadLine("3 nonsense", b"nonsense", "bad_json"),
    BadLine("4 cut off", TAIL, "bad_json"),
    BadLine("7 not UTF-8", TAIL + b',"ja4":"\xff"}', "bad_encoding"),
    BadLine("8 half a pair", TAIL + b',"ja4":"\\ud800"}', "lone_surrogate", "ja4"),
    BadLine("8 other half", TAIL + b',"ja4":"\\udc00x"}', "lone_surrogate", "ja4"),
    BadLine(
        "8 in an odd field",
        TAIL + b',"\\u0000":"\\ud800"}',
        "lone_surrogate",
        "\\u0000",
    ),
    BadLine("9 NUL", TAIL + b',"ja4":"a\\u0000"}', "nul_char", "ja4"),
    BadLine("9 raw NUL", TAIL + b',"ja4":"a\x00"}', "nul_char"),
    BadLine("10 NaN", TAIL + b',"temperature":NaN}', "nan"),
    BadLine("10 Infinity", TAIL + b',"temperature":-Infinity}', "nan"),
    BadLine(
        "11 10^400", TAIL + b',"temperature":1e400}', "number_range", "temperature"
    ),
    BadLine(
        "11 400 digits",
        TAIL + b',"latency_ms":' + b"9" * 400 + b"}",
        "number_range",
        "latency_ms",
    ),
    BadLine("11 2^63", a_request(latency_ms=2**63), "number_range", "latency_ms"),
    BadLine("11 negative", a_request(latency_ms=-1), "number_range", "latency_ms"),
    BadLine("11 turn 0", a_request(turn=0), "number_range", "turn"),
    BadLine("12 33 deep", a_request(x=json.loads("[" * 33 + "]" * 33)), "too_deep"),
    BadLine("13 twice", TAIL + b',"event_id":"b"}', "duplicate_key", "event_id"),
    BadLine("15 time {}", a_request(occurred_at={}), "bad_time", "occurred_at"),
    BadLine("15 text", a_request(input_tokens="7"), "wrong_type", "input_tokens"),
    BadLine("15 1.5", a_request(input_tokens=1.5), "wrong_type", "input_tokens"),
    BadLine("15 flag", a_request(input_tokens=True), "wrong_type", "input_tokens"),
    BadLine("15 list", a_request(model=["nova"]), "wrong_type", "model"),
    BadLine("15 array", b"[1]", "wrong_type"),
    BadLine("15 number", b"7", "wrong_type"),
    BadLine("16 no id", {"type": "request"}, "missing_id", "event_id"),
    BadLine("16 null id", a_request(event_id=None), "missing_id", "event_id"),
    BadLine("16 empty id", an_activity(account_id=""), "missing_id", "account_id"),
    BadLine("no type", {"event_id": "x"}, "missing_field", "type"),
    BadLine("another type", {"type": "payment"}, "unknown_type", "type"),
    BadLine("a list of types", a_request(type=["request"]), "unknown_type", "type"),
    BadLine("another enum", a_request(operation="dance"), "bad_value", "operation"),
    BadLine("long id", a_request(event_id="x" * 129), "too_long", "event_id"),
    BadLine("long hash", a_request(tools_hash="x" * 65), "too_long", "tools_hash"),
    BadLine("long model", a_request(model="m" * 257), "too_long", "model"),
    BadLine(
        "four answers",
        a_request(prior_response_hashes=["a"] * 4),
        "too_many_items",
        "prior_response_hashes",
    ),
    BadLine(
        "19 1970",
        a_request(occurred_at="1970-01-01T00:00:00Z"),
        "too_old",
        "occurred_at",
    ),
    BadLine(
        "19 year 9999",
        a_request(occurred_at="9999-12-31T23:59:59-01:00"),
        "clock_skew",
        "occurred_at",
        "quarantined",
    ),
    BadLine("19 negative", a_request(occurred_at=-1), "bad_time", "occurred_at"),
    BadLine(
        "19 no zone",
        a_request(occurred_at="2026-11-18T09:30:00"),
        "bad_time",
        "occurred_at",
    ),
    BadLine(
        "19 13 digits", a_request(occurred_at=1763458200000), "bad_time", "occurred_at"
    ),
    BadLine(
        "19 leap second",
        a_request(occurred_at="2016-12-31T23:59:60Z"),
        "bad_time",
        "occurred_at",
    ),
    BadLine(
        "19 year 1",
        an_account(created_at="0001-01-01T00:00:00+14:00"),
        "bad_time",
        "created_at",
    ),
    BadLine(
        "20 three days ahead",
        a_request(occurred_at="2026-11-21T12:00:00Z"),
        "clock_skew",
        "occurred_at",
        "quarantined",
    ),
    BadLine(
        "20 an account ahead",
        an_account(updated_at="2026-11-21T12:00:00Z"),
        "clock_skew",
        "updated_at",
        "quarantined",
    ),
    BadLine(
        "21 older than the retention",
        a_request(occurred_at="2025-10-18T11:59:59Z"),
        "too_old",
        "occurred_at",
    ),
    BadLine("25 a line of 1 MiB + 1", b"x" * (2**20 + 1), "line_too_long"),
    BadLine(
        "35 an address", a_request(client_ip="999.1.1.1"), "bad_value", "client_ip"
    ),
    BadLine("35 a country", a_request(country="D1"), "bad_value", "country"),
    BadLine("an e-mail", an_account(email="nobody"), "bad_value", "email"),
    BadLine(
        "a fingerprint",
        a_request(prompt_fingerprint="f9:k=0"),
        "bad_value",
        "prompt_fingerprint",
    ),
]


@pytest.mark.parametrize("case", LINES, ids=lambda case: case.name)
def test_one_bad_line_loses_none_beside_it(gateway, case):
    beside = a_request(event_id="beside")
    answer = gateway.send(beside, case.line, a_request(event_id="after"))
    assert answer.status_code == 202
    told = answer.json()
    assert (told["received"], told["accepted"], told["rejected"]) == (3, 2, 1)
    (error,) = told["errors"]
    assert (error["line"], error["code"], error["field"]) == (2, case.code, case.field)
    assert 10 < len(error["message"]) < 300
    writers.store_pending()
    kept = QuarantinedLine.objects.get()
    assert (kept.fate, kept.code, kept.line) == (case.fate, case.code, 2)
    assert set(Event.objects.values_list("event_id", flat=True)) == {"beside", "after"}
    (row,) = ledger()
    assert (row.stored, row.refused + row.quarantined) == (2, 1)


@pytest.mark.parametrize("case", LINES, ids=lambda case: case.name)
def test_a_bad_line_is_kept_with_its_bytes(gateway, case):
    body = ndjson([a_request(), case.line])
    gateway.post(body)
    kept = QuarantinedLine.objects.get()
    line = body.split(b"\n")[1]
    assert bytes(kept.raw) == line[:MOST_BYTES]
    assert body[kept.byte_offset :].startswith(bytes(kept.raw))


def test_3_one_bad_line_of_a_thousand(gateway):
    records = requests(1000)
    answer = gateway.send(*records[:499], b"{", *records[500:]).json()
    assert (answer["accepted"], answer["errors"][0]["line"]) == (999, 500)
    writers.store_pending()
    assert Event.objects.count() == 999


def test_4_a_body_shorter_than_announced_is_not_kept_at_all(secret):
    environ = RequestFactory().generic("POST", URL).environ | {
        "wsgi.input": io.BytesIO(GOOD[:40]),
        "CONTENT_LENGTH": str(len(GOOD)),
        "CONTENT_TYPE": "application/x-ndjson",
        "HTTP_AUTHORIZATION": f"Bearer {secret}",
    }
    answer = api.Telemetry.as_view()(WSGIRequest(environ))
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == "incomplete_body"
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("body", "told", "status", "code"),
    [
        (GOOD, {}, 202, None),
        (GOOD[:-9], {}, 411, "length_required"),
        (GOOD, {"HTTP_IDEMPOTENCY_KEY": "k"}, 411, "length_required"),
        (packed(GOOD), {"HTTP_CONTENT_ENCODING": "gzip"}, 202, None),
        (ZSTD, {"HTTP_CONTENT_ENCODING": "zstd"}, 202, None),
        (b"[" + GOOD + b"]", {"CONTENT_TYPE": "application/json"}, 202, None),
        (packed(GOOD)[:-9], {"HTTP_CONTENT_ENCODING": "gzip"}, 400, "broken_gzip"),
        (ZSTD[:-5], {"HTTP_CONTENT_ENCODING": "zstd"}, 400, "broken_zstd"),
        (b"[" + GOOD, {"CONTENT_TYPE": "application/json"}, 400, "not_json"),
    ],
)
def test_4_a_body_in_chunks_must_show_that_it_is_whole(
    secret, body, told, status, code
):
    """The server hands on what came before the sender hung up as if it were all."""
    environ = RequestFactory().generic("POST", URL).environ | {
        "wsgi.input": io.BytesIO(body),
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_TYPE": "application/x-ndjson",
        "HTTP_AUTHORIZATION": f"Bearer {secret}",
        **told,
    }
    environ["CONTENT_LENGTH"] = ""
    answer = api.Telemetry.as_view()(WSGIRequest(environ))
    assert (answer.status_code, json.loads(answer.content).get("code")) == (
        status,
        code,
    )
    assert Batch.objects.exists() == (status == 202)


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "²"])
def test_31_a_content_length_that_is_no_number_is_refused(secret, length):
    environ = RequestFactory().generic("POST", URL).environ | {
        "wsgi.input": io.BytesIO(GOOD),
        "CONTENT_LENGTH": length,
        "CONTENT_TYPE": "application/x-ndjson",
        "HTTP_AUTHORIZATION": f"Bearer {secret}",
    }
    answer = api.Telemetry.as_view()(WSGIRequest(environ))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        GOOD.strip(),
        GOOD.replace(b"\n", b"\r\n"),
        b"\n\n" + GOOD,
        b"\xef\xbb\xbf" + GOOD,
    ],
    ids=["5 no final newline", "6 CRLF", "6 blank lines", "6 BOM"],
)
def test_what_editors_do_to_a_file_is_accepted(gateway, body):
    answer = gateway.post(body).json()
    assert (answer["received"], answer["accepted"], answer["errors"]) == (1, 1, [])
    writers.store_pending()
    assert Event.objects.get().event_id == "ev-1"


def test_6_a_byte_order_mark_is_noted_with_what_was_kept_out(gateway):
    gateway.post(b"\xef\xbb\xbf" + GOOD)
    assert Batch.objects.get().unknown_fields == {"byte order mark": 1}


def test_17_the_same_id_twice_in_a_batch_is_a_duplicate(gateway):
    gateway.send(a_request(), a_request())
    writers.store_pending()
    batch = Batch.objects.get()
    assert (batch.stored, batch.duplicates) == (1, 1)


def test_18_the_same_id_with_other_content_is_a_conflict_and_the_first_wins(
    gateway, caplog
):
    gateway.send(a_request(), a_request(input_tokens=7))
    writers.store_pending()
    batch, line = Batch.objects.get(), QuarantinedLine.objects.get()
    assert (batch.stored, batch.conflicts) == (1, 1)
    assert (line.fate, line.code, line.line) == ("conflict", "conflict", 2)
    assert Event.objects.get().input_tokens == 100
    assert "other content" in caplog.text


def test_25_the_stream_goes_on_after_a_line_too_long(gateway):
    answer = gateway.send(b"x" * (3 * 2**20), a_request(), b"y" * (2 * 2**20)).json()
    assert [error["line"] for error in answer["errors"]] == [1, 3]
    assert answer["accepted"] == 1


def bomb(mebibytes: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=31)
    parts = [squeeze.compress(bytes(2**20)) for _ in range(mebibytes)]
    return b"".join([*parts, squeeze.flush()])


BOMBS = {
    "gzip": lambda: bomb(256),
    "zstd": lambda: zstd.compress(bytes(256 * 2**20)),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_27_a_bomb_is_stopped_at_the_cap(gateway, encoding):
    body = BOMBS[encoding]()
    tracemalloc.start()
    try:
        answer = gateway.post(body, Content_Encoding=encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert peak <= 64 * 2**20
    assert not Batch.objects.exists()


def test_27_a_body_that_is_large_without_being_a_bomb_stops_at_100_mib(gateway):
    line = ndjson([a_request(colour=random.Random(1).randbytes(5000).hex() * 10)])
    many = gzip.compress(line * (101 * 2**20 // len(line)), 1)
    assert 101 * 2**20 / 100 < len(many) < 10 * 2**20
    answer = gateway.post(many, Content_Encoding="gzip")
    assert answer.status_code == 413
    assert "104,857,600" in answer.json()["detail"]


def test_33_an_idempotency_key_with_another_body_is_refused(gateway):
    gateway.send(a_request(), Idempotency_Key="k")
    answer = gateway.send(a_request(event_id="2"), Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (
        422,
        "idempotency_key_reused",
    )
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("key", ["", "é", "x" * 257])
def test_33_an_idempotency_key_must_be_plain(gateway, key):
    answer = gateway.send(a_request(), Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")


@pytest.mark.parametrize(
    ("told", "kept"),
    [("::ffff:10.0.0.1", "10.0.0.1"), ("FE80::1%eth0", "fe80::1"), ("", None)],
)
def test_35_addresses_are_stored_in_canonical_form(gateway, told, kept):
    gateway.send(a_request(client_ip=told))
    writers.store_pending()
    assert Event.objects.get().client_ip == kept


def test_36_a_user_agent_of_escapes_is_cut_and_flagged(gateway):
    gateway.send(a_request(user_agent="\x1b[31m" * 13_000))
    writers.store_pending()
    event = Event.objects.get()
    assert event.cut_fields == ["user_agent"]
    assert len(event.user_agent or "") == 1024


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer sw_",
        "Bearer sw_000000000000_" + "0" * 64,
        "Bearer " + "x" * 5000,
        "Basic dXNlcjpwYXNz",
        "Bearer sw_é_é",
    ],
)
def test_88_a_malformed_key_gets_the_words_an_unknown_one_gets(db, header):
    answer = Client().post(
        URL,
        GOOD,
        content_type="application/x-ndjson",
        headers={"Authorization": header},
    )
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    problem = answer.json()
    assert (problem["code"], problem["detail"]) == (
        "unknown_key",
        "This key is not known here.",
    )


@pytest.mark.parametrize(
    "told",
    [
        {"X-Stillwatch-Contract": "2"},
        {"X-Stillwatch-Contract": "one"},
        {"Content-Type": "application/x-ndjson; version=2"},
        {"Content-Type": "application/x-ndjson; charset=utf-8; version=1.1"},
    ],
)
def test_34_a_version_that_is_not_understood(secret, told):
    headers = {"Authorization": f"Bearer {secret}", **told}
    answer = Client().post(
        URL,
        GOOD,
        content_type=headers.pop("Content-Type", "application/x-ndjson"),
        headers=headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_version")
    assert answer.json()["supported"] == ["1"]
    assert "Send version 1" in answer.json()["hint"]
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("1", "application/x-ndjson"),
        (" 1 ", "application/x-ndjson; version=1"),
        (None, 'application/x-ndjson; charset="UTF-8"; version=1'),
    ],
)
def test_34_the_version_that_there_is_may_be_named(gateway, header, kind):
    told = {"X_Stillwatch_Contract": header} if header else {}
    assert gateway.post(GOOD, kind, **told).status_code == 202


def test_89_a_revoked_key_gets_the_same_words(gateway, caplog):
    keys.revoke_key(IngestKey.objects.get())
    answer = gateway.send(a_request())
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")
    assert "refused: revoked" in caplog.text
    assert not Batch.objects.exists()


def test_90_a_key_with_the_wrong_scope_is_told_which_it_needs(source):
    _, secret = keys.issue_key(source=source, name="reader", scopes=["read"])
    answer = Client().post(
        URL,
        GOOD,
        content_type="application/x-ndjson",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope")
    assert "ingest:write" in answer.json()["detail"]


def test_91_a_key_in_the_address_is_refused_and_revoked(secret):
    answer = Client().post(
        f"{URL}?key={secret}",
        GOOD,
        content_type="application/x-ndjson",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "key_in_url")
    assert IngestKey.objects.get().revoked_at is not None


@pytest.mark.parametrize("bad", [1, 100, 999])
def test_many_bad_lines_are_each_kept_and_told(gateway, bad):
    lines = [*(b"bad" for _ in range(bad)), *requests(1000 - bad)]
    answer = gateway.send(*lines).json()
    assert (answer["accepted"], len(answer["errors"])) == (1000 - bad, bad)
    writers.store_pending()
    assert QuarantinedLine.objects.count() == bad
    assert Event.objects.count() == 1000 - bad


def test_a_strangers_field_name_cannot_break_the_answer(gateway):
    name = "a\x00\ud800<b>" + "x" * 500
    line = json.dumps(a_request(**{name: 1}))
    assert gateway.send(a_request(event_id="2", **{"b\x00c": 1})).status_code == 202
    answer = gateway.send(a_request(), line)
    assert answer.status_code == 202
    assert max(map(len, Batch.objects.earliest("pk").unknown_fields)) < 100
