"""Lines that are not stored are kept with their place and their reason.

What is kept is what was sent, but nobody's words: see masking.py.
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from ingest import fingerprints
from ingest.mending import masking
from ingest.mending.masking import Masker
from ingest.records.reading import Refusal

_COPY: Final = """
COPY ingest_quarantinedline
    (batch_id, fate, line, byte_offset, field, code, message, raw, created_at)
FROM STDIN
"""
MESSAGE: Final = 1000  # characters


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
            verdict.message[:MESSAGE],
            refusal.raw,
        )


def keep(lines: Iterable[KeptLine]) -> None:
    """Writes the lines, masked, within the caller's transaction.

    By COPY: a sender may have a hundred thousand bad lines in one request, and has to
    be answered soon even then.
    """
    now = timezone.now()
    masker = Masker(
        fingerprints.subkey(settings.HASH_KEY, "fingerprint"),
        fingerprints.subkey(settings.HASH_KEY, "mailbox"),
    )
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in lines:
            raw, message = masker.mask(line.raw), masking.sentence(line.message)
            kept = replace(line, raw=raw, message=message[:MESSAGE])
            copy.write_row((*astuple(kept), now))
