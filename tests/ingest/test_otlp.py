"""POST /v1/traces: spans with the GenAI conventions become requests."""

import base64
import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from google.protobuf.json_format import ParseDict
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from ingest import fingerprints
from ingest.adapters import otlp
from ingest.doors.unpacking import zstd
from ingest.drain import storing, writers
from ingest.ledger import ledger
from ingest.models import Batch, Event, QuarantinedLine, Source
from ingest.records import schemas
from ingest.senders.keys import issue_key

URL = "/v1/traces"
PROTOBUF = "application/x-protobuf"
START = datetime(2026, 11, 18, 9, 30, 0, 123456, tzinfo=UTC)
START_NS = int(START.timestamp()) * 10**9 + 123_456_789
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "nova",
    "gen_ai.request.model": "nova-2",
    "gen_ai.response.model": "nova-2-2026-11",
    "gen_ai.usage.input_tokens": 812,
    "gen_ai.usage.output_tokens": 1540,
    "enduser.id": "acct-9f2",
}


def value(told: object) -> dict[str, Any]:
    if isinstance(told, bool):
        return {"boolValue": told}
    if isinstance(told, int):
        return {"intValue": str(told)}
    if isinstance(told, float):
        return {"doubleValue": told}
    if isinstance(told, list):
        return {"arrayValue": {"values": [value(each) for each in told]}}
    if isinstance(told, dict):
        return {"kvlistValue": {"values": pairs(told)}}
    return {"stringValue": str(told)}


def pairs(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value(each)} for name, each in told.items()]


def a_span(number: Any = 1, events: Any = (), **told: Any) -> dict[str, Any]:
    attributes = {name: each for name, each in told.items() if name[0] != "_"}
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": f"{number:016x}",
        "name": "chat nova-2",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 1_234_567_890),
        "attributes": pairs(attributes),
        "events": [{"name": n, "attributes": pairs(each)} for n, each in events],
        "status": {"code": told.get("_status", 0)},
    }


def a_chat(number: Any = 1, **told: Any) -> dict[str, Any]:
    """A span of one exchange; None leaves an attribute out."""
    told = {**CHAT, **told}
    return a_span(number, **{n: each for n, each in told.items() if each is not None})


def a_trace(*spans: Any, **resource: Any) -> dict[str, Any]:
    shared = {"attributes": pairs(resource)}
    return {"resourceSpans": [{"resource": shared, "scopeSpans": [{"spans": spans}]}]}


@pytest.fixture
def export(secret):
    """Sends a trace as JSON, as protobuf, or as whatever bytes it is told."""

    def post(body: Any, media_type: str = "application/json", **headers: str) -> Any:
        if isinstance(body, dict) and media_type == PROTOBUF:
            body = as_protobuf(body)
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        told = {"Authorization": f"Bearer {secret}", "Content-Type": media_type}
        told |= {name.replace("_", "-"): each for name, each in headers.items()}
        return Client().post(URL, body, content_type=media_type, headers=told)

    return post


