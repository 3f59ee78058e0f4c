"""Batches → events, each event once however often and however split it was sent.

PostgreSQL remembers what is to be done; whoever comes finds it. A batch is claimed
for a lease, so that a second worker leaves it alone, and stored in one transaction
with its counters, so that it happens once even where the lease fails.
"""

import gc
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, TypeVar

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
from psycopg.errors import DeadlockDetected

from ingest.doors import payloads
from ingest.doors.errors import IngestRefused
from ingest.doors.inbox import Origin, accept
from ingest.doors.unpacking import unpack
from ingest.drain import repeats, storing, turns
from ingest.drain.storing import Part
from ingest.drain.watchdog import ending_after
from ingest.mending.quarantine import KeptLine, keep
from ingest.models import Batch
from ingest.records import lines, reading
from ingest.records.reading import Reading

__all__ = ["Origin", "accept", "import_batch", "store_batch", "store_pending"]

# How long a claim holds, and how long a batch that failed is left alone.
LEASE: Final = timedelta(seconds=settings.INGEST_LEASE_SECONDS)
MAX_ATTEMPTS: Final = 3
DEADLOCKS: Final = 5  # that are got over, one after another
# Small batches are stored together, up to so many and so many records a transaction.
MERGED_BATCHES: Final = 50
# At once, too: who names all accounts of a transaction in one go names them in the
# order in which everybody does, so that two cannot wait for each other in a ring.
FLUSH_RECORDS: Final = 20_000
# What may be in memory at once, unpacked.
MERGED_BYTES: Final = 64 * 1024 * 1024
FLUSH_BYTES: Final = 32 * 1024 * 1024
# Bytes a second, unpacked, that even a busy machine stores.
SLOWEST: Final = 500_000
NO_ANSWER: Final = (
    "Three attempts ended without an answer: the process ran out of memory, was killed "
    "by what it read, or was not done in time."
)

log = logging.getLogger(__name__)
Outcome = TypeVar("Outcome")


def store_batch(pk: int) -> Batch:
    """Stores one batch where nobody else is at it; gives it as it then is."""
    _store(_claim(Batch.objects.filter(pk=pk), limit=1))
    return Batch.objects.get(pk=pk)


