"""The doors for other people's formats: OTLP traces, LiteLLM's callback.

An adapter makes lines of the contract out of what came. From there on they are like
any others: the same inbox, verdicts, ledger and quarantine.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from rest_framework.request import Request

from ingest import fingerprints
from ingest.adapters import litellm, otlp, spans
from ingest.doors import api, api_schema, bodies
from ingest.doors.errors import EmptyBody, TooManyLines
from ingest.doors.hints import bell
from ingest.drain import storing, writers
from ingest.models import Batch

PROTOBUF: Final = "application/x-protobuf"
# A warning names no more spans than this; all of them are kept in quarantine.
MAX_TOLD: Final = 5
# HTTP status → google.rpc.Code. Every other refusal is INVALID_ARGUMENT.
_CODES: Final = {401: 16, 403: 7, 413: 8, 429: 8, 503: 14}
_INVALID_ARGUMENT: Final = 3

Lines = Callable[[bytes, str, Counter[str]], Iterator[bytes]]


def _take(
    request: HttpRequest, way_in: str, media_types: tuple[str, ...], read: Lines
) -> Batch:
    """The batch that was made of the body. Raises IngestRefused."""
    key = api.sender(request)
    origin = writers.Origin(key.source, key, way_in, bodies.idempotency_key(request))
    media_type, body = bodies.document_of(request, media_types)
    left_out = Counter[str]()
    lines = bodies.in_groups(read(body, media_type, left_out))
    batch = writers.accept(lines, origin, left_out=left_out)
    if batch.state == Batch.State.PENDING:
        bell.ring(batch.pk)
    return batch


def _hash_answer(text: str) -> str:
    return fingerprints.response_hash(text, storing.fingerprint_key())


# --- OTLP ---------------------------------------------------------------------


class Traces(api.Door):
    """OTLP/HTTP, as https://opentelemetry.io/docs/specs/otlp/#otlphttp has it."""

    http_method_names = ["post"]

    @extend_schema(**api_schema.TRACES)
    def post(self, request: Request) -> HttpResponse:
        """Take spans that carry the GenAI conventions; others are left out."""
        http = request._request
        try:
            batch = _take(http, "otlp", (PROTOBUF, bodies.JSON), _of_spans)
        except EmptyBody:
            return _exported(http, 0, "")
        return _exported(http, batch.rejected, _warning(batch))

    def handle_exception(  # type: ignore[override]  # any response will do
        self, exc: Exception
    ) -> HttpResponse:
        refused = super().handle_exception(exc)
        return _as_status(self.request._request, refused)


def _of_spans(body: bytes, media_type: str, left_out: Counter[str]) -> Iterator[bytes]:
    reader = otlp.Reader(settings.INGEST_OTLP_ACCOUNT_ATTRIBUTES, _hash_answer)
    if media_type == PROTOBUF:
        found = spans.of_protobuf(body, max_span=settings.INGEST_MAX_LINE_BYTES)
    elif not body.strip():
        raise EmptyBody
    else:
        found = spans.of_json(body, max_span=settings.INGEST_MAX_LINE_BYTES)
    return reader.lines(found, left_out)


def _warning(batch: Batch) -> str:
    """Which spans were not taken, and what to change, for the exporter's log."""
    errors = batch.answer["errors"][:MAX_TOLD]
    told = [f"span {each['line']}: {each['message']}" for each in errors]
    if any(each["field"] == "account_id" for each in errors):
        names = ", ".join(settings.INGEST_OTLP_ACCOUNT_ATTRIBUTES)
        told.append(f"The account is read from the first of {names}.")
    return " ".join(told)


def _exported(request: HttpRequest, rejected: int, warning: str) -> HttpResponse:
    """ExportTraceServiceResponse, in the encoding of the request."""
    if _in_json(request):
        partial = {"rejectedSpans": str(rejected), "errorMessage": warning}
        return JsonResponse({"partialSuccess": partial} if rejected else {})
    answer = trace_service_pb2.ExportTraceServiceResponse()
    if rejected:
        answer.partial_success.rejected_spans = rejected
        answer.partial_success.error_message = warning
    return HttpResponse(answer.SerializeToString(), content_type=PROTOBUF)


def _as_status(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """A refusal as google.rpc.Status, with its status and headers (Retry-After)."""
    code = _CODES.get(refused.status_code, _INVALID_ARGUMENT)
    problem = json.loads(refused.content)
    message = f"{problem['detail']} {problem.get('hint', '')}".strip()
    in_json = _in_json(request)
    refused["Content-Type"] = bodies.JSON if in_json else PROTOBUF
    refused.content = _status_json(code, message) if in_json else _status(code, message)
    return refused


def _status_json(code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message}).encode()


def _status(code: int, message: str) -> bytes:
    """google.rpc.Status{code = 1, message = 2}, without a package for two fields."""
    text = message.encode()
    size, length = len(text), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes([0x08, code, 0x12, *length]) + text


def _in_json(request: HttpRequest) -> bool:
    told = request.headers.get("Content-Type", "")
    return told.partition(";")[0].strip().lower() == bodies.JSON


# --- LiteLLM ------------------------------------------------------------------


class LiteLLM(api.Door):
    http_method_names = ["post"]

    @extend_schema(**api_schema.LITELLM)
    def post(self, request: Request) -> HttpResponse:
        """Take what LiteLLM's `generic_api` callback sends."""
        forms = (bodies.JSON, bodies.NDJSON)
        batch = _take(request._request, "litellm", forms, _of_payloads)
        return JsonResponse(batch.answer, status=HTTPStatus.ACCEPTED)


def _of_payloads(
    body: bytes, media_type: str, left_out: Counter[str]
) -> Iterator[bytes]:
    """Told apart by the first character: LiteLLM calls all its forms JSON."""
    reader = litellm.Reader(settings.INGEST_LITELLM_ACCOUNT_MEMBERS, _hash_answer)
    if body.lstrip()[:1] == b"[":
        return reader.lines(bodies.array_elements(body), left_out)
    if body.count(b",") > bodies.MAX_VALUES:
        raise TooManyLines(f"The body holds more than {bodies.MAX_VALUES:,} values.")
    return reader.lines(body.splitlines(), left_out)
