"""What the OpenAPI document says of the telemetry doors; schemas come from msgspec."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from ingest import contract

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
    _403="The key lacks the scope `ingest:write`.",
    _503="The database does not answer; come again after Retry-After.",
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
        OpenApiParameter(
            "Content-Encoding", str, OpenApiParameter.HEADER, enum=["identity", "gzip"]
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
            _413="The body, unpacked or not, or its lines are beyond the limit.",
            _415="Another Content-Type or Content-Encoding is needed.",
            _422="The Idempotency-Key was used with another body.",
        ),
        **_KEY_REFUSALS,
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
