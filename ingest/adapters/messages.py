"""A conversation as gateways log it → the contract's texts and counts. Pure.

Chat messages come in the shapes of OpenAI (`content` as text or as parts), Anthropic
(`tool_use` parts) and the OpenTelemetry GenAI conventions (`parts` with `content`).
"""

from collections.abc import Callable, Iterable
from typing import Final

HashAnswer = Callable[[str], str]

SYSTEM: Final = frozenset({"system", "developer"})
USER: Final = frozenset({"user", "human"})
ASSISTANT: Final = frozenset({"assistant", "model", "ai"})
MAX_PRIOR: Final = 3
# One more than is ever read, so that the record is marked as cut.
MAX_CHARACTERS: Final = 32 * 1024 + 1
_TEXTS: Final = frozenset({"", "text", "input_text", "output_text"})
_IMAGES: Final = frozenset({"image", "image_url", "input_image"})
# What providers call the same end → the contract's words.
_FINISHES: Final = {
    "tool_call": "tool_use",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "max_tokens": "length",
    "content_filter": "refusal",
}

Fields = dict[str, object]


def of_request(messages: object, hash_answer: HashAnswer) -> Fields:
    """prompt, system_prompt, turn, image_count, prior_response_hashes: what is told.

    `messages` is a list of messages, or a text where there was no chat.
    """
    if isinstance(messages, str):
        return {"prompt": cut(messages)} if messages else {}
    told = [each for each in _list(messages) if isinstance(each, dict)]
    asked = [
        text for each in told if _word(each, "role") in USER and (text := text_of(each))
    ]
    system = "\n".join(text_of(each) for each in told if _word(each, "role") in SYSTEM)
    answers = [
        t for each in told if _word(each, "role") in ASSISTANT and (t := text_of(each))
    ]
    fields: Fields = {}
    if asked:
        fields |= {"prompt": cut(asked[-1]), "turn": len(asked)}
    if system:
        fields["system_prompt"] = cut(system)
    if images := sum(map(_images, told)):
        fields["image_count"] = images
    if newest := answers[: -MAX_PRIOR - 1 : -1]:
        fields["prior_response_hashes"] = [hash_answer(each) for each in newest]
    return fields


def text_of(message: object) -> str:
    """All that a message, or a list of parts, says in words."""
    if isinstance(message, str):
        return message
    if isinstance(message, dict):
        told = message.get("parts")
        message = told if told is not None else message.get("content")
    if isinstance(message, str):
        return message
    return "\n".join(filter(None, map(_part_text, _list(message))))


def cut(text: str) -> str:
    """As much of a text as the contract reads, and the character that tells."""
    return text[:MAX_CHARACTERS]


def finish(reason: object) -> str | None:
    """The contract's word for why an answer ended; unknown words stay as they are."""
    if not isinstance(reason, str) or not reason:
        return None
    return _FINISHES.get(reason.lower(), reason)


def _said_by(messages: list[dict[str, object]], roles: frozenset[str]) -> list[str]:
    said = (text_of(each) for each in messages if _word(each, "role") in roles)
    return [text for text in said if text]


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or _word(part, "type") not in _TEXTS:
        return ""
    told = part.get("text", part.get("content"))
    return told if isinstance(told, str) else ""


def _images(message: dict[str, object]) -> int:
    parts = message.get("parts", message.get("content"))
    return sum(
        _word(part, "type") in _IMAGES or _word(part, "modality") == "image"
        for part in _list(parts)
        if isinstance(part, dict)
    )


def _word(message: dict[str, object], name: str) -> str:
    told = message.get(name)
    return told.lower() if isinstance(told, str) else ""


def _list(told: object) -> Iterable[object]:
    return told if isinstance(told, list) else ()
