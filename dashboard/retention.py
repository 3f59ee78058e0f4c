"""What the page about retention shows: kinds, holds, and how both stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count
from django.utils import timezone

from ingest.keeping import retention
from ingest.keeping.retention_kinds import KINDS, Kind
from ingest.models import LegalHold, RetentionRun


@dataclass(frozen=True)
class ShownKind:
    """`before`: the first day that stays; `oldest`: the day of the oldest row there is;
    `run`: the last one, if any."""

    kind: Kind
    before: date
    oldest: date | None
    run: RetentionRun | None

    @property
    def is_due(self) -> bool:
        """Whether something is past its day: it goes tonight, or a hold keeps it."""
        return self.oldest is not None and self.oldest < self.before


def shown_kinds() -> list[ShownKind]:
    runs = RetentionRun.objects.order_by("kind", "-started_at").distinct("kind")
    last = {run.kind: run for run in runs}
    now = timezone.now()
    return [
        ShownKind(kind, kind.before(now), retention.oldest(kind), last.get(kind.key))
        for kind in KINDS
    ]


@dataclass(frozen=True)
class ShownHold:
    hold: LegalHold
    state: str
    named: str
    accounts: int

    @property
    def dialog(self) -> str:
        """Id of the dialog that asks before it is released."""
        return f"release-{self.hold.pk}"


def shown_holds() -> Sequence[ShownHold]:
    """Those in force first, then those that are over, each the newest first."""
    found = LegalHold.objects.select_related("source")
    rows = [
        ShownHold(hold, state_of(hold), named(hold), hold.account_count)
        for hold in found.annotate(account_count=Count("accounts")).order_by("-pk")
    ]
    return sorted(rows, key=lambda row: row.state != "in force")


def state_of(hold: LegalHold) -> str:
    if hold.released_at:
        return "released"
    if hold.expires_at and hold.expires_at <= timezone.now():
        return "expired"
    return "in force"


def named(hold: LegalHold) -> str:
    """What the hold names besides accounts, which are counted."""
    if hold.scope == LegalHold.Scope.CASE:
        return hold.case_ref
    if hold.scope == LegalHold.Scope.ORGANIZATION:
        return hold.organization_id or ""
    return hold.source.name if hold.source else ""
