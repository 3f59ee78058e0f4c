"""The state of things on one page."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate

from ingest.models import AccountDay
from investigations import policies
from investigations.detection.models import Cluster, ClusterHour, Membership
from investigations.models import Approval, Case, Decision, Effect
from investigations.selectors.queue import QUEUE_SORTS

DAYS = 21
CASES = 8
CLUSTERS = 6
DECISIONS = 6


@dataclass(frozen=True)
class Standing:
    """Counts of what there is to do and of what is leaving."""

    open_cases: int
    unassigned: int
    awaiting: int
    suspected_clusters: int
    suspected_accounts: int
    exchanges_week: int
    exchanges_week_all: int
    deliveries_waiting: int
    deliveries_parked: int


@dataclass(frozen=True)
class Losses:
    """Exchanges a day of suspected clusters: `verdicts[title][i]` is of `days[i]`."""

    days: list[date]
    verdicts: dict[str, list[int]]


def standing(now: datetime) -> Standing:
    cases = Case.objects.aggregate(
        open=Count("pk", Q(status__in=Case.UNFINISHED)),
        unassigned=Count("pk", Q(status__in=Case.UNFINISHED, assignee=None)),
    )
    effects = Effect.objects.aggregate(
        waiting=Count("pk", Q(state=Effect.State.PENDING)),
        parked=Count("pk", Q(state=Effect.State.PARKED)),
    )
    hot = Cluster.objects.filter(live=True, score__gte=policies.HOT_SCORE)
    since = now - timedelta(days=7)
    taken = ClusterHour.objects.filter(cluster__in=hot, hour__gte=since)
    everyone = AccountDay.objects.filter(day__gte=since.date())
    return Standing(
        open_cases=cases["open"],
        unassigned=cases["unassigned"],
        awaiting=Approval.objects.filter(
            state=Approval.State.REQUESTED, expires_at__gt=now
        ).count(),
        suspected_clusters=hot.count(),
        suspected_accounts=Membership.objects.filter(cluster__in=hot).count(),
        exchanges_week=taken.aggregate(n=Sum("requests"))["n"] or 0,
        exchanges_week_all=everyone.aggregate(n=Sum("requests"))["n"] or 0,
        deliveries_waiting=effects["waiting"],
        deliveries_parked=effects["parked"],
    )


def losses(now: datetime) -> Losses:
    """The last three weeks, today included."""
    last = now.date()
    days = [last - timedelta(days=n) for n in range(DAYS - 1, -1, -1)]
    rows = (
        ClusterHour.objects.filter(
            cluster__live=True,
            cluster__score__gte=policies.HOT_SCORE,
            hour__gte=now - timedelta(days=DAYS),
        )
        .values(day=TruncDate("hour"), verdict=F("cluster__verdict"))
        .annotate(requests=Sum("requests"))
    )
    place = {day: n for n, day in enumerate(days)}
    verdicts: dict[str, list[int]] = {}
    for row in rows:
        if row["day"] in place:
            title = str(Cluster.Verdict(row["verdict"]).label)
            counts = verdicts.setdefault(title, [0] * len(days))
            counts[place[row["day"]]] = row["requests"]
    return Losses(days, dict(sorted(verdicts.items())))


def urgent_cases() -> list[Case]:
    """Open cases in the order of the queue: what costs most while nobody acts."""
    cases = Case.objects.unfinished().select_related("cluster__exposure", "assignee")
    return list(cases.order_by(QUEUE_SORTS["loss"].desc(), "-pk")[:CASES])


def newest_clusters() -> list[Cluster]:
    hot = Cluster.objects.filter(live=True, score__gte=policies.HOT_SCORE)
    newest = hot.select_related("exposure").order_by("-first_flagged_at", "-pk")
    return list(newest[:CLUSTERS])


def last_decisions() -> list[Decision]:
    related = Decision.objects.select_related(
        "approval", "case", "made_by", "target_list"
    )
    return list(related.order_by("-pk")[:DECISIONS])