def as_protobuf(trace: dict[str, Any]) -> bytes:
    """The same trace by Google's own reader of JSON, which wants ids in base64."""
    trace = json.loads(json.dumps(trace))
    for resource_spans in trace["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for name in ("traceId", "spanId"):
                    raw = bytes.fromhex(span[name])
                    span[name] = base64.b64encode(raw).decode()
    message = ParseDict(trace, trace_service_pb2.ExportTraceServiceRequest())
    return bytes(message.SerializeToString())


def stored() -> Event:
    writers.store_pending()
    return Event.objects.get()


# --- A real sender -------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_real_sdk_and_its_exporter_send_what_is_stored(live_server, compression):
    source = Source.objects.create(name="gateway")
    _, secret = issue_key(source=source, name="otel", scopes=["ingest:write"])
    exporter = OTLPSpanExporter(
        endpoint=f"{live_server.url}{URL}",
        headers={"Authorization": f"Bearer {secret}"},
        compression=compression,
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "gateway"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("gateway")
    with tracer.start_as_current_span("POST /chat", kind=SpanKind.SERVER):
        with tracer.start_as_current_span("chat nova-2", kind=SpanKind.CLIENT) as span:
            span.set_attributes(CHAT)
            span.set_attribute("gen_ai.response.finish_reasons", ["stop"])
            span.set_attribute("stillwatch.ja4", "t13d1516h2_8daaf6152771")
        with tracer.start_as_current_span("chat nova-2", kind=SpanKind.CLIENT) as span:
            span.set_attributes(CHAT)
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", "429")
    assert provider.force_flush()
    provider.shutdown()
    writers.store_pending()
    batch = Batch.objects.get()
    assert (batch.way_in, batch.received, batch.stored) == ("otlp", 2, 2)
    assert batch.unknown_fields == {"span of another operation": 1}
    good, failed = Event.objects.order_by("http_status")
    assert (good.http_status, failed.http_status) == (200, 429)
    assert (good.account.external_id, good.input_tokens) == ("acct-9f2", 812)
    assert (good.finish_reason, good.ja4) == ("stop", "t13d1516h2_8daaf6152771")
    assert good.event_id.count("-") == 1
    assert [row for row in ledger() if not row.adds_up] == []


# --- Both encodings -------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["application/json", PROTOBUF])
def test_a_span_becomes_a_request(export, media_type):
    trace = a_trace(
        a_chat(
            **{
                "gen_ai.conversation.id": "conv-77",
                "gen_ai.response.finish_reasons": ["tool_calls"],
                "gen_ai.request.max_tokens": 4096,
                "gen_ai.request.temperature": 0.5,
                "gen_ai.request.stream": True,
                "gen_ai.usage.cache_read.input_tokens": 700,
                "gen_ai.usage.reasoning.output_tokens": 90,
                "client.address": "198.51.100.7",
                "user_agent.original": "OpenAI/Python 1.52.0",
                "http.response.status_code": 200,
                "stillwatch.ja4": "t13d1516h2",
                "stillwatch.turn": 3,
                "stillwatch.prior_response_hashes": ["9d5ed678", "00aa"],
            }
        )
    )
    answer = export(trace, media_type)
    assert answer.status_code == 200
    assert answer["Content-Type"] == media_type
    assert answer.content in (b"{}", b"")
    event = stored()
    assert event.event_id == "5b8efff798038103d269b633813fc60c-0000000000000001"
    assert event.occurred_at == START
    assert event.account.external_id == "acct-9f2"
    told = {
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
        "finish_reason": "tool_use",
        "stream": True,
        "conversation_id": "conv-77",
        "turn": 3,
        "client_ip": "198.51.100.7",
        "user_agent": "OpenAI/Python 1.52.0",
        "ja4": "t13d1516h2",
        "prior_response_hashes": ["9d5ed678", "00aa"],
    }
    assert {name: getattr(event, name) for name in told} == told


def test_both_encodings_of_one_trace_are_one_event(export):
    export(a_trace(a_chat()))
    export(a_trace(a_chat()), PROTOBUF)
    writers.store_pending()
    first, second = Batch.objects.order_by("pk")
    assert (first.stored, second.duplicates, second.conflicts) == (1, 1, 0)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_traces_may_be_packed(export, pack):
    form = {gzip.compress: "gzip", zstd.compress: "zstd"}[pack]
    body = pack(as_protobuf(a_trace(a_chat())))
    assert export(body, PROTOBUF, Content_Encoding=form).status_code == 200
    assert stored().model == "nova-2"


# --- What is said ---------------------------------------------------------------

SAID = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "What is a tide?"},
    {"role": "assistant", "content": "Water, moved by the moon."},
    {"role": "user", "content": "Why twice a day?"},
]
ANSWER = "Because there are two bulges."
GENAI = [
    {"role": each["role"], "parts": [{"type": "text", "content": each["content"]}]}
    for each in SAID
]
OUT = [{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}]
INDEXED = {
    f"gen_ai.prompt.{number}.{name}": each[name]
    for number, each in enumerate(SAID)
    for name in each
} | {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": ANSWER}
FORMS: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "attributes as JSON text": (
        {
            "gen_ai.input.messages": json.dumps(GENAI[1:]),
            "gen_ai.system_instructions": json.dumps(GENAI[0]["parts"]),
            "gen_ai.output.messages": json.dumps(OUT),
        },
        [],
    ),
    "attributes as structures": (
        {"gen_ai.input.messages": GENAI, "gen_ai.output.messages": OUT},
        [],
    ),
    "an event of the operation": (
        {},
        [
            (
                "gen_ai.client.inference.operation.details",
                {"gen_ai.input.messages": GENAI, "gen_ai.output.messages": OUT},
            )
        ],
    ),
    "events with content": (
        {},
        [
            ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(SAID)}),
            ("gen_ai.content.completion", {"gen_ai.completion": ANSWER}),
        ],
    ),
    "one event a message": (
        {},
        [
            *(
                (f"gen_ai.{each['role']}.message", {"content": each["content"]})
                for each in SAID
            ),
            ("gen_ai.choice", {"index": 0, "message": json.dumps({"content": ANSWER})}),
        ],
    ),
    "numbered attributes": (INDEXED, []),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("media_type", ["application/json", PROTOBUF])
