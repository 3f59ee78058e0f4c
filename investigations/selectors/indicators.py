"""Shared values as their own pages read them: who shows one, and who stands behind."""

from dataclasses import dataclass
from datetime import date

from django.db.models import (
    BigIntegerField,
    Count,
    F,
    Max,
    Min,
    QuerySet,
)
from django.db.models.functions import Cast, Round

from ingest.models import Account, Indicator, Sighting, Template
from investigations.detection.models import Cluster, IndicatorProfile, Membership
from investigations.selectors.keyset import Cursor, Slice, slice_of

INDICATOR_ROWS = 50
CLUSTERS = 20
# Each order as one whole number, so that a page can be cut at it exactly.
INDICATOR_SORTS = {
    "likeness": Cast(Round(F("likeness") * 10_000.0), BigIntegerField()),
    "accounts": Cast("accounts", BigIntegerField()),
}


@dataclass(frozen=True)
class Span:
    """Accounts that showed a value, and on which days first and last."""

    accounts: int
    since: date | None
    until: date | None


def looked_at() -> QuerySet[IndicatorProfile]:
    """Values that so many customers share that the last pass looked at these."""
    return IndicatorProfile.objects.filter(likeness__isnull=False)


def indicator_page(
    profiles: QuerySet[IndicatorProfile],
    *,
    sort: str = "likeness",
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Slice[IndicatorProfile]:
    ranked = profiles.select_related("indicator").annotate(rank=INDICATOR_SORTS[sort])
    return slice_of(ranked, size=INDICATOR_ROWS, after=after, before=before)


def indicator_with(pk: int) -> Indicator | None:
    return Indicator.objects.select_related("profile").filter(pk=pk).first()


def span_of(indicator: Indicator) -> Span:
    """From the sightings themselves: they go on between two passes."""
    seen = Sighting.objects.filter(indicator=indicator).aggregate(
        accounts=Count("pk"), since=Min("first_seen_on"), until=Max("last_seen_on")
    )
    return Span(**seen)


def showing(indicator: Indicator) -> QuerySet[Account]:
    return Account.objects.filter(sightings__indicator=indicator)


def clusters_showing(indicator: Indicator) -> list[tuple[Cluster, int]]:
    """Live clusters with members that show it, and how many, the most on top."""
    rows = list(
        Membership.objects.filter(
            account__sightings__indicator=indicator, cluster__live=True
        )
        .values("cluster")
        .annotate(members=Count("pk"))
        .order_by("-members", "cluster")[:CLUSTERS]
    )
    found = Cluster.objects.in_bulk(row["cluster"] for row in rows)
    return [(found[row["cluster"]], row["members"]) for row in rows]


def wording_of(indicator: Indicator) -> str | None:
    """What a prompt template's hash stands for, where its text was kept; private."""
    if indicator.kind != Indicator.Kind.SKELETON:
        return None
    if not indicator.value.lstrip("-").isdigit():
        return None
    found = Template.objects.filter(skeleton_hash=int(indicator.value)).first()
    return found.text if found else None
