"""Mending what was not stored, as leads and admins do. Each change is audited."""

import uuid

from django.contrib.auth.models import User
from django.db import transaction

from ingest.mending import parked, replay, replay_runs
from ingest.mending.fixing import Fix
from ingest.mending.kept_lines import Matching
from ingest.models import Batch, QuarantinedLine, ReplayRun
from investigations import access, policies
from investigations.actions import audit


@transaction.atomic
def mend_line(*, line: QuarantinedLine, text: str, reason: str, by: User) -> Batch:
    """The corrected line is sent in place of the kept one.

    Raises NotAllowed, BadReason; StillBad and NothingToDo of ingest.
    """
    access.require(by, access.REVEAL)
    return _replace(line, text.encode(errors="replace"), reason, by, changed=True)


@transaction.atomic
def replay_line(*, line: QuarantinedLine, reason: str, by: User) -> Batch:
    """The kept line is sent once more as it is. Raises as `mend_line` does."""
    return _replace(line, bytes(line.raw), reason, by, changed=False)


def _replace(
    line: QuarantinedLine, text: bytes, reason: str, by: User, *, changed: bool
) -> Batch:
    access.require(by, access.MEND_INGEST)
    why = policies.clean_reason(reason)
    batch = replay.replace(line, text)
    went_to = str(batch.batch_id)
    _record_line("line.replayed", line, why, by, batch=went_to, mended=changed)
    return batch


@transaction.atomic
def discard_line(*, line: QuarantinedLine, reason: str, by: User) -> None:
    """The line waits no longer. Raises NotAllowed, BadReason, NothingToDo."""
    access.require(by, access.MEND_INGEST)
    why = policies.clean_reason(reason)
    replay.discard(line)
    _record_line("line.discarded", line, why, by)


def _record_line(
    verb: str, line: QuarantinedLine, why: str, by: User, **detail: object
) -> None:
    audit.record(
        verb,
        by=by,
        object_type="line",
        object_ref=str(line.pk),
        reason=why,
        code=line.code,
        came_with=str(line.batch.batch_id),
        **detail,
    )


@transaction.atomic
def start_replay(
    *, matching: Matching, fix: Fix | None, reason: str, by: User
) -> ReplayRun:
    """Every line that matches is sent once more, with the change. Raises NotAllowed,
    BadReason."""
    access.require(by, access.MEND_INGEST)
    why = policies.clean_reason(reason)
    run = replay_runs.start(matching, fix, asked_by=by.get_username(), reason=why)
    audit.record(
        "lines.replayed",
        by=by,
        object_type="replay",
        object_ref=str(run.pk),
        reason=why,
        matching=run.matching,
        change=str(fix) if fix else "",
        lines=run.total,
    )
    return run


@transaction.atomic
def discard_lines(*, matching: Matching, reason: str, by: User) -> int:
    """Every line that matches waits no longer; says how many. Raises NotAllowed,
    BadReason."""
    access.require(by, access.MEND_INGEST)
    why = policies.clean_reason(reason)
    lines = replay.discard_all(matching)
    audit.record(
        "lines.discarded",
        by=by,
        object_type="line",
        object_ref="many",
        reason=why,
        matching=matching.as_json(),
        lines=lines,
    )
    return lines


@transaction.atomic
def try_batch_again(*, batch_id: uuid.UUID, by: User) -> Batch:
    """A parked batch gets three new attempts. Raises NotAllowed, NothingToDo."""
    access.require(by, access.MEND_INGEST)
    batch = parked.try_again(batch_id)
    audit.record(
        "batch.tried_again",
        by=by,
        object_type="batch",
        object_ref=str(batch.batch_id),
        source=batch.source.name,
        error=batch.error,
    )
    return batch
