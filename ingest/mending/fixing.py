"""One change to many lines: a field set, renamed or left out. Pure."""

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from ingest.doors.errors import BadFix
from ingest.records.verdicts import Verdict, parse

SET: Final = "set"
RENAME: Final = "rename"
REMOVE: Final = "remove"
KINDS: Final = (SET, RENAME, REMOVE)
LONGEST_NAME: Final = 128
LONGEST_VALUE: Final = 4096


@dataclass(frozen=True, slots=True)
class Fix:
    """`value` is JSON for SET, the new name for RENAME, and nothing for REMOVE."""

    kind: str
    field: str
    value: Any = None

    @classmethod
    def typed(cls, kind: str, field: str, value: str) -> Self:
        """As a person types it: a value that is no JSON is a text. Raises BadFix."""
        field, value = field.strip(), value.strip()
        if kind not in KINDS:
            raise BadFix(f"A fix is one of {', '.join(KINDS)}.")
        if not 1 <= len(field) <= LONGEST_NAME:
            raise BadFix("Name the field that is to change.")
        if len(value) > LONGEST_VALUE:
            raise BadFix(f"The value may have {LONGEST_VALUE:,} characters.")
        if kind == SET:
            return cls(kind, field, _value(value))
        if kind == REMOVE:
            return cls(kind, field)
        if not 1 <= len(value) <= LONGEST_NAME or value == field:
            raise BadFix("Say what the field is to be called.")
        return cls(kind, field, value)

    def apply(self, raw: bytes) -> bytes | None:
        """The line as mended; None where it cannot be read as an object."""
        record = parse(raw)
        if isinstance(record, Verdict):
            return None
        if self.kind == SET:
            record[self.field] = self.value
        elif self.field in record:
            old = record.pop(self.field)
            if self.kind == RENAME:
                record[self.value] = old
        made = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        return made.encode(errors="backslashreplace")

    def __str__(self) -> str:
        if self.kind == SET:
            return f"{self.field} set to {json.dumps(self.value, ensure_ascii=False)}"
        if self.kind == RENAME:
            return f"{self.field} renamed to {self.value}"
        return f"{self.field} left out"


def _value(typed: str) -> object:
    try:
        value: object = json.loads(typed, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return typed
    return value


def _no_constant(name: str) -> object:
    raise ValueError(name)
