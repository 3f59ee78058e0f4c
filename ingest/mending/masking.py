"""A line that was not stored → what may be kept of it. Pure.

A kept line has to be told apart, mended and sent once more, but nobody's words or
address may lie in it: texts become their keyed fingerprints, exactly as storing would
have made them, so that the line is worth as much when it is replayed. What cannot be
read as JSON keeps its bytes, but for the values and patterns that look private.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Final

from ingest import fingerprints
from ingest.records import normalise, schemas, verdicts
from ingest.texts import redaction

# Enough to see what is wrong; a record in order is rarely a tenth of it.
MOST_BYTES: Final = 64 * 1024
# Longer values of unknown fields are taken for text.
TEXT_FROM: Final = 256
# No known field has more than half of this.
MOST_CHARACTERS: Final = 4096
# Fingerprinting is slow beside refusing: one request has this many characters of text
# fingerprinted for keeping, and of the lines beyond it the texts are left out.
TEXT_BUDGET: Final = 2_000_000

_PRIVATE: Final = ("prompt", "system_prompt", "response", "email")
_LITERAL: Final = re.compile(
    rb'"('
    + "|".join(_PRIVATE).encode()
    + rb')"\s*+:\s*+("(?:[^"\\]|\\.)*+)("|\Z|\\\Z)',
    re.DOTALL,
)
_MAIL: Final = re.compile(rb"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE: Final = re.compile(rb"\+\d(?:[ ().-]{0,2}\d){6,16}")
_KNOWN: Final = frozenset[str]().union(*schemas.FIELDS.values())


@dataclass(slots=True)
class Masker:
    """Masks the lines of one request; `budget` is what is left of it."""

    fingerprint_key: bytes
    mail_key: bytes
    budget: int = field(default=TEXT_BUDGET)

    def mask(self, raw: bytes) -> bytes:
        """The same bytes where nothing in them is private."""
        parsed = verdicts.parse(raw)
        if isinstance(parsed, verdicts.Verdict):
            return self._unreadable(raw)
        kept: dict[str, object] = {}
        for name, value in parsed.items():
            kept |= self._of_field(name, value)
        if kept == parsed:
            return raw
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode(
            errors="backslashreplace"
        )

    def _of_field(self, name: str, value: object) -> dict[str, object]:
        if name in _PRIVATE and value is not None:
            return self._private(name, value)
        if isinstance(value, str):
            return {name: self._string(name, value)}
        if not value or not isinstance(value, verdicts.NESTED):
            return {name: value}
        if name in _KNOWN and isinstance(value, list):
            return {name: value}
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return {name: [redaction.redact(each[:TEXT_FROM]) for each in value[:10]]}
        return {name: "‹object›"}

    def _string(self, name: str, value: str) -> str:
        if name in _KNOWN:
            return value[:MOST_CHARACTERS]
        if len(value) <= TEXT_FROM:
            return redaction.redact(value)
        return self._fingerprint(_storable(value)) or "‹text›"

    def _private(self, name: str, value: object) -> dict[str, object]:
        if not isinstance(value, str):
            return {name: "‹object›" if isinstance(value, verdicts.NESTED) else value}
        text = _storable(value)
        if name == "email":
            box = normalise.mailbox(text, self.mail_key)
            if box is None:
                return {name: redaction.redact(text[:TEXT_FROM])}
            return {"email_domain": box.domain, "email_hash": box.hash}
        if name == "prompt":
            made = self._fingerprint(text)
            return {"prompt_fingerprint": made} if made else {}
        make = (
            fingerprints.system_hash
            if name == "system_prompt"
            else fingerprints.response_hash
        )
        hashed = name.removesuffix("_prompt") + "_hash"
        return {hashed: make(text, self.fingerprint_key)} if text else {}

    def _fingerprint(self, text: str) -> str:
        """Empty for no text, and once the budget is spent."""
        if not text or self.budget <= 0:
            return ""
        self.budget -= min(len(text), schemas.LONG_TEXT_BYTES)
        return str(fingerprints.fingerprint(text, self.fingerprint_key))

    def _unreadable(self, raw: bytes) -> bytes:
        # More than is kept, so that a pattern that is cut in two still shows.
        masked = _LITERAL.sub(self._literal, raw[: MOST_BYTES * 2])
        return _without_addresses(masked)[:MOST_BYTES]

    def _literal(self, found: re.Match[bytes]) -> bytes:
        name = found[1].decode()
        try:
            text = json.loads(found[2] + b'"', strict=False)
        except ValueError:
            text = ""
        complete = found[3] == b'"'
        pairs = self._private(name, text) if complete and text else {}
        if pairs:
            return json.dumps(pairs)[1:-1].encode()
        return f'"{name}":"‹text›{chr(34) if complete else ""}'.encode()


def sentence(message: str) -> str:
    """What is wrong with a line, where it repeats a value, without addresses."""
    return _without_addresses(message.encode()).decode()


def _without_addresses(text: bytes) -> bytes:
    masked = _MAIL.sub("‹mail›".encode(), text)
    return _PHONE.sub("‹phone›".encode(), masked)


def _storable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair: what cannot be
    written as UTF-8 can neither be hashed nor kept."""
    return text.encode(errors="replace").decode()