def test_the_conversation_is_found_in_each_form_that_is_in_use(
    export, form, media_type
):
    attributes, events = FORMS[form]
    export(a_trace(a_chat(events=events, **attributes)), media_type)
    event = stored()
    key = storing.fingerprint_key()
    assert (
        event.skeleton_hash
        == fingerprints.fingerprint(SAID[3]["content"], key).skeleton
    )
    assert event.system_hash == fingerprints.system_hash("You are terse.", key)
    assert event.response_hash == fingerprints.response_hash(ANSWER, key)
    assert event.prior_response_hashes == [
        fingerprints.response_hash(SAID[2]["content"], key)
    ]
    assert event.turn == 2


# --- What is left out, and what is refused ----------------------------------------


@pytest.mark.parametrize(
    "operation", ["invoke_agent", "execute_tool", "create_agent", "retrieval", None]
)
def test_spans_that_are_no_exchange_are_left_out_and_counted(export, operation):
    other = a_span(2, **({"gen_ai.operation.name": operation} if operation else {}))
    answer = export(a_trace(a_chat(), other))
    assert answer.json() == {}
    batch = Batch.objects.get()
    assert (batch.received, batch.unknown_fields) == (
        1,
        {"span of another operation": 1},
    )


def test_a_trace_without_any_exchange_is_no_error(export):
    assert export(a_trace(a_span())).status_code == 200
    assert export(b"", PROTOBUF).status_code == 200
    assert export({"resourceSpans": []}).json() == {}
    assert not Batch.objects.exists()


@pytest.mark.parametrize("media_type", ["application/json", PROTOBUF])
def test_a_span_without_an_account_is_rejected_with_a_reason_and_kept(
    export, media_type
):
    lost = a_chat(2, **{"enduser.id": None})
    answer = export(a_trace(a_chat(), a_span(9), lost), media_type)
    assert answer.status_code == 200
    if media_type == PROTOBUF:
        told = trace_service_pb2.ExportTraceServiceResponse.FromString(answer.content)
        rejected = told.partial_success.rejected_spans
        message = told.partial_success.error_message
    else:
        rejected = int(answer.json()["partialSuccess"]["rejectedSpans"])
        message = answer.json()["partialSuccess"]["errorMessage"]
    assert rejected == 1
    assert message.startswith("span 3: `account_id` is required")
    assert "enduser.id" in message
    line = QuarantinedLine.objects.get()
    assert (line.code, line.field, line.line) == ("missing_id", "account_id", 3)
    assert json.loads(bytes(line.raw))["event_id"].endswith("-0000000000000002")
    assert stored().event_id.endswith("-0000000000000001")