def import_batch(
    pieces: Iterable[bytes], origin: Origin, *, keep_noise: bool = False
) -> Batch:
    """Accepts NDJSON and stores it in one transaction, read only once.

    For whoever waits for the outcome and could send it again, as a file can be: no
    payload has to be kept. What cannot be stored is kept after all, and waits as every
    other batch. Raises IngestRefused where nothing was kept, as `accept` does.
    """
    kept = list(pieces)
    try:
        return _despite_deadlocks(lambda: _import(kept, origin, keep_noise=keep_noise))
    except (IngestRefused, OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("A part could not be stored at once; it is kept as a batch.")
    return store_batch(accept(kept, origin, keep_noise=keep_noise).pk)


def _despite_deadlocks(work: Callable[[], Outcome]) -> Outcome:
    """Once more where PostgreSQL chose this one of two that waited for each other."""
    for _ in range(DEADLOCKS):
        try:
            return work()
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            _empty_frames(error)
    return work()


def _empty_frames(error: BaseException | None) -> None:
    """Lets go of what the calls held that ended with this error: thousands of records,
    which would lie there until somebody collects garbage, and while storing nobody
    does."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


@transaction.atomic
def _import(pieces: list[bytes], origin: Origin, *, keep_noise: bool) -> Batch:
    repeats.hold_off()
    readings: list[tuple[lines.Chunk, Reading]] = []
    batch = accept(pieces, origin, packed=b"", keep_noise=keep_noise, readings=readings)
    # One that was accepted earlier, under the same Idempotency-Key, has its payload.
    if batch.state == Batch.State.PENDING and not batch.payload:
        tally = storing.Tally([batch])
        _store_parts([_accepted(batch, *each, set()) for each in readings], tally)
        _close([batch], tally)
    return batch


def store_pending(limit: int | None = None) -> int:
    """Stores up to `limit` forgotten batches, oldest first; says how many."""
    stored = 0
    while limit is None or stored < limit:
        room = MERGED_BATCHES if limit is None else min(MERGED_BATCHES, limit - stored)
        # One that failed before is taken alone: it may take others down with it.
        next_ones = turns.next_batches(room)
        untried = Batch.objects.filter(pk__in=next_ones, attempts=0)
        claimed = _claim(untried, limit=room, order=next_ones)
        claimed = claimed or _claim(Batch.objects.all(), limit=1)
        if not claimed:
            break
        with ending_after(_patience(claimed)):
            stored += _store(claimed)
    return stored


def _patience(claimed: Sequence[Batch]) -> float:
    """Seconds after which nobody waits for these any more; twenty times the usual."""
    size = sum(batch.byte_count for batch in claimed)
    return settings.INGEST_STORING_SECONDS + size / SLOWEST


@transaction.atomic
def _claim(
    candidates: QuerySet[Batch], *, limit: int, order: Sequence[int] = ()
) -> list[Batch]:
    """Takes batches for the lease and counts the attempt, before it can kill us.

    The oldest first, or those that come first in `order` where memory is short.
    """
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    pending = candidates.filter(free, state=Batch.State.PENDING)
    batches = list(
        pending.order_by("pk")
        .select_for_update(skip_locked=True)
        .defer("payload", "answer")[:limit]
    )
    if order:
        batches.sort(key=lambda batch: order.index(batch.pk))
    batches = _fitting(batches)
    worn_out = [each for each in batches if each.attempts >= MAX_ATTEMPTS]
    for batch in worn_out:
        _park(batch, batch.error or NO_ANSWER)
    claimed = [each for each in batches if each.attempts < MAX_ATTEMPTS]
    Batch.objects.filter(pk__in=[each.pk for each in claimed]).update(
        claimed_at=now, attempts=F("attempts") + 1
    )
    return claimed


def _fitting(batches: list[Batch]) -> list[Batch]:
    """The first of them, and as many more as are stored in one go with it."""
    size = records = 0
    for count, batch in enumerate(batches):
        size += batch.byte_count
        records += batch.accepted
        if count and (size > MERGED_BYTES or records > FLUSH_RECORDS):
            return batches[:count]
    return batches


def _store(claimed: Sequence[Batch]) -> int:
    """Stores claimed batches together, or one by one where together fails."""
    if not claimed:
        return 0
    pks = [batch.pk for batch in claimed]
    try:
        return _despite_deadlocks(lambda: _store_together(pks))
    except (OperationalError, InterfaceError) as error:
        # The database went away: no fault of the batch.
        _empty_frames(error)
        _give_back(pks)
        raise
    except Exception as error:
        _empty_frames(error)
        if len(pks) == 1:
            log.exception("Batch %s could not be stored.", pks[0])
            _fail(pks[0], error)
            return 1
    return sum(_store([batch]) for batch in claimed)


@transaction.atomic
def _store_together(pks: Sequence[int]) -> int:
    repeats.hold_off()
    batches = _held(pks)
    tally = storing.Tally(batches)
    _store_parts(_parts(batches, tally), tally)
    _close(batches, tally)
    return len(batches)


# Seconds between looks; who only looks for work is gone by the next.
_LOOKS: Final = (0.02, 0.2)


def _held(pks: Sequence[int]) -> list[Batch]:
    """Those of them that are to be stored, locked.

    Not those that somebody else is at, for longer than it takes to look: another worker
    that claims batches locks, for that moment, also what was claimed just before it.
    """
    pending = Batch.objects.filter(pk__in=pks, state=Batch.State.PENDING).order_by("pk")
    free = pending.select_for_update(skip_locked=True).defer("payload", "answer")
    found = list(free)
    for pause in _LOOKS:
        if len(found) == len(pks) or len(found) == pending.count():
            break
        time.sleep(pause)
        found = list(free.all())
    return found


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows are many and none of them refers back: to look for cycles among them, over
    and over, costs a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_uncollected()
def _store_parts(parts: Iterable[Part], tally: storing.Tally) -> None:
    """Stores them a memory's worth at a time, and keeps what is not stored."""
    pending: list[Part] = []
    records = size = 0
    for part in parts:
        pending.append(part)
        records += len(part.records)
        size += len(part.chunk.data)
        if records >= FLUSH_RECORDS or size >= FLUSH_BYTES:
            storing.store(pending, tally)
            pending, records, size = [], 0, 0
    storing.store(pending, tally)
    if tally.kept:
        keep(tally.kept)


def _parts(batches: list[Batch], tally: storing.Tally) -> Iterator[Part]:
    """The accepted records of each batch, a chunk at a time."""
    for batch in batches:
        body = unpack(payloads.read(batch.pk), limit=settings.INGEST_MAX_UNPACKED_BYTES)
        rejected = set[int]()
        if batch.rejected:
            rejected = set(batch.lines.values_list("line", flat=True))
        for chunk in lines.chunks(body, max_line=settings.INGEST_MAX_LINE_BYTES):
            found = reading.read(chunk, clock=None)
            for refusal in found.refusals:
                if refusal.line not in rejected:
                    # Accepted under older rules: kept, and counted as refused now.
                    tally.refused[batch.pk] += 1
                    tally.kept.append(KeptLine.of(batch.pk, refusal))
            yield _accepted(batch, chunk, found, rejected)


def _accepted(
    batch: Batch, chunk: lines.Chunk, found: Reading, rejected: set[int]
) -> Part:
    if rejected.isdisjoint(found.lines):
        return Part(batch, chunk, found.lines, found.records, found.written)
    pairs = zip(found.lines, found.records, strict=True)
    kept = [(line, record) for line, record in pairs if line not in rejected]
    return Part(
        batch, chunk, [line for line, _ in kept], [record for _, record in kept]
    )


_COUNTED: Final = (
    *("stored", "stored_events", "skewed"),
    *("duplicates", "conflicts", "refused"),
)
_CLOSE: Final = f"""
UPDATE ingest_batch AS batch SET
    {", ".join(f"{name} = told.{name}" for name in _COUNTED)},
    state = %s, stored_at = %s, payload = NULL, error = '', claimed_at = NULL
FROM unnest(%s::bigint[] {", %s::int[]" * len(_COUNTED)})
    AS told (id, {", ".join(_COUNTED)})
WHERE batch.id = told.id
"""  # noqa: S608 - made of constants


def _close(batches: Sequence[Batch], tally: storing.Tally) -> None:
    """Says what became of them; one statement, as they are many and small."""
    now = timezone.now()
    for batch in batches:
        _count(batch, tally)
        batch.state, batch.stored_at = Batch.State.STORED, now
        batch.payload, batch.error, batch.claimed_at = None, "", None
    counts = [[getattr(batch, name) for batch in batches] for name in _COUNTED]
    pks = [batch.pk for batch in batches]
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [Batch.State.STORED, now, pks, *counts])


def _count(batch: Batch, tally: storing.Tally) -> None:
    if conflicts := tally.conflicts[batch.pk]:
        log.warning(
            "Batch %s: %s event ids came before with other content; see quarantine.",
            batch.pk,
            conflicts,
        )
    batch.stored = tally.stored[batch.pk]
    batch.stored_events = tally.events[batch.pk]
    batch.skewed = tally.skewed[batch.pk]
    batch.duplicates = tally.duplicates[batch.pk]
    batch.conflicts = tally.conflicts[batch.pk]
    batch.refused += tally.refused[batch.pk]


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
