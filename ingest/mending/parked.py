"""Batches that failed three times, tried again because a person says so."""

import uuid

from ingest.doors.errors import NothingToDo
from ingest.doors.hints import bell
from ingest.models import Batch


def try_again(batch_id: uuid.UUID) -> Batch:
    """Three new attempts for a parked batch. Raises NothingToDo."""
    batches = Batch.objects.filter(batch_id=batch_id, state=Batch.State.PARKED)
    parked = batches.defer("payload").first()
    if parked is None:
        raise NothingToDo("This batch is not parked; somebody was faster.")
    if not batches.exclude(payload=None).update(
        state=Batch.State.PENDING, attempts=0, claimed_at=None
    ):
        raise NothingToDo(
            "What this batch brought is gone: it was parked for longer than bodies "
            "are kept.",
            hint="Let the sender send it once more.",
        )
    bell.ring(parked.pk)
    return parked
