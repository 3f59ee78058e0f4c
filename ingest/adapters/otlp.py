"""Spans with the OpenTelemetry GenAI conventions → `request` records. Pure.

Follows semantic conventions 1.37 and later (https://opentelemetry.io/docs/specs/
semconv/gen-ai/), and the older names that instrumentations still send. Whatever a
span does not tell stays absent: the line's verdict says so, as for any other line.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

import msgspec

from ingest.adapters import messages
from ingest.adapters.messages import Fields, HashAnswer
from ingest.adapters.spans import Attributes, Span, Unread, parsed

OPERATION: Final = "gen_ai.operation.name"
OWN: Final = "stillwatch."
# gen_ai.operation.name → the contract's `operation`. Every other operation (agents,
# tools, retrieval) wraps calls that have spans of their own: it is left out.
OPERATIONS: Final = {
    "chat": "chat",
    "generate_content": "chat",
    "text_completion": "completion",
    "completion": "completion",
    "embeddings": "embeddings",
    "embedding": "embeddings",
}
# Field of the contract ← the first of these attributes that the span has.
FIRST_OF: Final[dict[str, tuple[str, ...]]] = {
    "model": ("gen_ai.request.model", "gen_ai.response.model"),
    "conversation_id": ("gen_ai.conversation.id", "session.id"),
    "user_agent": ("user_agent.original", "http.user_agent"),
    "client_ip": ("client.address", "http.client_ip"),
    "stream": ("gen_ai.request.stream", "llm.is_streaming"),
    "max_tokens": ("gen_ai.request.max_tokens",),
    "temperature": ("gen_ai.request.temperature",),
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cached_input_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
    ),
    "http_status": ("http.response.status_code", "http.status_code"),
}
# Always a request, and the settings say where its account stands.
_NOT_OWN: Final = frozenset({f"{OWN}type", f"{OWN}account_id"})
_KEPT_OUT: Final = "span of another operation"
_BREAKS_TO_SPACES: Final = bytes.maketrans(b"\r\n", b"  ")
_ENCODER: Final = msgspec.json.Encoder()
_MESSAGES: Final = ("gen_ai.input.messages", "gen_ai.prompt")
_ANSWERS: Final = ("gen_ai.output.messages", "gen_ai.completion")
_SYSTEM: Final = "gen_ai.system_instructions"


@dataclass(frozen=True, slots=True)
class Reader:
    """What the mapping needs to be told: where account ids are, how answers hash."""

    account_attributes: Sequence[str]
    hash_answer: HashAnswer

    def lines(
        self, spans: Iterable[Span | Unread], left_out: Counter[str]
    ) -> Iterator[bytes]:
        """One line a span: its record; its bytes where it was unreadable; or nothing.

        `left_out` counts the spans that are no exchange with a model. Their lines are
        blank, so that a line's number is the number of its span.
        """
        for span in spans:
            if isinstance(span, Unread):
                yield span.raw.translate(_BREAKS_TO_SPACES) + b"\n"
            elif (operation := operation_of(span.attributes)) is None:
                left_out[_KEPT_OUT] += 1
                yield b"\n"
            else:
                yield _ENCODER.encode(self.record(span, operation)) + b"\n"

    def record(self, span: Span, operation: str) -> Fields:
        """The contract's `request`; a field that the span does not tell is absent."""
        told = span.attributes
        fields: Fields = {"type": "request", "operation": operation}
        fields |= _identity(span)
        fields |= {name: found for name in FIRST_OF if (found := _first(told, name))}
        fields |= _usage(span, operation)
        fields |= _outcome(span)
        fields |= self._texts(span)
        fields |= _client(told)
        if (account := self._account(span)) is not None:
            fields["account_id"] = account
        fields |= _own(span.shared) | _own(told)
        return {name: value for name, value in fields.items() if value is not None}

    def _account(self, span: Span) -> str | None:
        for attributes in (span.attributes, span.shared):
            for name in self.account_attributes:
                told = attributes.get(name)
                if told is not None and told != "":
                    return str(told)
        return None

    def _texts(self, span: Span) -> Fields:
        asked, answered = _conversation(span)
        fields = messages.of_request(asked, self.hash_answer)
        system = parsed(span.attributes.get(_SYSTEM))
        if said := messages.text_of(system):
            fields["system_prompt"] = messages.cut(said)
        if isinstance(answered, list):
            answered = "\n".join(filter(None, map(messages.text_of, answered)))
        if isinstance(answered, str) and answered:
            fields["response"] = messages.cut(answered)
        tools = parsed(span.attributes.get("gen_ai.tool.definitions"))
        if isinstance(tools, list):
            fields["tool_count"] = len(tools)
        return fields


