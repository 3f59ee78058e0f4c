"""The queue: which cases there are for whom, dearest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import BigIntegerField, Count, ExpressionWrapper, F, FloatField, Q
from django.db.models.functions import Cast, Coalesce, Extract, Greatest, Round
from django.db.models.query import QuerySet

from investigations.models import Case
from investigations.selectors.keyset import Cursor, slice_of

QUEUE_ROWS = 50
DONE = (Case.Status.DECIDED, Case.Status.CLOSED)
QUEUE_TABS = ("open", "mine", "unassigned", "awaiting", "done")
NOBODY = "nobody"

# What is lost a day while nobody acts: the chance that it is abuse, times the
# exchanges a day that leave. A case without a cluster has no measured loss.
LOSS_PER_DAY = ExpressionWrapper(
    Coalesce(F("cluster__score"), 0.0)
    / 100.0
    * Coalesce(Cast("cluster__exposure__exchanges", FloatField()), 0.0)
    / Greatest(Coalesce(F("cluster__exposure__days"), 1), 1),
    output_field=FloatField(),
)
# Each order as one whole number, so that a page can be cut at it exactly.
QUEUE_SORTS = {
    "loss": Cast(Round(LOSS_PER_DAY * 100.0), BigIntegerField()),
    "score": Cast(
        Round(Coalesce(F("cluster__score"), F("priority")) * 100.0), BigIntegerField()
    ),
    "size": Coalesce(Cast("cluster__size", BigIntegerField()), 0),
    "exchanges": Coalesce(F("cluster__exposure__exchanges"), 0),
    "tokens": Coalesce(F("cluster__exposure__output_tokens"), 0),
    "opened": Cast(Extract("opened_at", "epoch") * 1000, BigIntegerField()),
    "changed": Cast(Extract("changed_at", "epoch") * 1000, BigIntegerField()),
}


@dataclass(frozen=True)
class QueueFilter:
    """What of the queue is looked at; every field comes from the address."""

    tab: str = "open"
    verdict: str = ""
    band: str = ""
    assignee: str = ""
    sort: str = "loss"
    after: Cursor | None = None
    before: Cursor | None = None


@dataclass(frozen=True)
class QueuePage:
    """One page of cases, each annotated `loss_per_day`, and the count of each tab."""

    cases: Sequence[Case]
    total: int
    counts: dict[str, int]
    after: Cursor | None
    before: Cursor | None


def queue_page(wanted: QueueFilter, *, reader: User) -> QueuePage:
    cases = _narrowed(Case.objects.filter(_of_tab(wanted.tab, reader)), wanted)
    ranked = cases.select_related("cluster__exposure", "assignee").annotate(
        rank=QUEUE_SORTS[wanted.sort], loss_per_day=LOSS_PER_DAY
    )
    page = slice_of(ranked, size=QUEUE_ROWS, after=wanted.after, before=wanted.before)
    return QueuePage(
        cases=page.rows,
        total=cases.count(),
        counts=tab_counts(reader),
        after=page.after,
        before=page.before,
    )


def tab_counts(reader: User) -> dict[str, int]:
    """How many cases each tab holds, in one query."""
    return Case.objects.aggregate(
        **{tab: Count("pk", filter=_of_tab(tab, reader)) for tab in QUEUE_TABS}
    )


def staff_in_roles(roles: Iterable[str]) -> QuerySet[User]:
    """Active people who have one of the roles, by name."""
    people = User.objects.filter(is_active=True, groups__name__in=list(roles))
    return people.distinct().order_by("first_name", "username")


def _of_tab(tab: str, reader: User) -> Q:
    unfinished = Q(status__in=Case.UNFINISHED)
    return {
        "open": unfinished,
        "mine": unfinished & Q(assignee=reader),
        "unassigned": unfinished & Q(assignee=None),
        "awaiting": Q(status=Case.Status.AWAITING_APPROVAL),
        "done": Q(status__in=DONE),
    }[tab]


def _narrowed(cases: QuerySet[Case], wanted: QueueFilter) -> QuerySet[Case]:
    if wanted.verdict:
        cases = cases.filter(cluster__verdict=wanted.verdict)
    if wanted.band:
        cases = cases.filter(cluster__band=wanted.band)
    if wanted.assignee == NOBODY:
        cases = cases.filter(assignee=None)
    elif wanted.assignee:
        cases = cases.filter(assignee__username=wanted.assignee)
    return cases