@pytest.mark.parametrize(
    ("attributes", "resource", "account"),
    [
        ({"stillwatch.account_id": "a", "user.id": "c"}, {}, "a"),
        ({"enduser.id": "b", "user.id": "c"}, {}, "b"),
        ({"user.id": "c"}, {"stillwatch.account_id": "tenant"}, "c"),
        ({}, {"stillwatch.account_id": "tenant"}, "tenant"),
        ({"user.id": 7}, {}, "7"),
    ],
)
def test_the_account_is_the_first_of_the_attributes_in_the_settings(
    export, attributes, resource, account
):
    export(a_trace(a_chat(**{"enduser.id": None, **attributes}), **resource))
    assert stored().account.external_id == account


def test_an_operator_names_other_attributes(export, settings):
    settings.INGEST_OTLP_ACCOUNT_ATTRIBUTES = ["acme.customer"]
    export(a_trace(a_chat(**{"acme.customer": "acme-1"})))
    assert stored().account.external_id == "acme-1"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"error.type": "429"}, 429),
        ({"error.type": "timeout"}, 500),
        ({"_status": 2}, 500),
        ({"error.type": "503", "http.response.status_code": 504}, 504),
        ({}, 200),
    ],
)
def test_a_failed_call_has_its_status_and_no_tokens(export, told, status):
    failed = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}
    export(a_trace(a_chat(**(failed if told else {}), **told)))
    event = stored()
    assert event.http_status == status
    assert event.input_tokens == (0 if told else 812)


def test_a_successful_call_without_usage_is_rejected(export):
    answer = export(a_trace(a_chat(**{"gen_ai.usage.input_tokens": None})))
    message = answer.json()["partialSuccess"]["errorMessage"]
    assert "`input_tokens` is required" in message


@pytest.mark.parametrize("address", ["gateway.example", "/var/run/app.sock", ""])
def test_a_client_address_that_is_none_is_left_out(export, address):
    export(a_trace(a_chat(**{"client.address": address})))
    assert stored().client_ip is None


def test_older_names_are_read_too(export):
    old = {
        **dict.fromkeys(CHAT),
        "gen_ai.system": "nova",
        "gen_ai.request.model": "nova-1",
        "llm.request.type": "completion",
        "gen_ai.usage.prompt_tokens": 5,
        "gen_ai.usage.completion_tokens": 6,
        "user.id": "acct-1",
    }
    export(a_trace(a_chat(**old)))
    event = stored()
    assert (event.input_tokens, event.output_tokens) == (5, 6)
    assert event.operation == "completion"


def test_unknown_own_attributes_are_counted_as_any_unknown_field(export):
    export(a_trace(a_chat(**{"stillwatch.colour": "red"})))
    assert Batch.objects.get().unknown_fields == {"colour": 1}


# --- Bad requests -----------------------------------------------------------------

BAD = [
    ("protobuf noise", b"\xff\xff\xff\xff", PROTOBUF, 400),
    ("protobuf cut", as_protobuf(a_trace(a_chat()))[:-5], PROTOBUF, 400),
    ("JSON noise", b"{", "application/json", 400),
    ("JSON of another shape", b'{"resourceSpans": 7}', "application/json", 400),
    ("JSON deep", b'{"resourceSpans":' + b"[" * 9999, "application/json", 400),
    ("JSON of a million values", b"[" + b"1," * 1_000_001, "application/json", 413),
    ("text", b"hello", "text/plain", 415),
]


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [case[1:] for case in BAD],
    ids=[c[0] for c in BAD],
)
def test_a_bad_body_gets_a_status_of_google_rpc(export, body, media_type, status):
    answer = export(body, media_type)
    assert answer.status_code == status
    if media_type == "application/json":
        assert answer.json()["code"] in {3, 8}
        assert answer.json()["message"]
    else:
        assert answer["Content-Type"] == PROTOBUF
        assert answer.content[:2] in {b"\x08\x03", b"\x08\x08"}
        assert b"is " in answer.content
    assert not Batch.objects.exists()


