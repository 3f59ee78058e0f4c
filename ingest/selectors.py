"""Named reads of facts for the layers above."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Length

from ingest.doors.inbox import MAX_ERRORS_TOLD
from ingest.mending.kept_lines import Matching
from ingest.models import (
    Account,
    AutonomousSystem,
    Batch,
    Event,
    IngestKey,
    QuarantinedLine,
    Source,
)
from ingest.places import network_classes

EVERY_LINE: Final = Matching()


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


def quarantine(
    *,
    matching: Matching = EVERY_LINE,
    before: int | None = None,
    limit: int = 200,
) -> QuerySet[QuarantinedLine]:
    """Lines that wait for somebody to mend and replay them, newest first.

    Each is annotated `raw_length`, in bytes; what it says is not read. `before` is the
    key of the line to go on below.
    """
    lines = matching.lines().select_related("batch__source", "batch__key")
    lines = lines.defer("raw", "batch__payload", "batch__answer")
    if before is not None:
        lines = lines.filter(pk__lt=before)
    return lines.annotate(raw_length=Length("raw")).order_by("-pk")[:limit]


def quarantined_line(pk: int) -> QuarantinedLine | None:
    """One line with its batch; `raw` is read only where it is asked for."""
    lines = QuarantinedLine.objects.select_related("batch__source", "batch__key")
    lines = lines.defer("raw", "batch__payload", "batch__answer")
    return lines.annotate(raw_length=Length("raw")).filter(pk=pk).first()


def quarantine_codes() -> list[str]:
    """Every code that a line was ever kept with."""
    codes = QuarantinedLine.objects.order_by("code").values_list("code", flat=True)
    return list(codes.distinct())


def keys_in_order() -> QuerySet[IngestKey]:
    """Every key with its source, those in use first.

    Annotated `refused_at`: when it was last shown after it had died, or None.
    """
    keys = IngestKey.objects.select_related("source").annotate(
        refused_at=Max("refusals__refused_at"),
        alarmed_at=Max("blocks__first_used_at", filter=Q(blocks__is_alarming=True)),
    )
    return keys.order_by(
        F("revoked_at").asc(nulls_first=True),
        F("last_used_at").desc(nulls_last=True),
        "pk",
    )


def facts_changed_at() -> datetime | None:
    """When a batch was last stored: nothing below claims has changed since."""
    newest: datetime | None = Batch.objects.aggregate(at=Max("stored_at"))["at"]
    return newest


def system_names(asns: Iterable[int | None]) -> dict[int, str]:
    """Names of autonomous systems, as far as a table or a list told them."""
    wanted = {asn for asn in asns if asn}
    if not wanted:
        return {}
    listed = {asn: network_classes.listed_name(asn) for asn in wanted}
    told = AutonomousSystem.objects.filter(pk__in=wanted).values_list("asn", "name")
    return {asn: name for asn, name in listed.items() if name} | dict(told)


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
        "clock_ahead": batch.skewed,
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
