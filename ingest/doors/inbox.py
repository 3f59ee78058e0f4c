"""What a 2xx promises: a body is read once, judged line by line, and kept.

Everything that was accepted lies in PostgreSQL when `accept` returns; making events
of it is `writers.py`'s work and may happen later, in another process, after a crash.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from ingest.doors import payloads, unpacking
from ingest.doors.errors import EmptyBody, KeyReused, TooManyLines, Unreadable
from ingest.mending.quarantine import KeptLine, keep
from ingest.models import Batch, IngestKey, Source
from ingest.records import lines, reading, verdicts
from ingest.records.meanings import Clock
from ingest.records.reading import Reading, Refusal
from ingest.senders import quotas

# Beyond these an answer names no more; every one of them is kept all the same.
MAX_ERRORS_TOLD: Final = 10_000
MAX_NAMED_UNKNOWNS: Final = 100
# How a mark before the first line is told, among what was kept out (RFC 8259, 8.1).
MARK: Final = "byte order mark"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a body, by which way in, under which promise of its own."""

    source: Source
    key: IngestKey | None = None
    way_in: str = "http"
    idempotency_key: str | None = None

    @property
    def metered(self) -> IngestKey | None:
        """The key whose quota this counts against; a replay is a person's doing."""
        return None if self.way_in == "replay" else self.key


