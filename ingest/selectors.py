"""Named reads of facts for the layers above."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Count, F, Max, Min, QuerySet, Sum
from django.db.models.functions import Length, TruncHour
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


def accounts_starting_with(text: str) -> QuerySet[Account]:
    """Accounts whose id begins so, letter for letter, in order of id."""
    starting = Account.objects.filter(external_id__startswith=text)
    return starting.order_by("external_id")


def recent_batches(limit: int = 50) -> QuerySet[Batch]:
    batches = Batch.objects.select_related("source", "key").defer("payload", "answer")
    return batches.order_by("-pk")[:limit]


def quarantine(
    *, code: str = "", fate: str = "", before: int | None = None, limit: int = 200
) -> QuerySet[QuarantinedLine]:
    """Lines that wait for somebody to fix and replay them, newest first.

    Each is annotated `raw_length`, in bytes; what it says is not read. `before` is the
    key of the line to go on below.
    """
    lines = QuarantinedLine.objects.select_related("batch__source", "batch__key")
    lines = lines.defer("raw", "batch__payload", "batch__answer")
    lines = lines.filter(replayed_at=None).annotate(raw_length=Length("raw"))
    if code:
        lines = lines.filter(code=code)
    if fate:
        lines = lines.filter(fate=fate)
    if before is not None:
        lines = lines.filter(pk__lt=before)
    return lines.order_by("-pk")[:limit]


def quarantined_line(pk: int) -> QuarantinedLine | None:
    """One line with its batch; `raw` is read only where it is asked for."""
    lines = QuarantinedLine.objects.select_related("batch__source", "batch__key")
    lines = lines.defer("raw", "batch__payload", "batch__answer")
    return lines.annotate(raw_length=Length("raw")).filter(pk=pk).first()


def quarantine_codes() -> list[str]:
    """Every code that a line was ever kept with."""
    codes = QuarantinedLine.objects.order_by("code").values_list("code", flat=True)
    return list(codes.distinct())


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
class Intake:
    """What one source sent. `waiting` is what is accepted and not stored yet, so that
    received = stored + duplicates + conflicts + quarantined + refused + waiting.
    """

    source: str
    received: int
    stored: int
    duplicates: int
    conflicts: int
    quarantined: int
    refused: int

    @property
    def waiting(self) -> int:
        told = self.stored + self.duplicates + self.conflicts
        return max(self.received - told - self.quarantined - self.refused, 0)


COUNTERS: Final = (
    "received",
    "stored",
    "duplicates",
    "conflicts",
    "quarantined",
    "refused",
)


def intake_by_source(since: datetime | None = None) -> list[Intake]:
    """Sums over the batches received since then, or over all; by name of the source."""
    batches = Batch.objects.filter(received_at__gte=since) if since else Batch.objects
    sums = [Sum(counter) for counter in COUNTERS]
    rows = batches.values_list("source__name").annotate(*sums)
    return [Intake(*row) for row in rows.order_by("source__name")]


_lost = F("quarantined") + F("refused") + F("conflicts")


@dataclass(frozen=True)
class IntakeHour:
    """One UTC hour: records received, and how many of them were not stored."""

    hour: datetime
    received: int
    lost: int


def intake_by_hour(now: datetime, *, hours: int = 24) -> list[IntakeHour]:
    """The last hours, oldest first, those in which nothing came too."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    axis = [last - timedelta(hours=n) for n in range(hours - 1, -1, -1)]
    rows = (
        Batch.objects.filter(received_at__gte=axis[0])
        .values(hour=TruncHour("received_at", tzinfo=UTC))
        .annotate(came=Sum("received"), bad=Sum(_lost))
    )
    found = {row["hour"]: (row["came"], row["bad"]) for row in rows}
    return [IntakeHour(hour, *found.get(hour, (0, 0))) for hour in axis]


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
    """Every key with its source, those in use first.

    Annotated `refused_at`: when it was last shown after it had died, or None.
    """
    keys = IngestKey.objects.select_related("source").annotate(
        refused_at=Max("refusals__refused_at")
    )
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
