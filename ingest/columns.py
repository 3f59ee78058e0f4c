"""A record of the contract → the row that is stored. Pure.

Rows leave as text that COPY reads: one JSON array a line is almost the CSV dialect
that PostgreSQL can be told to expect, and msgspec writes it in C.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from ingest import fingerprints, normalise
from ingest.fingerprints import INTENT_BITS, Fingerprint
from ingest.schemas import LONG_TEXT_BYTES, LONG_TEXTS, TEXTS, Activity, Event, Request

EVENT_COLUMNS: Final = (
    "source_id",
    "event_id",
    "batch_id",
    "kind",
    "occurred_at",
    "received_at",
    "account_id",
    "client_ip",
    "asn",
    "country",
    "user_agent",
    "ja4",
    "device_id",
    "client_stack",
    "payment_fingerprint",
    "cut_fields",
    "skewed",
    "api_key_id",
    "model",
    "operation",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "max_tokens",
    "temperature",
    "latency_ms",
    "http_status",
    "finish_reason",
    "stream",
    "tool_count",
    "image_count",
    "conversation_id",
    "turn",
    "skeleton_hash",
    "slot_hash",
    "intents",
    "system_hash",
    "tools_hash",
    "response_hash",
    "prior_response_hashes",
)
# Text in these is quoted as JSON does it, nulls and numbers are bare.
COPY_FORMAT: Final = "(FORMAT csv, QUOTE '\"', ESCAPE '\\', NULL 'null')"

_ENCODER = msgspec.json.Encoder()
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What a row takes from its batch and not from the record.

    An event of after `flagged_from` is flagged: its sender's clock runs ahead.
    """

    source_id: int
    batch_id: int
    received_at: datetime
    flagged_from: datetime


@dataclass(frozen=True, slots=True)
class Hashes:
    """The keyed hashes of one request's texts."""

    prompt: Fingerprint | None
    system: str | None
    response: str | None


def hashes_of(request: Request, key: bytes) -> Hashes:
    """Texts are fingerprinted; what a gateway has hashed itself is taken over."""
    prompt = None
    if request.prompt:
        prompt = fingerprints.fingerprint(request.prompt, key)
    elif request.prompt_fingerprint:
        prompt = fingerprints.parse(request.prompt_fingerprint)
    system, response = request.system_hash or None, request.response_hash or None
    if request.system_prompt:
        system = fingerprints.system_hash(request.system_prompt, key)
    if request.response:
        response = fingerprints.response_hash(request.response, key)
    return Hashes(prompt, system, response)


def event_row(
    event: Event, place: Place, account_id: int, hashes: Hashes | None
) -> Row:
    """The row's values in the order of EVENT_COLUMNS."""
    common = _common(event, place, account_id)
    if isinstance(event, Activity) or hashes is None:
        return common + _NOTHING
    return common + _exchange(event, hashes)


def _common(event: Event, place: Place, account_id: int) -> Row:
    agent, ja4 = event.user_agent or None, event.ja4 or None
    return (
        place.source_id,
        event.event_id,
        place.batch_id,
        event.kind if isinstance(event, Activity) else "request",
        event.occurred_at,
        place.received_at,
        account_id,
        normalise.address(event.client_ip) if event.client_ip else None,
        event.asn,
        normalise.country(event.country) if event.country else None,
        agent[: TEXTS["user_agent"]] if agent else None,
        ja4,
        event.device_id or None,
        _stack(ja4, agent),
        (event.payment_fingerprint or None) if isinstance(event, Activity) else None,
        _array(cut_fields(event)) if _may_be_cut(event) else None,
        event.occurred_at > place.flagged_from,
    )


@lru_cache(maxsize=16_384)
def _stack(ja4: str | None, agent: str | None) -> str | None:
    stack = normalise.client_stack(ja4, agent)
    return stack[:512] if stack else None


def _exchange(request: Request, hashes: Hashes) -> Row:
    prompt = hashes.prompt
    return (
        request.api_key_id or None,
        request.model,
        request.operation or "chat",
        request.input_tokens,
        request.output_tokens,
        request.cached_input_tokens,
        request.reasoning_tokens,
        request.max_tokens,
        request.temperature,
        request.latency_ms,
        200 if request.http_status is None else request.http_status,
        request.finish_reason or None,
        request.stream,
        request.tool_count,
        request.image_count,
        request.conversation_id or None,
        request.turn,
        prompt.skeleton if prompt else None,
        prompt.slots if prompt else None,
        _intents(request, prompt),
        hashes.system,
        request.tools_hash or None,
        hashes.response,
        _array(tuple(request.prior_response_hashes or ())),
    )


_NOTHING: Final = (None,) * (len(EVENT_COLUMNS) - 17)


def _intents(request: Request, prompt: Fingerprint | None) -> int | None:
    """What the words say, and what the request carried besides."""
    bits = prompt.intents if prompt else 0
    if request.tool_count:
        bits |= INTENT_BITS["tool_use"]
    if request.image_count:
        bits |= INTENT_BITS["vision"]
    return bits if bits or prompt else None


def _may_be_cut(event: Event) -> bool:
    """Whether any text is long enough to look closer; nearly always no."""
    texts = [event.user_agent]
    if isinstance(event, Request):
        texts += (event.prompt, event.system_prompt, event.response)
    return any(text and len(text) > TEXTS["user_agent"] for text in texts)


def cut_fields(record: msgspec.Struct) -> tuple[str, ...]:
    """The fields whose text is longer than what is kept of it."""
    cut = [
        name
        for name, limit in TEXTS.items()
        if len(getattr(record, name, None) or "") > limit
    ]
    for name in LONG_TEXTS:
        text: str = getattr(record, name, None) or ""
        # Only a text of a quarter of the limit or more can exceed it in bytes.
        long = len(text) * 4 > LONG_TEXT_BYTES
        if long and len(text.encode()) > LONG_TEXT_BYTES:
            cut.append(name)
    return tuple(cut)


@lru_cache(maxsize=1024)
def _array(texts: tuple[str, ...]) -> str | None:
    """A PostgreSQL array in text form; None for an empty one."""
    if not texts:
        return None
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def copy_text(rows: list[Row]) -> bytes:
    """Rows as COPY_FORMAT reads them."""
    lines = _ENCODER.encode_lines(rows)
    if b"\\" not in lines:
        # `]`, line break, `[` can stand only between rows: JSON escapes line breaks.
        return lines[1:-2].replace(b"]\n[", b"\n") + b"\n" if rows else b""
    return b"".join(map(_row_text, rows))


def _row_text(row: Row) -> bytes:
    """One row where some text holds a quotation mark, backslash or control."""
    line = _ENCODER.encode(row)
    if b"\\" not in line:
        return line[1:-1] + b"\n"
    return ",".join(map(_value_text, row)).encode() + b"\n"


def _value_text(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _ENCODER.encode(value).decode()


def in_utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)
