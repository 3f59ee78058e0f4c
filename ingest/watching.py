"""What the Ingest page shows: rates, lag, and what became of what arrived.

Read from the counters of batches and of refused requests, never from events: a batch
holds about a thousand of them.
"""

from collections import Counter
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import (
    Aggregate,
    BooleanField,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import TruncHour

from ingest.mending import kept_lines
from ingest.models import (
    Batch,
    QuarantinedLine,
    RefusedRequest,
    Source,
    UnsummedBatch,
)
from ingest.rolling import marks

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
# Ways in that a batch may name, as adapters call them.
NO_KEY: Final = kept_lines.Matching.NO_KEY
# Batches whose unknown fields are read; the newest tell what senders do now.
UNKNOWN_FROM: Final = 1_000
SHOWN: Final = 50


class _Percentile(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: object, share: float) -> None:
        super().__init__(expression, share=share)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked at: one source, key (its prefix, or NO_KEY) or way in, or all,
    over one UTC day, or over the last 24 hours."""

    now: datetime
    source: str = ""
    key: str = ""
    way_in: str = ""
    day: date | None = None

    @property
    def start(self) -> datetime:
        if self.day:
            return datetime.combine(self.day, time(), tzinfo=UTC)
        return self.now - DAY

    @property
    def end(self) -> datetime:
        return self.start + DAY if self.day else self.now

    def batches(self) -> QuerySet[Batch]:
        return Batch.objects.filter(self._who(""))

    def within(self) -> QuerySet[Batch]:
        """Those that arrived in the time that is looked at."""
        return self.batches().filter(
            received_at__gte=self.start, received_at__lte=self.end
        )

    def lines(self) -> QuerySet[QuarantinedLine]:
        return QuarantinedLine.objects.filter(
            self._who("batch__"),
            created_at__gte=self.start,
            created_at__lte=self.end,
        )

    def refusals(self) -> QuerySet[RefusedRequest]:
        first = self.start.replace(minute=0, second=0, microsecond=0)
        rows = RefusedRequest.objects.filter(hour__gte=first, hour__lte=self.end)
        if self.source:
            rows = rows.filter(key__source__name=self.source)
        if self.key:
            unknown = self.key == NO_KEY
            rows = (
                rows.filter(key=None) if unknown else rows.filter(key__prefix=self.key)
            )
        return rows

    def _who(self, path: str) -> Q:
        who = Q()
        if self.source:
            who &= Q(**{f"{path}source__name": self.source})
        if self.way_in:
            who &= Q(**{f"{path}way_in": self.way_in})
        if self.key == NO_KEY:
            who &= Q(**{f"{path}key": None})
        elif self.key:
            who &= Q(**{f"{path}key__prefix": self.key})
        return who


@dataclass(frozen=True, slots=True)
class Pulse:
    """How it goes right now. Rates are records a second, lags are seconds.

    Events are first summed; the rest of a rollup may wait a minute under load.
    `stored_p50` and `stored_p95` are from the 2xx to the stored rows, over what was
    stored in the last hour; None where nothing was.
    """

    rate_1: float
    rate_5: float
    rate_60: float
    stored_p50: float | None
    stored_p95: float | None
    pending: int
    pending_records: int
    oldest_pending: float
    unsummed_events: int
    oldest_unsummed: float
    oldest_rest: float
    parked: int
    conflicts: int


def pulse(watch: Watch) -> Pulse:
    now = watch.now
    hour = (
        watch.batches()
        .filter(received_at__gte=now - HOUR)
        .aggregate(
            **{
                f"last_{minutes}": Sum(
                    "received",
                    filter=Q(received_at__gte=now - timedelta(minutes=minutes)),
                    default=0,
                )
                for minutes in (1, 5, 60)
            }
        )
    )
    took = ExpressionWrapper(F("stored_at") - F("received_at"), DurationField())
    lags = (
        watch.batches()
        .filter(stored_at__gte=now - HOUR)
        .aggregate(p50=_Percentile(took, 0.5), p95=_Percentile(took, 0.95))
    )
    pending = (
        watch.batches()
        .filter(state=Batch.State.PENDING)
        .aggregate(
            count=Count("pk"),
            records=Sum("accepted", default=0),
            oldest=Min("received_at"),
        )
    )
    unsummed = UnsummedBatch.objects.filter(is_summed=False).aggregate(
        events=Sum("events", default=0), oldest=Min("marked_at")
    )
    return Pulse(
        rate_1=hour["last_1"] / 60,
        rate_5=hour["last_5"] / 300,
        rate_60=hour["last_60"] / 3600,
        stored_p50=_seconds(lags["p50"]),
        stored_p95=_seconds(lags["p95"]),
        pending=pending["count"],
        pending_records=pending["records"],
        oldest_pending=_age(pending["oldest"], now),
        unsummed_events=unsummed["events"],
        oldest_unsummed=_age(unsummed["oldest"], now),
        oldest_rest=_age(marks.waiting_since(), now),
        parked=Batch.objects.filter(state=Batch.State.PARKED).count(),
        conflicts=kept_lines.waiting_conflicts(),
    )


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _age(at: datetime | None, now: datetime) -> float:
    return max((now - at).total_seconds(), 0.0) if at is not None else 0.0


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of the records that arrived. `pending` was accepted and is not
    stored yet, so that the others add up to `received`."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    refused: int = 0
    pending: int = 0

    @property
    def lost(self) -> int:
        return self.conflicts + self.quarantined + self.refused


_COUNTERS: Final = tuple(each.name for each in fields(Fates))[:-1]


def _sums() -> dict[str, Any]:
    waiting = Sum("accepted", filter=~Q(state=Batch.State.STORED), default=0)
    return {f"n_{name}": Sum(name) for name in _COUNTERS} | {"n_pending": waiting}


def _fates(row: dict[str, Any]) -> Fates:
    return Fates(*(row[f"n_{name}"] for name in (*_COUNTERS, "pending")))


def by_hour(watch: Watch) -> list[tuple[datetime, Fates]]:
    """24 UTC hours, oldest first, those in which nothing came too."""
    last = (watch.end - timedelta(microseconds=1)) if watch.day else watch.now
    last = last.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    axis = [last - n * HOUR for n in range(23, -1, -1)]
    rows = (
        watch.batches()
        .filter(received_at__gte=axis[0], received_at__lt=last + HOUR)
        .values(hour=TruncHour("received_at", tzinfo=UTC))
        .annotate(**_sums())
    )
    found = {row["hour"]: _fates(dict(row)) for row in rows}
    return [(hour, found.get(hour, Fates())) for hour in axis]


def by_source(watch: Watch) -> list[tuple[str, Fates]]:
    rows = list(watch.within().values("source_id").annotate(**_sums()))
    names = dict(Source.objects.values_list("pk", "name"))
    found = [(names[row["source_id"]], _fates(dict(row))) for row in rows]
    return sorted(found, key=lambda each: each[0])


@dataclass(frozen=True, slots=True)
class Reason:
    """How often one sender met one reason; `key` is a prefix, empty for none."""

    code: str
    source: str
    key: str
    name: str
    count: int
    status: int = 0
    size: int = 0
    last_at: datetime | None = None


def rejects(watch: Watch) -> list[Reason]:
    """Lines that were not stored, by code and key, most frequent first."""
    rows = watch.lines().values_list(
        "code", "batch__source__name", "batch__key__prefix", "batch__key__name"
    )
    counted = rows.annotate(count=Count("pk")).order_by("-count")[:SHOWN]
    return [
        Reason(code, source, prefix or "", name or "", count)
        for code, source, prefix, name, count in counted
    ]


def refused(watch: Watch) -> list[Reason]:
    """Requests that were refused as a whole, by code and key, most frequent first."""
    rows = watch.refusals().values(
        "code", "status", "key__source__name", "key__prefix", "key__name"
    )
    counted = rows.annotate(n=Sum("count"), size=Sum("byte_count"), at=Max("last_at"))
    return [
        Reason(
            row["code"],
            row["key__source__name"] or "",
            row["key__prefix"] or "",
            row["key__name"] or "",
            row["n"],
            row["status"],
            row["size"],
            row["at"],
        )
        for row in counted.order_by("-n")[:SHOWN]
    ]


def unknown_fields(watch: Watch) -> list[Reason]:
    """Fields that the contract does not know, by name and key, most frequent first.

    Of the newest batches that had any.
    """
    rows = watch.within().exclude(unknown_fields={}).order_by("-pk")
    seen = Counter[tuple[str, str, str, str]]()
    for told, source, prefix, name in rows.values_list(
        "unknown_fields", "source__name", "key__prefix", "key__name"
    )[:UNKNOWN_FROM]:
        for field, count in told.items():
            seen[(field, source, prefix or "", name or "")] += count
    return [Reason(*what, count) for what, count in seen.most_common(SHOWN)]


def clocks_ahead(watch: Watch) -> list[Reason]:
    """Stored events whose time was more than ten minutes ahead of ours, by key."""
    rows = watch.within().filter(skewed__gt=0)
    counted = rows.values("source__name", "key__prefix", "key__name").annotate(
        n=Sum("skewed"), at=Max("received_at")
    )
    return [
        Reason(
            "",
            row["source__name"],
            row["key__prefix"] or "",
            row["key__name"] or "",
            row["n"],
            last_at=row["at"],
        )
        for row in counted.order_by("-n")[:SHOWN]
    ]


def parked() -> QuerySet[Batch]:
    """Batches that failed three times, newest first.

    Annotated `has_body`: without one, which retention takes, there is nothing to try.
    """
    has_body = ExpressionWrapper(Q(payload__isnull=False), BooleanField())
    batches = Batch.objects.filter(state=Batch.State.PARKED).annotate(has_body=has_body)
    batches = batches.select_related("source", "key").defer("payload", "answer")
    return batches.order_by("-pk")


_TROUBLES: Final = """
SELECT (SELECT count(*) FROM ingest_batch WHERE state = 'parked') + (
    SELECT count(*) FROM (
        SELECT FROM ingest_quarantinedline WHERE fate = 'conflict'
            AND replayed_at IS NULL AND discarded_at IS NULL LIMIT 999
    ) AS conflict
)
"""


def troubles() -> int:
    """What waits for somebody: parked batches, and lines in conflict. One query, since
    the navigation of every page shows it."""
    with connection.cursor() as cursor:
        cursor.execute(_TROUBLES)
        return int(cursor.fetchone()[0])