def operation_of(told: Attributes) -> str | None:
    """The contract's word, or None where the span is no exchange with a model."""
    name = told.get(OPERATION) or told.get("llm.request.type")
    if isinstance(name, str):
        return OPERATIONS.get(name)
    return "chat" if _first(told, "model") else None


def _first(told: Attributes, field: str) -> object:
    for name in FIRST_OF[field]:
        value = told.get(name)
        if value is not None and value != "":
            return value
    return None


def _identity(span: Span) -> Fields:
    fields: Fields = {}
    if span.trace_id.strip("0") and span.span_id.strip("0"):
        fields["event_id"] = f"{span.trace_id}-{span.span_id}"
    if 0 < span.start < 2**63:
        at = datetime.fromtimestamp(span.start // 10**9, UTC)
        at = at.replace(microsecond=span.start % 10**9 // 1000)
        fields["occurred_at"] = at.isoformat()
    if span.end >= span.start > 0:
        fields["latency_ms"] = (span.end - span.start) // 10**6
    return fields


def _usage(span: Span, operation: str) -> Fields:
    """Counts of tokens; a call that failed, or made no text, used none untold."""
    fields: Fields = {}
    for name in (
        "input_tokens",
        "output_tokens",
        "cached_input_tokens",
        "reasoning_tokens",
    ):
        fields[name] = _first(span.attributes, name)
    failed = span.failed or "error.type" in span.attributes
    if fields["input_tokens"] is None and failed:
        fields["input_tokens"] = 0
    if fields["output_tokens"] is None and (failed or operation == "embeddings"):
        fields["output_tokens"] = 0
    return fields


def _outcome(span: Span) -> Fields:
    told = span.attributes
    reasons = told.get("gen_ai.response.finish_reasons")
    reason = reasons[0] if isinstance(reasons, list) and reasons else reasons
    status = _first(told, "http_status")
    error = told.get("error.type")
    if status is None and (error is not None or span.failed):
        numeric = isinstance(error, str) and error.isascii() and error.isdigit()
        status = int(str(error)) if numeric and len(str(error)) == 3 else 500
    return {"finish_reason": messages.finish(reason), "http_status": status}


def _client(told: Attributes) -> Fields:
    """`client.address` may be a host name or a socket, which no address is."""
    address = _first(told, "client_ip")
    try:
        return {"client_ip": str(ip_address(str(address)))}
    except ValueError:
        return {"client_ip": None}


def _own(told: Attributes) -> Fields:
    """`stillwatch.ja4` and the like: any field of the contract, by its own name."""
    return {
        name.removeprefix(OWN): value
        for name, value in told.items()
        if name.startswith(OWN) and name not in _NOT_OWN
    }


# --- Where instrumentations put the conversation --------------------------------


def _conversation(span: Span) -> tuple[object, object]:
    """(what was asked, what was answered): messages, a text, or nothing."""
    places = [span.attributes, *(told for _, told in span.events)]
    asked = _content(places, _MESSAGES)
    answered = _content(places, _ANSWERS)
    if asked is None:
        asked = _indexed(span.attributes, "gen_ai.prompt.") or _said(span)
    if answered is None:
        answered = _indexed(span.attributes, "gen_ai.completion.") or _choices(span)
    return asked, answered


def _content(places: Sequence[Attributes], names: Sequence[str]) -> object:
    for told in places:
        for name in names:
            if told.get(name) is not None:
                return parsed(told[name])
    return None


def _indexed(told: Attributes, prefix: str) -> list[object]:
    """`gen_ai.prompt.0.role`, `gen_ai.prompt.0.content`, …: one message a number."""
    found: dict[int, dict[str, object]] = {}
    for name, value in told.items():
        number, _, member = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and number.isascii() and number.isdigit():
            found.setdefault(int(number[:9]), {})[member] = parsed(value)
    return [found[number] for number in sorted(found)]


def _said(span: Span) -> list[object]:
    """Messages as events: `gen_ai.user.message` with its content."""
    return [
        {"role": name.split(".")[1], "content": parsed(told.get("content"))}
        for name, told in span.events
        if name.startswith("gen_ai.") and name.endswith(".message")
    ]


def _choices(span: Span) -> list[object]:
    return [
        parsed(told.get("message", told.get("content")))
        for name, told in span.events
        if name == "gen_ai.choice"
    ]
