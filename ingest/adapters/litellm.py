"""What LiteLLM's `generic_api` callback sends → `request` records. Pure.

Its standard logging payload (`litellm/types/utils.py`, StandardLoggingPayload) comes
as a JSON array, as lines, or alone, always called application/json.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from ingest.adapters import messages
from ingest.adapters.messages import Fields, HashAnswer

# LiteLLM's `call_type`, without the "a" of its asynchronous twin → `operation`. Others
# (files, images, speech, polling a batch) are no exchanges of text: left out.
OPERATIONS: Final = {
    "completion": "chat",
    "anthropic_messages": "chat",
    "responses": "chat",
    "generate_content": "chat",
    "generate_content_stream": "chat",
    "text_completion": "completion",
    "embedding": "embeddings",
}
# Field of the contract ← the first of these members that the payload has.
FIRST_OF: Final[dict[str, tuple[str, ...]]] = {
    "model": ("model_group", "model"),
    "api_key_id": ("metadata.user_api_key_hash",),
    "input_tokens": ("prompt_tokens",),
    "output_tokens": ("completion_tokens",),
    "cached_input_tokens": (
        "metadata.usage_object.prompt_tokens_details.cached_tokens",
        "response.usage.prompt_tokens_details.cached_tokens",
    ),
    "reasoning_tokens": (
        "metadata.usage_object.completion_tokens_details.reasoning_tokens",
        "response.usage.completion_tokens_details.reasoning_tokens",
    ),
    "max_tokens": (
        "model_parameters.max_tokens",
        "model_parameters.max_completion_tokens",
        "model_parameters.max_output_tokens",
    ),
    "temperature": ("model_parameters.temperature",),
    "stream": ("stream", "model_parameters.stream"),
    "conversation_id": ("session_id",),
    "client_ip": ("requester_ip_address", "metadata.requester_ip_address"),
    "user_agent": ("user_agent", "metadata.user_agent"),
}
# What stands where LiteLLM was told to keep texts out of its logs. As a text it would
# make all prompts alike.
REDACTED: Final = "redacted-by-litellm"
# Seconds beyond which an end is no end of that start: its latency stays unknown.
LONGEST: Final = 10**6
_BREAKS_TO_SPACES: Final = bytes.maketrans(b"\r\n", b"  ")
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Reader:
    """What the mapping needs to be told: where account ids are, how answers hash."""

    account_members: Sequence[str]
    hash_answer: HashAnswer

    def lines(
        self, payloads: Iterable[bytes], left_out: Counter[str]
    ) -> Iterator[bytes]:
        """One line a payload: its record, its bytes where unreadable, or nothing.

        `left_out` counts the calls that are no exchange with a model. Their lines are
        blank, so that a line's number is the number of its payload.
        """
        for raw in payloads:
            payload = _decoded(raw)
            if payload is None:
                yield raw.translate(_BREAKS_TO_SPACES) + b"\n"
            elif (operation := operation_of(payload)) is None:
                left_out[f"call of type {payload.get('call_type')}"[:64]] += 1
                yield b"\n"
            else:
                yield _ENCODER.encode(self.record(payload, operation)) + b"\n"

    def record(self, payload: Fields, operation: str) -> Fields:
        """The contract's `request`; what the payload does not tell is absent."""
        fields: Fields = {"type": "request", "operation": operation}
        fields |= {name: _first(payload, places) for name, places in FIRST_OF.items()}
        fields |= _identity(payload)
        fields |= _outcome(payload)
        fields |= self._texts(payload)
        if operation == "embeddings":
            fields["turn"] = None  # its inputs are no conversation
        account = _first(payload, self.account_members)
        fields["account_id"] = None if account is None else str(account)
        return {name: value for name, value in fields.items() if value is not None}

    def _texts(self, payload: Fields) -> Fields:
        asked = payload.get("messages")
        if isinstance(asked, dict):
            asked = asked.get("messages", [asked])
        fields = messages.of_request(asked, self._hash)
        fields["response"] = messages.cut(_answer(payload)) or None
        for name in ("prompt", "system_prompt", "response"):
            if REDACTED in str(fields.get(name, ""))[:100]:
                fields[name] = None
        told = [each for each in _hashes(fields) if each]
        fields["prior_response_hashes"] = told or None
        tools = _at(payload, "model_parameters.tools")
        fields["tool_count"] = len(tools) if isinstance(tools, list) else None
        return fields

    def _hash(self, answer: str) -> str:
        return "" if REDACTED in answer[:100] else self.hash_answer(answer)


def operation_of(payload: Fields) -> str | None:
    """The contract's word, or None where the call is no exchange with a model."""
    told = payload.get("call_type")
    if not isinstance(told, str):
        return "chat"
    return OPERATIONS.get(told) or OPERATIONS.get(told.removeprefix("a"))


def _decoded(raw: bytes) -> Fields | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _at(payload: Fields, path: str) -> object:
    found: object = payload
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def _first(payload: Fields, places: Sequence[str]) -> object:
    for path in places:
        value = _at(payload, path)
        if value is not None and value != "":
            return value
    return None


def _identity(payload: Fields) -> Fields:
    """A failed call has no id of an answer, and its own may be tried several times."""
    told = _first(payload, ("id", "litellm_call_id"))
    start, end = payload.get("startTime"), payload.get("endTime")
    fields: Fields = {"event_id": None if told is None else str(told)}
    if not isinstance(start, int | float):
        fields["occurred_at"] = start
        return fields
    try:
        at = datetime.fromtimestamp(round(start, 6), UTC)
    except (ValueError, OverflowError, OSError):
        return fields
    fields["occurred_at"] = at.isoformat()
    if payload.get("status") == "failure" and told is not None:
        fields["event_id"] = f"{told}@{start:.6f}"
    if isinstance(end, int | float) and start <= end <= start + LONGEST:
        fields["latency_ms"] = int((end - start) * 1000)
    return fields


def _outcome(payload: Fields) -> Fields:
    reason = _at(_choice(payload), "finish_reason")
    fields: Fields = {"finish_reason": messages.finish(reason)}
    if payload.get("status") == "failure":
        code = str(_at(payload, "error_information.error_code"))
        whole = code.isascii() and code.isdigit() and len(code) == 3
        fields["http_status"] = int(code) if whole else 500
    return fields


def _choice(payload: Fields) -> Fields:
    choices = _at(payload, "response.choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _answer(payload: Fields) -> str:
    """The answer's words: of a chat, a completion, a response or a message."""
    response = payload.get("response")
    if isinstance(response, str):
        return response
    choice = _choice(payload)
    if isinstance(text := choice.get("text"), str):
        return text
    if said := messages.text_of(choice.get("message")):
        return said
    output = _at(payload, "response.output")
    if isinstance(output, list):
        return "\n".join(filter(None, map(messages.text_of, output)))
    return messages.text_of(response)


def _hashes(fields: Fields) -> list[str]:
    told = fields.get("prior_response_hashes")
    return told if isinstance(told, list) else []
