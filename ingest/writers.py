"""Batches → events, each event once however often and however split it was sent.

PostgreSQL remembers what is to be done; whoever comes finds it. A batch is claimed
for a lease, so that a second worker leaves it alone, and stored in one transaction
with its counters, so that it happens once even where the lease fails.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ingest import lines, reading, storing
from ingest.inbox import Origin, accept
from ingest.models import Batch
from ingest.quarantine import KeptLine, keep
from ingest.storing import Entry
from ingest.unpacking import unpack_gzip

__all__ = ["Origin", "accept", "store_batch", "store_pending"]

# How long a claim holds, and how long a batch that failed is left alone.
LEASE: Final = timedelta(seconds=30)
MAX_ATTEMPTS: Final = 3
# Small batches are stored together up to about this many records a transaction.
MERGED_BATCHES: Final = 50
FLUSH_RECORDS: Final = 20_000
# What may be in memory at once, unpacked.
MERGED_BYTES: Final = 64 * 1024 * 1024
FLUSH_BYTES: Final = 32 * 1024 * 1024

log = logging.getLogger(__name__)


def store_batch(pk: int) -> Batch:
    """Stores one batch where nobody else is at it; gives it as it then is."""
    _store(_claim(Batch.objects.filter(pk=pk), limit=1))
    return Batch.objects.get(pk=pk)


def store_pending(limit: int | None = None) -> int:
    """Stores up to `limit` forgotten batches, oldest first; says how many."""
    stored = 0
    while limit is None or stored < limit:
        room = MERGED_BATCHES if limit is None else min(MERGED_BATCHES, limit - stored)
        # One that failed before is taken alone: it may take others down with it.
        claimed = _claim(Batch.objects.filter(attempts=0), limit=room)
        claimed = claimed or _claim(Batch.objects.all(), limit=1)
        if not claimed:
            break
        stored += _store(claimed)
    return stored


@transaction.atomic
def _claim(candidates: QuerySet[Batch], *, limit: int) -> list[Batch]:
    """Takes batches for the lease and counts the attempt, before it can kill us."""
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    pending = candidates.filter(free, state=Batch.State.PENDING)
    batches = list(
        pending.order_by("pk")
        .select_for_update(skip_locked=True)
        .defer("payload", "answer")[:limit]
    )
    batches = _fitting(batches)
    worn_out = [each for each in batches if each.attempts >= MAX_ATTEMPTS]
    for batch in worn_out:
        _park(batch, batch.error or "Three attempts ended without an answer.")
    claimed = [each for each in batches if each.attempts < MAX_ATTEMPTS]
    Batch.objects.filter(pk__in=[each.pk for each in claimed]).update(
        claimed_at=now, attempts=F("attempts") + 1
    )
    return claimed


def _fitting(batches: list[Batch]) -> list[Batch]:
    """The first of them, and as many more as fit into memory with it."""
    total = 0
    for count, batch in enumerate(batches):
        total += batch.byte_count
        if count and total > MERGED_BYTES:
            return batches[:count]
    return batches


def _store(claimed: Sequence[Batch]) -> int:
    """Stores claimed batches together, or one by one where together fails."""
    if not claimed:
        return 0
    pks = [batch.pk for batch in claimed]
    try:
        return _store_together(pks)
    except (OperationalError, InterfaceError):
        # The database went away or ended a deadlock: no fault of the batch.
        _give_back(pks)
        raise
    except Exception as error:
        if len(pks) == 1:
            log.exception("Batch %s could not be stored.", pks[0])
            _fail(pks[0], error)
            return 1
    return sum(_store([batch]) for batch in claimed)


@transaction.atomic
def _store_together(pks: Sequence[int]) -> int:
    batches = list(
        Batch.objects.filter(pk__in=pks, state=Batch.State.PENDING)
        .order_by("pk")
        .select_for_update(skip_locked=True)
    )
    tally = storing.Tally(batches)
    pending: list[Entry] = []
    size = 0
    for chunk_size, entries in _entries(batches, tally):
        pending += entries
        size += chunk_size
        if len(pending) >= FLUSH_RECORDS or size >= FLUSH_BYTES:
            storing.store(pending, tally)
            pending, size = [], 0
    storing.store(pending, tally)
    if tally.kept:
        keep(tally.kept)
    for batch in batches:
        _close(batch, tally)
    return len(batches)


def _entries(
    batches: list[Batch], tally: storing.Tally
) -> Iterator[tuple[int, list[Entry]]]:
    """The accepted records of each batch, a chunk at a time, and the chunk's size."""
    for batch in batches:
        rejected = set(batch.lines.values_list("line", flat=True))
        body = unpack_gzip(
            bytes(batch.payload or b""), limit=settings.INGEST_MAX_UNPACKED_BYTES
        )
        for chunk in lines.chunks(body, max_line=settings.INGEST_MAX_LINE_BYTES):
            found = reading.read(chunk, clock=None)
            for refusal in found.refusals:
                if refusal.line not in rejected:
                    # Accepted under older rules: kept, and counted as refused now.
                    tally.refused[batch.pk] += 1
                    tally.kept.append(KeptLine.of(batch.pk, refusal))
            yield (
                len(chunk.data),
                [
                    Entry(batch, chunk, line, record)
                    for line, record in zip(found.lines, found.records, strict=True)
                    if line not in rejected
                ],
            )


def _close(batch: Batch, tally: storing.Tally) -> None:
    if conflicts := tally.conflicts[batch.pk]:
        log.warning(
            "Batch %s: %s event ids came before with other content; see quarantine.",
            batch.pk,
            conflicts,
        )
    batch.stored = tally.stored[batch.pk]
    batch.duplicates = tally.duplicates[batch.pk]
    batch.conflicts = tally.conflicts[batch.pk]
    batch.refused += tally.refused[batch.pk]
    batch.state, batch.stored_at = Batch.State.STORED, timezone.now()
    batch.payload, batch.error, batch.claimed_at = None, "", None
    batch.save(
        update_fields=[
            "stored",
            "duplicates",
            "conflicts",
            "refused",
            "state",
            "stored_at",
            "payload",
            "error",
            "claimed_at",
        ]
    )


def _fail(pk: int, error: Exception) -> None:
    batch = Batch.objects.defer("payload").get(pk=pk)
    reason = f"{type(error).__name__}: {error}"[:1000].replace("\x00", "")
    if batch.attempts >= MAX_ATTEMPTS:
        _park(batch, reason)
        return
    # The claim stays: after the lease, and not at once, it is tried again.
    batch.error = reason
    batch.save(update_fields=["error"])


def _park(batch: Batch, reason: str) -> None:
    log.error("Batch %s is parked after three attempts.", batch.pk)
    batch.state, batch.error, batch.claimed_at = Batch.State.PARKED, reason, None
    batch.save(update_fields=["state", "error", "claimed_at"])


def _give_back(pks: Sequence[int]) -> None:
    """Undo the claim, if the database is there to hear it; else the lease ends."""
    if not connection.in_atomic_block:
        close_old_connections()
    try:
        Batch.objects.filter(pk__in=pks, state=Batch.State.PENDING).update(
            claimed_at=None, attempts=F("attempts") - 1
        )
    except (OperationalError, InterfaceError):
        log.warning("The database does not answer; the batches' lease will end.")
