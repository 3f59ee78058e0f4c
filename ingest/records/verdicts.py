"""Why one line cannot be stored, in a code for machines and a sentence for people.

Only lines that already failed come here, so that this may be slow and careful. Pure.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from ingest.records import schemas

MAX_DEPTH: Final = 32
NESTED: Final = (dict, list)

REFUSED: Final = "refused"
QUARANTINED: Final = "quarantined"
# A body made of nothing but these is refused as a whole: it was never telemetry.
UNREADABLE: Final = frozenset({"bad_json", "too_deep"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`field` is a path such as `input_tokens`, empty for the line as a whole."""

    code: str
    message: str
    field: str = ""
    fate: str = REFUSED


class _Duplicate(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _NotFinite(ValueError):
    pass


class _OutOfRange(ValueError):
    pass


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            raise _Duplicate(key)
        made[key] = value
    return made


def _integer(digits: str) -> int:
    if len(digits) > 40:
        raise _OutOfRange(digits[:20])
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _OutOfRange(digits[:20])
    return value


def _constant(name: str) -> float:
    raise _NotFinite(name)


_PARSER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_int=_integer,
    parse_float=_real,
    parse_constant=_constant,
)


def shown(value: object, limit: int = 60) -> str:
    """A value as a message may repeat it: short, and nothing invisible in it."""
    text = str(value)
    text = text if len(text) <= limit else text[:limit] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def parse(raw: bytes) -> dict[str, object] | Verdict:
    """The line as a dictionary, by a parser that forgives nothing."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return Verdict(
            "bad_encoding",
            f"Byte {error.start + 1} of this line is not UTF-8; send UTF-8.",
        )
    try:
        value = _PARSER.decode(text)
    except _Duplicate as error:
        name = shown(error.key)
        return Verdict("duplicate_key", f"`{name}` stands twice; send it once.", name)
    except _NotFinite as error:
        return Verdict("nan", f"{error} is not a JSON number; leave the field out.")
    except _OutOfRange as error:
        return Verdict(
            "number_range", f"The number {error}… is out of range; send a smaller one."
        )
    except RecursionError:
        return _too_deep()
    except json.JSONDecodeError as error:
        return _not_json(text, error)
    if not isinstance(value, dict):
        return Verdict("wrong_type", "A record is a JSON object: {…}.")
    return _too_deep() if _depth(value) > MAX_DEPTH else value


def _not_json(text: str, error: json.JSONDecodeError) -> Verdict:
    if error.msg.startswith("Invalid control character") and "\x00" in text:
        return Verdict("nul_char", "A NUL character cannot be stored; leave it out.")
    return Verdict(
        "bad_json",
        f"Not JSON at column {error.colno}: {error.msg}. "
        "Send one complete object a line.",
    )


def _too_deep() -> Verdict:
    return Verdict("too_deep", f"Nested deeper than {MAX_DEPTH} levels; flatten it.")


def _depth(value: object) -> int:
    """How deep lists and objects nest, at least as far as MAX_DEPTH + 1."""
    deepest, unseen = 0, [(value, 1)]
    while unseen:
        value, level = unseen.pop()
        deepest = max(deepest, level)
        inner: Iterable[object] = ()
        if isinstance(value, dict):
            inner = value.values()
        elif isinstance(value, list):
            inner = value
        if level <= MAX_DEPTH:
            unseen += [(each, level + 1) for each in inner if isinstance(each, NESTED)]
    return deepest


def of_shape(parsed: dict[str, object] | Verdict, error: Exception) -> Verdict:
    """Why a line that was parsed does not have the shape of a record."""
    if isinstance(parsed, Verdict):
        return replace(parsed, field=parsed.field or _path(error))
    kind = parsed.get("type")
    if not isinstance(kind, str) or kind not in schemas.BY_TYPE:
        return _unknown_type(parsed)
    for name in ("event_id", "account_id"):
        if name in schemas.FIELDS[kind] and parsed.get(name) in (None, ""):
            return Verdict(
                "missing_id", f"`{name}` is required; none is made up.", name
            )
    if (surrogate := _lone_surrogate(parsed)) is not None:
        return surrogate
    return _of_message(str(error), parsed)


def _unknown_type(parsed: dict[str, object]) -> Verdict:
    known = ", ".join(f"`{name}`" for name in schemas.BY_TYPE)
    if "type" not in parsed:
        return Verdict("missing_field", f"`type` is required: one of {known}.", "type")
    told = shown(parsed["type"])
    return Verdict("unknown_type", f"`type` is {told}; use one of {known}.", "type")


def _lone_surrogate(parsed: dict[str, object]) -> Verdict | None:
    for name, value in parsed.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and any("\ud800" <= c <= "\udfff" for c in text):
                name = shown(name)  # a stranger's, where the field is unknown
                return Verdict(
                    "lone_surrogate",
                    f"`{name}` holds half of a surrogate pair (\\ud800–\\udfff), which "
                    "is no character; send the whole pair or leave it out.",
                    name,
                )
    return None


# What msgspec says → (code, what to change). The first that matches counts.
_RULES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"missing required field `(?P<field>\w+)`"),
        "missing_field",
        "is required",
    ),
    (
        re.compile(r"datetime` with a timezone"),
        "bad_time",
        "has no offset; send RFC 3339 with one, such as 2026-11-18T09:30:00Z",
    ),
    (
        re.compile(r"RFC3339|Expected `datetime"),
        "bad_time",
        "is not a time; send RFC 3339 text such as 2026-11-18T09:30:00Z",
    ),
    (
        re.compile(r"Expected `array` of length <= (?P<limit>\d+)"),
        "too_many_items",
        "has more than {limit} entries; send the newest {limit}",
    ),
    (
        re.compile(r"of length <= (?P<limit>\d+)"),
        "too_long",
        "is longer than {limit} characters; send at most {limit}",
    ),
    (
        re.compile(r"of length >= 1"),
        "missing_field",
        "is empty; send its value",
    ),
    (
        re.compile(r"Number out of range|`(?:int|float)[^`]*` [<>]"),
        "number_range",
        "is out of range; see the contract for its limits",
    ),
    (
        re.compile(r"Invalid enum value"),
        "bad_value",
        "is none of the values that the contract lists",
    ),
    (
        re.compile(r"Expected `(?P<limit>[^`|]+)[^`]*`, got `(?P<got>[^`]+)`"),
        "wrong_type",
        "must be of JSON type {limit}, not {got}",
    ),
)
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")


def _path(message: object) -> str:
    return found["path"] if (found := _PATH.search(str(message))) else ""


def _of_message(message: str, parsed: dict[str, object]) -> Verdict:
    path = _path(message)
    for pattern, code, advice in _RULES:
        if (match := pattern.search(message)) is None:
            continue
        groups = match.groupdict()
        field = groups.get("field") or path
        value = parsed.get(field)
        told = f" ({shown(value)})" if code in {"bad_value", "bad_time"} else ""
        return Verdict(code, f"`{field}`{told} {advice.format(**groups)}.", field)
    return Verdict("bad_value", f"`{path}` cannot be read: {message}.", path)


def unknown_fields(raw: bytes) -> list[str]:
    """Top-level names that the contract does not know, of a line that is in order."""
    names = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    known = schemas.FIELDS[msgspec.json.decode(names["type"], type=str)]
    return sorted(names.keys() - known)
