"""POST /api/v1/telemetry/litellm: what LiteLLM logs becomes requests."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ingest import fingerprints
from ingest.adapters import litellm
from ingest.doors.unpacking import zstd
from ingest.drain import storing, writers
from ingest.models import Batch, Event, QuarantinedLine
from ingest.records import schemas
from tests.ingest.litellm_log import a_payload

URL = "/api/v1/telemetry/litellm"


@pytest.fixture
def log(secret):
    """Posts as the callback does: everything is called application/json."""

    def post(body: Any, media_type: str = "application/json", **headers: str) -> Any:
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        told = {"Authorization": f"Bearer {secret}", "Content-Type": media_type}
        told |= {name.replace("_", "-"): each for name, each in headers.items()}
        return Client().post(URL, body, content_type=media_type, headers=told)

    return post


def stored() -> Event:
    writers.store_pending()
    return Event.objects.get()


def test_a_payload_becomes_a_request(log):
    answer = log([a_payload()])
    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 0)
    event = stored()
    assert event.account.external_id == "acct-9f2"
    assert Batch.objects.get().way_in == "litellm"
    key = storing.fingerprint_key()
    told = {
        "event_id": "chatcmpl-1",
        "occurred_at": datetime(2026, 11, 18, 9, 30, 0, 123456, UTC),
        "api_key_id": a_payload()["metadata"]["user_api_key_hash"],
        "model": "nova-2",
        "operation": "chat",
        "input_tokens": 812,
        "output_tokens": 1540,
        "cached_input_tokens": 700,
        "reasoning_tokens": 90,
        "max_tokens": 4096,
        "temperature": 0.5,
        "latency_ms": 1234,
        "http_status": 200,
        "finish_reason": "stop",
        "stream": True,
        "tool_count": 1,
        "conversation_id": "conv-77",
        "turn": 2,
        "client_ip": "198.51.100.7",
        "user_agent": "OpenAI/Python 1.52.0",
        "skeleton_hash": fingerprints.fingerprint("Why twice a day?", key).skeleton,
        "system_hash": fingerprints.system_hash("You are terse.", key),
        "response_hash": fingerprints.response_hash("Two bulges.", key),
        "prior_response_hashes": [
            fingerprints.response_hash("Water, moved by the moon.", key)
        ],
    }
    assert {name: getattr(event, name) for name in told} == told


FORMS = {
    "json_array": lambda payloads: json.dumps(payloads),
    "ndjson": lambda payloads: "\n".join(map(json.dumps, payloads)),
    "an array over lines": lambda payloads: json.dumps(payloads, indent=1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson"])
def test_each_log_format_is_told_by_its_content(log, form, media_type):
    body = FORMS[form]([a_payload(1), a_payload(2)]).encode()
    assert log(body, media_type).json()["accepted"] == 2


def test_a_single_payload_is_taken(log):
    assert log(a_payload()).json()["accepted"] == 1


def test_a_packed_log_is_taken(log):
    body = zstd.compress(json.dumps([a_payload()]).encode())
    assert log(body, Content_Encoding="zstd").json()["accepted"] == 1


def test_a_log_that_is_sent_again_doubles_nothing(log):
    failed = a_payload(2, status="failure")
    for _ in range(2):
        log([a_payload(), failed])
    writers.store_pending()
    assert Event.objects.count() == 2
    assert Batch.objects.latest("pk").duplicates == 2


@pytest.mark.parametrize(
    ("told", "account"),
    [
        ({"end_user": "a", "metadata": {"user_api_key_end_user_id": "b"}}, "a"),
        ({"end_user": None, "metadata": {"user_api_key_end_user_id": "b"}}, "b"),
        ({"end_user": ""}, "user-7"),
        (
            {"end_user": None, "metadata": {"user_api_key_user_id": None}},
            a_payload()["metadata"]["user_api_key_hash"],
        ),
    ],
)
def test_the_account_is_the_first_that_is_told(log, told, account):
    log([a_payload(**told)])
    assert stored().account.external_id == account


def test_an_operator_names_another_member(log, settings):
    settings.INGEST_LITELLM_ACCOUNT_MEMBERS = ["metadata.user_api_key_team_id"]
    log([a_payload()])
    assert stored().account.external_id == "team-1"


def test_a_payload_without_an_account_is_refused_and_kept(log):
    nobody = {"user_api_key_user_id": None, "user_api_key_hash": None}
    answer = log([a_payload(), a_payload(2, end_user=None, metadata=nobody)]).json()
    (error,) = answer["errors"]
    assert (error["line"], error["field"], error["code"]) == (
        2,
        "account_id",
        "missing_id",
    )
    assert QuarantinedLine.objects.get().line == 2


@pytest.mark.parametrize(
    ("information", "status"),
    [
        ({"error_code": "429", "error_class": "RateLimitError"}, 429),
        ({"error_code": "", "error_class": "Timeout"}, 500),
        (None, 500),
    ],
)
def test_a_failed_call_has_its_status(log, information, status):
    log(
        [
            a_payload(
                status="failure",
                error_information=information,
                response={},
                completion_tokens=0,
            )
        ]
    )
    event = stored()
    assert event.http_status == status
    assert event.event_id == "chatcmpl-1@1794994200.123456"


def test_two_tries_under_one_id_are_two_failures(log):
    first = a_payload(status="failure")
    log([first, {**first, "startTime": first["startTime"] + 1}])
    writers.store_pending()
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("call_type", "operation"),
    [
        ("completion", "chat"),
        ("anthropic_messages", "chat"),
        ("aresponses", "chat"),
        ("atext_completion", "completion"),
        ("aembedding", "embeddings"),
    ],
)
def test_the_kind_of_call_is_told(log, call_type, operation):
    log([a_payload(call_type=call_type)])
    assert stored().operation == operation


def test_calls_that_are_no_exchange_are_left_out_and_counted(log):
    answer = log([a_payload(1, call_type="aspeech"), a_payload(2)]).json()
    assert (answer["received"], answer["accepted"]) == (1, 1)
    assert Batch.objects.get().unknown_fields == {"call of type aspeech": 1}


def test_redacted_texts_are_no_texts(log):
    """Else every prompt would be the same one, and all accounts one cluster."""
    redacted = "redacted-by-litellm"
    log(
        [
            a_payload(
                messages=[
                    {"role": "user", "content": redacted},
                    {"role": "assistant", "content": redacted},
                    {"role": "user", "content": redacted},
                ],
                response={"choices": [{"message": {"content": redacted}}]},
            )
        ]
    )
    event = stored()
    assert event.skeleton_hash is None
    assert event.response_hash is None
    assert not event.prior_response_hashes


@pytest.mark.parametrize(
    "response",
    [
        "Two bulges.",
        {"choices": [{"text": "Two bulges."}]},
        {"output": [{"content": [{"type": "output_text", "text": "Two bulges."}]}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Two bulges."}]},
    ],
)
def test_the_answer_is_found_in_each_form(log, response):
    log([a_payload(response=response)])
    expected = fingerprints.response_hash("Two bulges.", storing.fingerprint_key())
    assert stored().response_hash == expected


def test_a_long_conversation_is_no_reason_to_lose_an_exchange(log):
    messages = [{"role": "user", "content": "x" * 500_000}] * 6
    assert log([a_payload(messages=messages)]).json()["accepted"] == 1
    assert stored().cut_fields == ["prompt"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b"[]", 400, "empty_body"),
        (b"[{]", 400, "not_json"),
        (b"hello", 400, "not_json"),
        (b"[" + b"1," * 1_000_001 + b"1]", 413, "too_many_lines"),
        (b"1," * 1_000_001, 413, "too_many_lines"),
    ],
)
def test_a_bad_body_is_refused(log, body, status, code):
    answer = log(body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "told",
    [
        {"startTime": "2026"},
        {"startTime": 1e300},
        {"startTime": -1e18, "status": "failure"},
        {"messages": {"role": "user"}},
        {"messages": [[["x"]]]},
        {"response": {"choices": [None]}},
        {"response": {"choices": {"a": 1}}},
        {"call_type": ["x"]},
        {"call_type": "\x00" * 500},
        {"model_parameters": None},
        {"error_information": "x", "status": "failure"},
        {"end_user": {"a": 1}},
        {"endTime": 1e308},
    ],
)
def test_odd_members_never_end_in_an_error_of_ours(log, told):
    assert log([a_payload(), a_payload(2, **told)]).status_code == 202


def test_a_line_that_is_no_payload_loses_none_beside_it(log):
    body = json.dumps(a_payload()).encode() + b"\nnoise\nnull\n7\n"
    answer = log(body).json()
    assert answer["accepted"] == 1
    assert [error["code"] for error in answer["errors"]] == [
        "bad_json",
        "wrong_type",
        "wrong_type",
    ]


# --- The page --------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "contract" / "litellm.md").read_text()


def test_the_example_of_the_page_is_stored(log):
    (example,) = re.findall(r"```json litellm\n(.*?)```", PAGE, re.DOTALL)
    assert log(example.encode()).json()["accepted"] == 1
    assert stored().account.external_id == "acct-9f2"


def test_the_page_names_every_member_that_is_read(settings):
    read = {name for names in litellm.FIRST_OF.values() for name in names}
    read |= set(litellm.OPERATIONS) | set(settings.INGEST_LITELLM_ACCOUNT_MEMBERS)
    assert {name for name in read if f"`{name}`" not in PAGE} == set()
    told = set(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE, re.MULTILINE))
    fields = {field for cell in told for field in re.findall(r"`(\w+)`", cell)}
    assert set(litellm.FIRST_OF) <= fields
    assert fields <= schemas.FIELDS["request"] | set(litellm.OPERATIONS)
