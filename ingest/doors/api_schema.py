"""What the OpenAPI document says of the telemetry doors; schemas come from msgspec."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from ingest.records import contract

_COUNT: Final = {"type": "integer", "minimum": 0}
_ERROR: Final = {
    "type": "object",
    "required": ["line", "field", "code", "message"],
    "properties": {
        "line": {"type": "integer", "minimum": 1},
        "field": {"type": ["string", "null"]},
        "code": {"type": "string"},
        "message": {"type": "string"},
    },
}
_ANSWER: Final = {
    "type": "object",
    "required": [
        "batch_id",
        "received",
        "accepted",
        "duplicates",
        "rejected",
        "errors",
    ],
    "properties": {
        "batch_id": {"type": "string", "format": "uuid"},
        "received": _COUNT,
        "accepted": _COUNT,
        "duplicates": {"type": ["integer", "null"], "minimum": 0},
        "rejected": _COUNT,
        "errors": {"type": "array", "items": _ERROR},
    },
}
_REPORT: Final = {
    "type": "object",
    "properties": {
        **_ANSWER["properties"],  # type: ignore[dict-item]
        "state": {"type": "string", "enum": ["pending", "stored", "parked"]},
        "received_at": {"type": "string", "format": "date-time"},
        "stored_at": {"type": ["string", "null"], "format": "date-time"},
        "stored": _COUNT,
        "conflicts": _COUNT,
        "quarantined": _COUNT,
        "refused": _COUNT,
        "clock_ahead": _COUNT,
        "unknown_fields": {"type": "object", "additionalProperties": _COUNT},
    },
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string"},
        "where": {"type": "string"},
        "supported": {"type": "array", "items": {"type": "string"}},
    },
}
_SECURITY: Final[list[dict[str, list[str]]]] = [{"ingestKey": []}]


def _refusals(**told: str) -> dict[tuple[int, str], Any]:
    return {
        (int(status[1:]), "application/problem+json"): OpenApiResponse(
            _PROBLEM, description=sentence
        )
        for status, sentence in told.items()
    }


_KEY_REFUSALS: Final = _refusals(
    _401="No key, or one that is not in force.",
    _403="The key lacks the scope `ingest:write`, may not be used from this address, "
    "or belongs to another source than X-Stillwatch-Source says.",
    _503="The database does not answer; come again after Retry-After.",
)
_CONTENT_ENCODING: Final = OpenApiParameter(
    "Content-Encoding",
    str,
    OpenApiParameter.HEADER,
    enum=["identity", "gzip", "zstd"],
)
TELEMETRY: Final[dict[str, Any]] = {
    "operation_id": "send_telemetry",
    "tags": ["telemetry"],
    "auth": _SECURITY,
    "parameters": [
        OpenApiParameter(
            "Idempotency-Key",
            str,
            OpenApiParameter.HEADER,
            description="The same key and body get the first answer again.",
        ),
        _CONTENT_ENCODING,
        OpenApiParameter(
            "X-Stillwatch-Contract",
            str,
            OpenApiParameter.HEADER,
            description="The version of the contract that the sender follows. One that "
            "is not understood is refused with 400 `unsupported_version`.",
        ),
        OpenApiParameter(
            "X-Stillwatch-Source",
            str,
            OpenApiParameter.HEADER,
            description="Whose telemetry the sender means it to be. Refused where the "
            "key belongs to another source.",
        ),
    ],
    "request": {
        "application/x-ndjson": contract.record_schema(),
        "application/json": {"type": "array", "items": contract.record_schema()},
    },
    "responses": {
        202: OpenApiResponse(
            _ANSWER, description="Committed. One bad line loses none beside it."
        ),
        **_refusals(
            _400="Nothing in the body could be read.",
            _408="The body came too slowly; the connection is closed.",
            _411="Plain lines in chunks broke off, or came with an Idempotency-Key.",
            _413="The body, unpacked or not, or its lines are beyond the limit.",
            _415="Another Content-Type or Content-Encoding is needed.",
            _422="The Idempotency-Key was used with another body.",
            _429="More than the key may send just now; nothing was kept. Come again "
            "after Retry-After (1 to 120 seconds).",
        ),
        **_KEY_REFUSALS,
    },
}
_EXPORTED: Final = {
    "type": "object",
    "properties": {
        "partialSuccess": {
            "type": "object",
            "properties": {
                "rejectedSpans": {"type": "string"},
                "errorMessage": {"type": "string"},
            },
        }
    },
}
_STATUS: Final = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
}
_PROTOBUF: Final = {"type": "string", "format": "binary"}
_ENCODED: Final = ("application/x-protobuf", "application/json")


def _in_both(status: int, schema: dict[str, Any], sentence: str) -> dict[Any, Any]:
    """The same answer in OTLP's two encodings: that of the request."""
    return {
        (status, media_type): OpenApiResponse(
            _PROTOBUF if media_type == _ENCODED[0] else schema, description=sentence
        )
        for media_type in _ENCODED
    }


TRACES: Final[dict[str, Any]] = {
    "operation_id": "send_traces",
    "tags": ["telemetry"],
    "auth": _SECURITY,
    "parameters": [_CONTENT_ENCODING],
    "request": {
        "application/x-protobuf": _PROTOBUF,
        "application/json": {
            "type": "object",
            "description": "ExportTraceServiceRequest in OTLP's JSON encoding",
            "properties": {
                "resourceSpans": {"type": "array", "items": {"type": "object"}}
            },
        },
    },
    "responses": {
        **_in_both(200, _EXPORTED, "Committed; rejected spans are told and kept."),
        **_in_both(400, _STATUS, "The body could not be read (google.rpc.Status)."),
        **_in_both(401, _STATUS, "No key, or one that is not in force."),
        **_in_both(403, _STATUS, "The key lacks the scope `ingest:write`."),
        **_in_both(408, _STATUS, "The body came too slowly; the connection is closed."),
        **_in_both(413, _STATUS, "The body, unpacked or not, is beyond the limit."),
        **_in_both(415, _STATUS, "Another Content-Type or Content-Encoding."),
        **_in_both(422, _STATUS, "The Idempotency-Key came with another body."),
        **_in_both(429, _STATUS, "Beyond the key's quota; see Retry-After."),
        **_in_both(503, _STATUS, "Nothing was kept; see Retry-After."),
    },
}
_PAYLOAD: Final = {
    "type": "object",
    "description": "LiteLLM's StandardLoggingPayload",
    "required": ["id", "startTime", "model", "prompt_tokens", "completion_tokens"],
    "properties": {
        "id": {"type": "string"},
        "call_type": {"type": "string"},
        "status": {"type": "string", "enum": ["success", "failure"]},
        "startTime": {"type": "number", "description": "seconds since 1970"},
        "endTime": {"type": "number"},
        "model": {"type": "string"},
        "prompt_tokens": _COUNT,
        "completion_tokens": _COUNT,
        "end_user": {"type": ["string", "null"]},
        "metadata": {"type": "object"},
    },
}
LITELLM: Final[dict[str, Any]] = {
    **TELEMETRY,
    "operation_id": "send_litellm_log",
    "request": {
        "application/json": {"oneOf": [{"type": "array", "items": _PAYLOAD}, _PAYLOAD]},
        "application/x-ndjson": _PAYLOAD,
    },
}
BATCH: Final[dict[str, Any]] = {
    "operation_id": "read_batch",
    "tags": ["telemetry"],
    "auth": _SECURITY,
    "responses": {
        200: OpenApiResponse(_REPORT),
        **_refusals(_404="No such batch of this key's source."),
        **_KEY_REFUSALS,
    },
}
