"""Named reads of facts for the layers above."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.utils import timezone

from ingest.inbox import MAX_ERRORS_TOLD
from ingest.models import (
    Account,
    Batch,
    Event,
    IngestKey,
    QuarantinedLine,
    Source,
    StaleDay,
)

RECENT: Final = timedelta(minutes=5)


def recent_events(
    account: Account, limit: int = 200, *, before: datetime | None = None
) -> QuerySet[Event]:
    """The newest events of one account, by event time; reads the account's index."""
    events = Event.objects.filter(account=account)
    if before is not None:
        events = events.filter(occurred_at__lt=before)
    return events.order_by("-occurred_at")[:limit]


def recent_batches(limit: int = 50) -> QuerySet[Batch]:
    batches = Batch.objects.select_related("source", "key").defer("payload", "answer")
    return batches.order_by("-pk")[:limit]


def quarantine(*, code: str = "", limit: int = 200) -> QuerySet[QuarantinedLine]:
    """Lines that wait for somebody to fix and replay them, newest first."""
    lines = QuarantinedLine.objects.select_related("batch__source", "batch__key")
    lines = lines.defer("raw", "batch__payload", "batch__answer")
    lines = lines.filter(replayed_at=None).order_by("-pk")
    return lines.filter(code=code)[:limit] if code else lines[:limit]


def rejects_by_code(since: datetime) -> list[tuple[str, str, int]]:
    """(code, source, lines) of what was not stored since then, most frequent first."""
    rows = QuarantinedLine.objects.filter(created_at__gte=since).values_list(
        "code", "batch__source__name"
    )
    return [
        (code, source, count)
        for code, source, count in rows.annotate(count=Count("pk")).order_by("-count")
    ]


@dataclass(frozen=True)
class Lag:
    """How far storing and rolling up are behind; ages are seconds, 0 when idle."""

    pending_batches: int
    parked_batches: int
    oldest_batch_age: float
    stale_days: int
    oldest_mark_age: float
    events_per_minute: float


def ingest_lag(now: datetime | None = None) -> Lag:
    now = now or timezone.now()
    pending = Batch.objects.filter(state=Batch.State.PENDING)
    waiting = pending.aggregate(count=Count("pk"), oldest=Min("received_at"))
    marks = StaleDay.objects.aggregate(count=Count("pk"), oldest=Min("marked_at"))
    recent = Batch.objects.filter(received_at__gte=now - RECENT)
    received = recent.aggregate(total=Sum("received"))["total"] or 0
    return Lag(
        pending_batches=waiting["count"],
        parked_batches=Batch.objects.filter(state=Batch.State.PARKED).count(),
        oldest_batch_age=_age(waiting["oldest"], now),
        stale_days=marks["count"],
        oldest_mark_age=_age(marks["oldest"], now),
        events_per_minute=received / (RECENT.total_seconds() / 60),
    )


def _age(at: datetime | None, now: datetime) -> float:
    return (now - at).total_seconds() if at is not None else 0.0


def keys_in_order() -> QuerySet[IngestKey]:
    """Every key with its source, those in use first."""
    keys = IngestKey.objects.select_related("source")
    return keys.order_by("revoked_at", "-last_used_at", "pk")


def facts_changed_at() -> datetime | None:
    """When a batch was last stored: nothing below claims has changed since."""
    newest: datetime | None = Batch.objects.aggregate(at=Max("stored_at"))["at"]
    return newest


def batch_of(source: Source, batch_id: uuid.UUID) -> Batch | None:
    """A source sees its own batches only."""
    return (
        Batch.objects.filter(source=source, batch_id=batch_id).defer("payload").first()
    )


def batch_report(batch: Batch) -> dict[str, object]:
    """What the sender may know of a batch, ready for JSON."""
    settled = batch.state == Batch.State.STORED
    lines = batch.lines.order_by("line").defer("raw")[:MAX_ERRORS_TOLD]
    return {
        "batch_id": str(batch.batch_id),
        "state": batch.state,
        "received_at": batch.received_at.isoformat(),
        "stored_at": batch.stored_at.isoformat() if batch.stored_at else None,
        "received": batch.received,
        "accepted": batch.accepted,
        "stored": batch.stored,
        "duplicates": batch.duplicates if settled else None,
        "conflicts": batch.conflicts,
        "quarantined": batch.quarantined,
        "refused": batch.refused,
        "rejected": batch.rejected,
        "unknown_fields": batch.unknown_fields,
        "errors": _errors(lines),
    }


def _errors(lines: Iterable[QuarantinedLine]) -> list[dict[str, object]]:
    return [
        {
            "line": line.line,
            "field": line.field or None,
            "code": line.code,
            "message": line.message,
        }
        for line in lines
    ]