def test_a_wrong_key_is_told_in_the_encoding_of_the_request(db):
    answer = Client().post(
        URL, b"", content_type=PROTOBUF, headers={"Authorization": "Bearer sw_no"}
    )
    assert (answer.status_code, answer.content[:2]) == (401, b"\x08\x10")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_database_that_is_away_may_be_tried_again(export, monkeypatch):
    def no_database(*args, **options):
        raise OperationalError("gone")

    monkeypatch.setattr("ingest.doors.adapter_api.writers.accept", no_database)
    answer = export(a_trace(a_chat()))
    assert (answer.status_code, answer.json()["code"]) == (503, 14)
    assert 1 <= int(answer["Retry-After"]) <= 120


def test_a_span_that_is_damaged_or_too_long_loses_none_beside_it(export):
    long = a_chat(2, **{"gen_ai.input.messages": "x" * (2**20 + 1)})
    broken = {"traceId": 7}
    answer = export(a_trace(a_chat(), long, broken, a_chat(4))).json()
    assert answer["partialSuccess"]["rejectedSpans"] == "2"
    writers.store_pending()
    assert Event.objects.count() == 2
    codes = QuarantinedLine.objects.order_by("line").values_list("line", "code")
    assert list(codes) == [(2, "line_too_long"), (3, "missing_field")]
    answer = export(a_trace(a_chat(7), long), PROTOBUF)
    told = trace_service_pb2.ExportTraceServiceResponse.FromString(answer.content)
    assert told.partial_success.rejected_spans == 1


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.input.messages": "[" * 500},
        {"gen_ai.input.messages": '[{"role": ["user"], "content": {"a": 1}}]'},
        {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": [1]}]}]},
        {"gen_ai.input.messages": '[{"role":"user","content":"\\ud800"}]'},
        {"gen_ai.response.finish_reasons": "stop"},
        {"gen_ai.response.finish_reasons": [{"a": 1}]},
        {"gen_ai.prompt.99999999999.content": "x"},
        {"gen_ai.operation.name": ["chat"]},
        {"enduser.id": ["a"]},
        {"gen_ai.request.temperature": float("nan")},
        {"stillwatch.type": "account"},
        {"stillwatch.event_id": "own"},
    ],
)
def test_odd_attributes_never_end_in_an_error_of_ours(export, attributes):
    body = json.dumps(a_trace(a_chat(**attributes))).replace("NaN", '"NaN"')
    assert export(body.encode()).status_code == 200


# --- The page -----------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "contract" / "otlp.md").read_text()


def test_the_example_of_the_page_is_stored(export):
    (example,) = re.findall(r"```json otlp\n(.*?)```", PAGE, re.DOTALL)
    assert export(example.encode()).content == b"{}"
    assert stored().occurred_at == datetime(2026, 11, 18, 9, 30, 0, 123000, UTC)


def test_the_page_names_every_attribute_that_is_read(settings):
    read = {name for names in otlp.FIRST_OF.values() for name in names}
    read |= set(otlp.OPERATIONS) | set(settings.INGEST_OTLP_ACCOUNT_ATTRIBUTES)
    assert {name for name in read if f"`{name}`" not in PAGE} == set()
    told = set(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE, re.MULTILINE))
    fields = {field for cell in told for field in re.findall(r"`(\w+)`", cell)}
    known = schemas.FIELDS["request"] | set(otlp.OPERATIONS)
    assert set(otlp.FIRST_OF) <= fields <= known
