"""The accounts a case is about: its cluster's members and those picked by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import (
    BigIntegerField,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Cast, Coalesce, Extract, Round

from ingest.models import Account, AccountDay, Sighting
from investigations.detection.models import Membership
from investigations.models import Case, CaseAccount
from investigations.selectors.keyset import Cursor, slice_of

MEMBER_ROWS = 50

_EXCHANGES = Coalesce(
    Subquery(
        AccountDay.objects.filter(account=OuterRef("pk"))
        .values("account")
        .annotate(total=Sum("requests"))
        .values("total")
    ),
    0,
    output_field=BigIntegerField(),
)
# Each order as one whole number, so that a page can be cut at it exactly.
MEMBER_SORTS = {
    "score": Cast(Round(Coalesce(F("score__score"), 0.0) * 100.0), BigIntegerField()),
    "support": Coalesce(Cast("membership__support", BigIntegerField()), 0),
    "stability": Cast(
        Round(Coalesce(F("membership__stability"), 0.0) * 1000.0), BigIntegerField()
    ),
    "exchanges": _EXCHANGES,
    "first_seen": Cast(Extract("first_seen_at", "epoch"), BigIntegerField()),
}


@dataclass(frozen=True)
class MemberFilter:
    """Which members are looked at; every field comes from the address."""

    min_score: int = 0
    indicator: int | None = None
    sort: str = "score"
    after: Cursor | None = None
    before: Cursor | None = None


@dataclass(frozen=True)
class MemberPage:
    """One page of accounts, each annotated `exchanges`."""

    accounts: Sequence[Account]
    total: int
    everyone: int
    after: Cursor | None
    before: Cursor | None


def case_accounts(case: Case) -> QuerySet[Account]:
    """Every account of a case, live: members come and go while the case is open."""
    picked = CaseAccount.objects.filter(case=case.pk).values("account")
    members = Membership.objects.filter(cluster=case.cluster_id).values("account")
    # A union, because an OR over two joins would read every account there is.
    return Account.objects.filter(pk__in=members.union(picked))


def member_page(case: Case, wanted: MemberFilter) -> MemberPage:
    members = matching_members(case, wanted)
    ranked = members.select_related("membership", "score").annotate(
        rank=MEMBER_SORTS[wanted.sort],
        exchanges=_EXCHANGES,
    )
    page = slice_of(ranked, size=MEMBER_ROWS, after=wanted.after, before=wanted.before)
    return MemberPage(
        accounts=page.rows,
        total=members.count(),
        everyone=case_accounts(case).count(),
        after=page.after,
        before=page.before,
    )


def matching_members(case: Case, wanted: MemberFilter) -> QuerySet[Account]:
    members = case_accounts(case)
    if wanted.min_score:
        members = members.filter(score__score__gte=wanted.min_score)
    if wanted.indicator is not None:
        shows_it = Sighting.objects.filter(
            account=OuterRef("pk"), indicator=wanted.indicator
        )
        members = members.filter(Exists(shows_it))
    return members


def fingerprint_of(case: Case, wanted: MemberFilter) -> tuple[int, int, int]:
    """Tells two sets of matching members apart without fetching either: how many, the
    largest key, and the sum of the keys."""
    found = matching_members(case, wanted).aggregate(
        count=Count("pk"), largest=Max("pk"), total=Sum("pk")
    )
    return found["count"], found["largest"] or 0, int(found["total"] or 0)


def matching_ids(case: Case, wanted: MemberFilter) -> list[int]:
    """Primary keys of every member that matches, whatever page is shown."""
    return list(
        matching_members(case, wanted).order_by("pk").values_list("pk", flat=True)
    )


def mapped_members(case: Case, *, limit: int) -> list[Account]:
    """Accounts with their place on the map, those of the highest score first."""
    members = case_accounts(case).select_related("membership", "score")
    return list(members.order_by(MEMBER_SORTS["score"].desc(), "pk")[:limit])


def proposed_ids(case: Case) -> list[int]:
    """What the machine proposes to ban, as far as the case is still about it."""
    if not (case.cluster and case.cluster.proposed_ban):
        return []
    still = case_accounts(case).filter(pk__in=case.cluster.proposed_ban)
    return list(still.order_by("pk").values_list("pk", flat=True))