@dataclass(slots=True)
class Intake:
    """What has been read of one body so far."""

    clock: Clock
    # Whose quota the body has to stay within.
    key: IngestKey | None
    compressor: "unpacking.zstd.ZstdCompressor | None"
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    payload: list[bytes] = field(default_factory=list)
    byte_count: int = 0
    received: int = 0
    accepted: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    def pieces(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The body as it passes by: counted, hashed, packed for keeping."""
        for piece in body:
            self.byte_count += len(piece)
            self.digest.update(piece)
            if self.compressor is not None:
                self.payload.append(self.compressor.compress(piece))
            yield piece
        if self.compressor is not None:
            self.payload.append(self.compressor.flush())

    def take(self, chunk: lines.Chunk) -> Reading:
        self.check_room(chunk)
        found = reading.read(chunk, self.clock)
        self.received += found.received
        self.accepted += len(found.records)
        self.refusals += found.refusals
        self.unknown.update(found.unknown)
        if chunk.first_line == 1 and chunk.offset:
            self.unknown[MARK] += 1
        return found

    def check_room(self, chunk: lines.Chunk) -> None:
        """Raises before work is spent on more lines than one request may have."""
        room = settings.INGEST_MAX_LINES - self.received
        breaks = lines.times(b"\n", chunk.data)
        if self.key is not None:
            rows, now = self.received + breaks, self.clock.now
            quotas.check(self.key, now, rows=rows, size=self.byte_count)
        if breaks < room:
            return
        if sum(1 for line in chunk.split() if line.strip()) > room:
            raise TooManyLines(
                f"More than {settings.INGEST_MAX_LINES:,} records in one request."
            )

    def check(self, *, keep_noise: bool) -> None:
        """Raises when nothing of the body was a record at all."""
        if not self.received:
            raise EmptyBody
        if self.accepted or keep_noise:
            return
        if all(each.verdict.code in verdicts.UNREADABLE for each in self.refusals):
            first = self.refusals[0]
            code = "not_json" if first.verdict.code == "bad_json" else "too_deep"
            raise Unreadable(code, first.verdict.message, f"line {first.line}")


def accept(
    body: Iterable[bytes],
    origin: Origin,
    *,
    packed: bytes | None = None,
    keep_noise: bool = False,
    left_out: Counter[str] | None = None,
    readings: list[tuple[lines.Chunk, Reading]] | None = None,
) -> Batch:
    """Reads NDJSON, commits what it holds and why the rest was refused.

    `packed` is the same body as gzip or zstd, when it came so; else it is packed here.
    The batch's `answer` is what the sender is told. Raises IngestRefused where nothing
    was kept: of a body without one readable line nothing is, but with `keep_noise`.
    With an Idempotency-Key seen before gives the first batch again. What an adapter
    counts in `left_out` while the body is read is counted with the unknown fields.
    What was read is left in `readings`, for who goes on with it at once.
    """
    now = timezone.now()
    compressor = unpacking.packer() if packed is None else None
    intake = Intake(clock_at(now), origin.metered, compressor)
    if left_out is not None:
        intake.unknown = left_out
    for chunk in lines.chunks(
        intake.pieces(body), max_line=settings.INGEST_MAX_LINE_BYTES
    ):
        found = intake.take(chunk)
        if readings is not None:
            readings.append((chunk, found))
    intake.check(keep_noise=keep_noise)
    payload = b"".join(intake.payload) if packed is None else packed
    return _commit_once(intake, origin, payload, now)


def clock_at(now: datetime) -> Clock:
    return Clock(now, now - timedelta(days=settings.RETENTION_EVENTS_DAYS))


def _commit_once(
    intake: Intake, origin: Origin, payload: bytes, now: datetime
) -> Batch:
    if origin.idempotency_key is None:
        return _commit(intake, origin, payload, now)
    if (earlier := _earlier(intake, origin)) is not None:
        return earlier
    try:
        return _commit(intake, origin, payload, now)
    except IntegrityError:
        # The same request came twice at once, and the other one was first.
        earlier = _earlier(intake, origin)
        if earlier is None:
            raise
        return earlier


def _earlier(intake: Intake, origin: Origin) -> Batch | None:
    batch = Batch.objects.filter(
        source=origin.source, idempotency_key=origin.idempotency_key
    ).first()
    if batch is not None and bytes(batch.body_sha256) != intake.digest.digest():
        raise KeyReused
    return batch


@transaction.atomic
def _commit(intake: Intake, origin: Origin, payload: bytes, now: datetime) -> Batch:
    fates = Counter(each.verdict.fate for each in intake.refusals)
    batch = Batch(
        source=origin.source,
        key=origin.key,
        way_in=origin.way_in,
        idempotency_key=origin.idempotency_key,
        body_sha256=intake.digest.digest(),
        received_at=now,
        byte_count=intake.byte_count,
        received=intake.received,
        accepted=intake.accepted,
        rejected=len(intake.refusals),
        quarantined=fates[verdicts.QUARANTINED],
        refused=fates[verdicts.REFUSED],
        unknown_fields=_named(intake.unknown),
    )
    if not intake.accepted:
        batch.state, batch.stored_at = Batch.State.STORED, now
    batch.answer = _answer(batch, intake.refusals)
    batch.save(force_insert=True)
    if intake.accepted and payload:
        payloads.keep(batch.pk, payload)
    if intake.refusals:
        keep(KeptLine.of(batch.pk, each) for each in intake.refusals)
    if intake.key is not None:
        quotas.spend(intake.key, now, rows=intake.received, size=intake.byte_count)
    return batch


def _named(unknown: Counter[str]) -> dict[str, int]:
    """Counts by name; a name is a stranger's text, so it is made safe to keep."""
    named = Counter[str]()
    for name, count in sorted(unknown.items())[:MAX_NAMED_UNKNOWNS]:
        named[verdicts.shown(name)] += count
    return dict(named)


def _answer(batch: Batch, refusals: list[Refusal]) -> dict[str, object]:
    return {
        "batch_id": str(batch.batch_id),
        "received": batch.received,
        "accepted": batch.accepted,
        # Known when the batch is stored; see GET /api/v1/batches/<batch_id>.
        "duplicates": None if batch.accepted else 0,
        "rejected": batch.rejected,
        "errors": [
            {
                "line": each.line,
                "field": each.verdict.field or None,
                "code": each.verdict.code,
                "message": each.verdict.message,
            }
            for each in refusals[:MAX_ERRORS_TOLD]
        ],
    }
