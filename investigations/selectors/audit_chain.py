"""Whether the audit entries are still the ones that were written.

The text that is hashed is built again here from the columns alone, so that a changed
database function cannot vouch for changed rows.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast

from investigations.models import AuditEntry

BEGINNING = "0" * 64


class Row(NamedTuple):
    """One entry as it lies in the table; `detail` as the database spells it."""

    sequence: int
    at: datetime
    actor: int
    actor_name: str
    actor_role: str
    verb: str
    object_type: str
    object_ref: str
    reason: str
    detail: str
    request_id: str
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Head:
    """The newest entry. Noted elsewhere, it later shows a tail that was cut off."""

    sequence: int = 0
    hash: str = BEGINNING

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"


@dataclass(frozen=True)
class Fault:
    """The first entry that is not as it was written, and what is wrong with it."""

    sequence: int
    sentence: str


def verify_chain(noted: Head | None = None) -> Head | Fault:
    """Walk the whole chain; the head it ends in, or the first fault.

    With a head noted earlier, the chain must still contain it.
    """
    head = Head()
    for row in _rows():
        fault = _fault(row, head)
        if fault:
            return fault
        head = Head(row.sequence, row.hash)
        if noted and noted.sequence == head.sequence and noted.hash != head.hash:
            return Fault(head.sequence, "is not the entry that was noted as the head")
    if noted and noted.sequence > head.sequence:
        return Fault(head.sequence + 1, "is missing: the chain was longer once")
    return head


def _fault(row: Row, before: Head) -> Fault | None:
    if row.sequence != before.sequence + 1:
        return Fault(before.sequence + 1, "is missing")
    if row.previous_hash != before.hash:
        return Fault(row.sequence, "does not follow on the entry before it")
    if row.hash != hashlib.sha256(_text(row).encode()).hexdigest():
        return Fault(row.sequence, "was changed after it was written")
    return None


def _text(row: Row) -> str:
    """Each value behind its length in bytes, as the database's trigger spells it."""
    parts = (
        str(row.sequence),
        row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        str(row.actor),
        *row[3:12],
    )
    return "".join(f"{len(part.encode())}:{part}" for part in parts)


def _rows() -> Iterator[Row]:
    names = [name if name != "detail" else "detail_text" for name in Row._fields]
    entries = (
        AuditEntry.objects.order_by("sequence")
        .annotate(detail_text=Cast("detail", TextField()))
        .values_list(*names)
    )
    return (Row(*entry) for entry in entries.iterator(chunk_size=5_000))
