"""An OTLP/HTTP trace request, protobuf or JSON → its spans, one at a time. Pure.

The request is walked rather than parsed as a whole: a span is at most one line long,
so that memory stays flat whatever the body claims, and a span that cannot be read is
no reason to lose the ones beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.doors.errors import TooManyLines, Unreadable

# Values in one JSON body; each costs memory, however short it is written.
MAX_VALUES: Final = 1_000_000
_ERROR: Final = 2
_NOTHING: Final = (b"\x00", b"")

Attributes = dict[str, object]


@dataclass(slots=True)
class Span:
    """One span; times in nanoseconds since 1970, ids in hexadecimal, "" where absent.

    `shared` are the attributes of the resource that made it.
    """

    trace_id: str
    span_id: str
    kind: int
    start: int
    end: int
    failed: bool
    attributes: Attributes
    shared: Attributes
    events: list[tuple[str, Attributes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unread:
    """A span that is damaged or longer than a line may be: its bytes."""

    raw: bytes


# --- Protobuf -----------------------------------------------------------------


def of_protobuf(body: bytes, *, max_span: int) -> Iterator[Span | Unread]:
    """The spans of an ExportTraceServiceRequest. Raises Unreadable."""
    try:
        for resource_spans in _messages(memoryview(body), 1):
            shared = _shared(resource_spans, max_span)
            for scope_spans in _messages(resource_spans, 2):
                for raw in _messages(scope_spans, 2):
                    yield _of_bytes(raw, shared, max_span)
    except (DecodeError, IndexError):
        raise Unreadable(
            "not_protobuf", "The body is no ExportTraceServiceRequest.", ""
        ) from None


def _messages(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """The length-delimited fields of one number; the others are passed over."""
    at, size = 0, len(message)
    while at < size:
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(message, at)
            continue
        length = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            length, at = _varint(message, at)
        if length is None or at + length > size:
            raise DecodeError
        if kind == 2 and tag >> 3 == wanted:
            yield message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Raises IndexError where the message ends within the number."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise DecodeError


def _shared(resource_spans: memoryview, max_size: int) -> Attributes:
    shared: Attributes = {}
    for raw in _messages(resource_spans, 1):
        if len(raw) > max_size:
            raise DecodeError
        shared |= _attributes(resource_pb2.Resource.FromString(bytes(raw)).attributes)
    return shared


def _of_bytes(raw: memoryview, shared: Attributes, max_span: int) -> Span | Unread:
    if len(raw) > max_span:
        return Unread(bytes(raw[: max_span + 1]))
    told = trace_pb2.Span.FromString(bytes(raw))
    return Span(
        trace_id=told.trace_id.hex(),
        span_id=told.span_id.hex(),
        kind=told.kind,
        start=told.start_time_unix_nano,
        end=told.end_time_unix_nano,
        failed=told.status.code == _ERROR,
        attributes=_attributes(told.attributes),
        shared=shared,
        events=[(each.name, _attributes(each.attributes)) for each in told.events],
    )


def _attributes(pairs: Any) -> Attributes:  # noqa: ANN401  # protobuf's own container
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: common_pb2.AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind is None or kind == "bytes_value":
        return None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    told: object = getattr(value, kind)
    return told


# --- JSON ---------------------------------------------------------------------


class _Value(msgspec.Struct, rename="camel"):
    """proto3's JSON mapping: 64-bit integers may be text, so may NaN."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: "_Values | None" = None
    kvlist_value: "_Pairs | None" = None


class _Values(msgspec.Struct):
    values: list[_Value] | None = None


class _Pair(msgspec.Struct):
    key: str = ""
    value: _Value | None = None


class _Pairs(msgspec.Struct):
    values: list[_Pair] | None = None


class _Event(msgspec.Struct):
    name: str = ""
    attributes: list[_Pair] | None = None


class _Status(msgspec.Struct):
    code: int | None = None


class _Span(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    kind: int | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: list[_Pair] | None = None
    events: list[_Event] | None = None
    status: _Status | None = None


class _Resource(msgspec.Struct):
    attributes: list[_Pair] | None = None


class _ScopeSpans(msgspec.Struct):
    spans: list[msgspec.Raw] | None = None


class _ResourceSpans(msgspec.Struct, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(msgspec.Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] | None = None


_REQUEST: Final = msgspec.json.Decoder(_Request)
_SPAN: Final = msgspec.json.Decoder(_Span)


def of_json(body: bytes, *, max_span: int) -> Iterator[Span | Unread]:
    """The spans of a request in OTLP's JSON encoding. Raises Unreadable."""
    if body.count(b",") > MAX_VALUES:
        raise TooManyLines(f"The body holds more than {MAX_VALUES:,} values.")
    try:
        request = _REQUEST.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            "not_json", f"The body is no OTLP trace request in JSON: {error}.", ""
        ) from None
    for resource_spans in request.resource_spans or ():
        resource = resource_spans.resource
        shared = _pairs(resource.attributes) if resource is not None else {}
        for scope_spans in resource_spans.scope_spans or ():
            for raw in scope_spans.spans or ():
                yield _of_json(bytes(raw), shared, max_span)


def _of_json(raw: bytes, shared: Attributes, max_span: int) -> Span | Unread:
    if len(raw) > max_span:
        return Unread(raw[: max_span + 1])
    try:
        told = _SPAN.decode(raw)
        return Span(
            trace_id=told.trace_id.lower(),
            span_id=told.span_id.lower(),
            kind=told.kind or 0,
            start=int(told.start_time_unix_nano or 0),
            end=int(told.end_time_unix_nano or 0),
            failed=told.status is not None and told.status.code == _ERROR,
            attributes=_pairs(told.attributes),
            shared=shared,
            events=[(each.name, _pairs(each.attributes)) for each in told.events or ()],
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Unread(raw)


def _pairs(pairs: list[_Pair] | None) -> Attributes:
    return {pair.key: _json_value(pair.value) for pair in pairs or ()}


def _json_value(value: _Value | None) -> object:
    if value is None:
        return None
    if value.int_value is not None:
        return _number(value.int_value)
    if value.double_value is not None:
        return _number(value.double_value)
    if value.array_value is not None:
        return [_json_value(each) for each in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return _pairs(value.kvlist_value.values)
    return value.string_value if value.string_value is not None else value.bool_value


def _number(told: float | str) -> object:
    """What is no number stays text: the record's verdict will say so."""
    if not isinstance(told, str):
        return told
    try:
        return int(told)
    except ValueError:
        pass
    try:
        return float(told)
    except ValueError:
        return told


def parsed(told: object) -> object:
    """Structured content that came as JSON text, as attributes of spans do."""
    if not isinstance(told, str) or not told.lstrip().startswith(("[", "{")):
        return told
    try:
        return msgspec.json.decode(told)
    except (ValueError, RecursionError):
        return told
