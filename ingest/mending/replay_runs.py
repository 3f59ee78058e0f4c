"""Every line that matches, mended the same way, in the background, resumable."""

import logging
from dataclasses import asdict, dataclass
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from ingest.mending import replay
from ingest.mending.fixing import Fix
from ingest.mending.kept_lines import Matching
from ingest.models import QuarantinedLine, ReplayRun

# Lines a transaction; and of a preview.
AT_ONCE: Final = 2_000
PREVIEWED: Final = 10_000
MAX_ATTEMPTS: Final = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Preview:
    """What a run would do now: of `looked_at` lines `good` would be accepted.

    `total` counts all lines that match, at most `kept_lines.COUNTED` + 1.
    """

    total: int
    looked_at: int
    good: int


def preview(matching: Matching, fix: Fix | None) -> Preview:
    """Reads the first lines as a run would, and writes nothing."""
    looked_at = good = 0
    position: int | None = 0
    while position is not None and looked_at < PREVIEWED:
        lines = list(_after(matching, position)[:AT_ONCE])
        good += len(replay.passing(lines, fix)[0])
        looked_at += len(lines)
        position = lines[-1].pk if lines else None
    return Preview(matching.count(), looked_at, good)


def _after(matching: Matching, position: int) -> QuerySet[QuarantinedLine]:
    return matching.lines().filter(pk__gt=position).order_by("pk")


def start(
    matching: Matching, fix: Fix | None, *, asked_by: str, reason: str
) -> ReplayRun:
    """Orders a run over what matches now; what is kept later is not part of it."""
    last = matching.lines().aggregate(last=Max("pk"))["last"] or 0
    return ReplayRun.objects.create(
        asked_by=asked_by,
        reason=reason,
        matching=matching.as_json(),
        fix=asdict(fix) if fix else None,
        last_line=last,
        total=matching.lines().filter(pk__lte=last).count(),
    )


def go_on() -> int:
    """Takes every run that waits to its end; says how many lines were replayed."""
    replayed = 0
    for pk in ReplayRun.objects.filter(state=ReplayRun.State.WAITING).values_list(
        "pk", flat=True
    ):
        while (sent := _attempt(pk)) is not None:
            replayed += sent
    return replayed


def _attempt(pk: int) -> int | None:
    """One portion of a run; None where there is nothing more to do for now."""
    # Counted before it is tried: a portion may take the process down with it.
    ReplayRun.objects.filter(pk=pk).update(attempts=F("attempts") + 1)
    try:
        return _portion(pk)
    except (OperationalError, InterfaceError):
        raise  # the database is away: nothing happened, and the next look goes on
    except Exception as error:
        log.exception("A portion of replay %s failed.", pk)
        _note_failure(pk, f"{type(error).__name__}: {error}"[:1000])
        return None


@transaction.atomic
def _portion(pk: int) -> int | None:
    waiting = ReplayRun.objects.filter(pk=pk, state=ReplayRun.State.WAITING)
    run = waiting.select_for_update(skip_locked=True).first()
    if run is None:
        return None
    if run.attempts > MAX_ATTEMPTS:
        _finish(run, ReplayRun.State.FAILED)
        return None
    matching = Matching.from_json(run.matching)
    ahead = _after(matching, run.position).filter(pk__lte=run.last_line)
    lines = replay.lock(ahead, limit=AT_ONCE)
    if not lines:
        _finish(run, ReplayRun.State.DONE)
        return None
    good, bad = replay.passing(lines, Fix(**run.fix) if run.fix else None)
    run.batch_ids += [batch.pk for batch in replay.send(good)]
    run.position = lines[-1].pk
    run.replayed += len(good)
    run.still_bad += bad
    run.attempts, run.error = 0, ""
    run.save()
    return len(good)


def _finish(run: ReplayRun, state: str) -> None:
    run.state, run.finished_at = state, timezone.now()
    run.error = run.error or (
        "Three attempts ended without an answer." if state == "failed" else ""
    )
    run.save()


def _note_failure(pk: int, error: str) -> None:
    ReplayRun.objects.filter(pk=pk).update(error=error)
