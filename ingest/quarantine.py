"""Lines that are not stored are kept byte for byte, with their place and reason."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Final

from django.db import connection
from django.utils import timezone

from ingest.reading import Refusal

_COPY: Final = """
COPY ingest_quarantinedline
    (batch_id, fate, line, byte_offset, field, code, message, raw, created_at)
FROM STDIN
"""


@dataclass(frozen=True, slots=True)
class KeptLine:
    """One line of a batch, in the order of the columns it is copied to."""

    batch_id: int
    fate: str
    line: int
    byte_offset: int | None
    field: str
    code: str
    message: str
    raw: bytes

    @classmethod
    def of(cls, batch_id: int, refusal: Refusal) -> "KeptLine":
        verdict = refusal.verdict
        return cls(
            batch_id,
            verdict.fate,
            refusal.line,
            refusal.offset,
            verdict.field[:256],
            verdict.code,
            verdict.message[:1000],
            refusal.raw,
        )


def keep(lines: Iterable[KeptLine]) -> None:
    """Writes the lines within the caller's transaction.

    By COPY: a sender may have a hundred thousand bad lines in one request, and has to
    be answered soon even then.
    """
    now = timezone.now()
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in lines:
            copy.write_row((*astuple(line), now))
