"""Lines that were not stored, sent once more: as they are, or as they were fixed."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from ingest import writers
from ingest.errors import BadFile
from ingest.models import Batch, QuarantinedLine


@transaction.atomic
def replay(lines: Sequence[QuarantinedLine]) -> list[Batch]:
    """Accepts the lines anew, one batch a source; each is replayed at most once.

    What is wrong with a line still is told by the new batch, which keeps it again.
    """
    by_source: dict[int, list[QuarantinedLine]] = {}
    pks = [line.pk for line in lines]
    waiting = QuarantinedLine.objects.filter(pk__in=pks, replayed_at=None)
    waiting = waiting.select_for_update(of=("self",)).select_related("batch__source")
    for line in waiting.order_by("pk"):
        by_source.setdefault(line.batch.source_id, []).append(line)
    return [_replay_one_source(each) for each in by_source.values()]


def _replay_one_source(lines: Sequence[QuarantinedLine]) -> Batch:
    batch = writers.accept(
        [b"".join(bytes(line.raw) + b"\n" for line in lines)],
        writers.Origin(lines[0].batch.source, way_in="replay"),
        keep_noise=True,
    )
    _note(line.pk for line in lines)
    return batch


@transaction.atomic
def replace(line: QuarantinedLine, fixed: bytes) -> Batch:
    """Accepts a corrected text in the place of one line. Raises IngestRefused."""
    if b"\n" in fixed.strip():
        raise BadFile("One line is replaced by one line.")
    if line.replayed_at is not None:
        raise BadFile("This line was replayed before.")
    origin = writers.Origin(line.batch.source, way_in="replay")
    batch = writers.accept([fixed], origin)
    _note([line.pk])
    return batch


def _note(pks: Iterable[int]) -> None:
    QuarantinedLine.objects.filter(pk__in=list(pks)).update(replayed_at=timezone.now())
