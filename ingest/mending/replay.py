"""Lines that were not stored, sent once more: as they are, or as they were mended.

A line is replayed at most once. It goes into a batch of its own way in, under the
source and the key it came with, so that the same event ids meet and a key can still be
taken back with all it sent. That batch is received like any other; the line stays in
the count of its first batch, with a note where it went.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingest.doors.errors import BadFile, NothingToDo, StillBad
from ingest.doors.inbox import clock_at
from ingest.drain import writers
from ingest.mending.fixing import Fix
from ingest.mending.kept_lines import WAITING, Matching
from ingest.models import Batch, QuarantinedLine
from ingest.records import reading
from ingest.records.lines import Chunk

WAY_IN = "replay"
Mended = tuple[QuarantinedLine, bytes]


@transaction.atomic
def replay(lines: Sequence[QuarantinedLine]) -> list[Batch]:
    """Accepts the lines anew, one batch a source and key; each at most once.

    What is wrong with a line still is told by the new batch, which keeps it again.
    """
    waiting = lock(QuarantinedLine.objects.filter(pk__in=[line.pk for line in lines]))
    return send([(line, bytes(line.raw)) for line in waiting])


def lock(
    lines: QuerySet[QuarantinedLine], *, limit: int | None = None
) -> list[QuarantinedLine]:
    """Those of the lines that wait still, the first by key, with their batches."""
    waiting = lines.filter(WAITING).select_for_update(of=("self",))
    rows = waiting.select_related("batch__source", "batch__key")
    return list(rows.defer("batch__payload", "batch__answer").order_by("pk")[:limit])


def send(lines: Iterable[Mended]) -> list[Batch]:
    """Accepts locked lines, one batch a source and key, within the transaction."""
    by_sender: dict[tuple[int, int | None], list[Mended]] = {}
    for line, raw in lines:
        sender = line.batch.source_id, line.batch.key_id
        by_sender.setdefault(sender, []).append((line, raw))
    return [_send_one_sender(each) for each in by_sender.values()]


def _send_one_sender(lines: Sequence[Mended]) -> Batch:
    first = lines[0][0].batch
    batch = writers.accept(
        [b"".join(raw + b"\n" for _, raw in lines)],
        writers.Origin(first.source, first.key, WAY_IN),
        keep_noise=True,
    )
    QuarantinedLine.objects.filter(pk__in=[line.pk for line, _ in lines]).update(
        replayed_at=timezone.now(), replay_batch_id=batch.pk
    )
    return batch


@transaction.atomic
def replace(line: QuarantinedLine, fixed: bytes) -> Batch:
    """Accepts a corrected text in the place of one line.

    Raises StillBad where it is still no record, and then nothing has changed;
    NothingToDo where the line has been settled meanwhile.
    """
    fixed = fixed.strip()
    if b"\n" in fixed:
        raise BadFile("One line is replaced by one line.")
    waiting = lock(QuarantinedLine.objects.filter(pk=line.pk))
    if not waiting:
        raise NothingToDo("This line was replayed or discarded before.")
    found = reading.read(Chunk(fixed, 1, 0), clock_at(timezone.now()))
    for refusal in found.refusals:
        raise StillBad(refusal.verdict.message, where=refusal.verdict.field)
    if not found.records:
        raise StillBad("There is no record in it.")
    return send([(waiting[0], fixed)])[0]


def passing(
    lines: Sequence[QuarantinedLine], fix: Fix | None
) -> tuple[list[Mended], int]:
    """The lines that would now be accepted, as mended, and how many would not."""
    mended = [
        (line, made)
        for line in lines
        if (made := fix.apply(bytes(line.raw)) if fix else bytes(line.raw)) is not None
        and made.strip()
        and b"\n" not in made
    ]
    good: list[Mended] = []
    if mended:
        chunk = Chunk(b"\n".join(made for _, made in mended), 1, 0)
        found = reading.read(chunk, clock_at(timezone.now()))
        good = [mended[number - 1] for number in found.lines]
    return good, len(lines) - len(good)


def discard_all(matching: Matching) -> int:
    """As `discard`, for every line that matches; says how many.

    A line that a replay has in hand is waited for, and left alone once it is replayed.
    """
    chosen = matching.lines().values("pk")
    waiting = QuarantinedLine.objects.filter(WAITING, pk__in=chosen)
    return waiting.update(discarded_at=timezone.now())


@transaction.atomic
def discard(line: QuarantinedLine) -> None:
    """The line waits no longer and is kept until its time is up. Raises NothingToDo."""
    if not QuarantinedLine.objects.filter(WAITING, pk=line.pk).update(
        discarded_at=timezone.now()
    ):
        raise NothingToDo("This line was replayed or discarded before.")
