"""How much had left when: what each step of finding a campaign came too late for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from investigations.detection import exposure
from investigations.detection.models import Cluster, ClusterHour, Exposure
from investigations.models import Case, Decision, Effect

Hour = tuple[datetime, int, int, dict[str, int]]
ACTS = (Decision.Verdict.BAN, Decision.Verdict.RESTRICT)


@dataclass(frozen=True)
class Milestone:
    """A moment of the case, and what had left by then, to the hour.

    `share` is of all that left so far; `at` is None for what has not happened yet,
    and then the sums are those of now.
    """

    name: str
    at: datetime | None
    exchanges: int
    output_tokens: int
    share: float
    by_intent: list[tuple[str, int]]

    @property
    def percent(self) -> int:
        return round(100 * self.share)


def milestones(case: Case) -> list[Milestone]:
    """First flag, case, decision, effect; empty while nothing was measured."""
    whole: Exposure | None = getattr(case.cluster, "exposure", None)
    if whole is None or case.cluster is None or not whole.exchanges:
        return []
    moments = list(_moments(case))
    earliest = min((at for _, at in moments if at), default=None)
    later: list[Hour] = []
    if earliest is not None:
        hours = ClusterHour.objects.filter(cluster=case.cluster, hour__gte=earliest)
        later = list(
            hours.values_list("hour", "requests", "output_tokens", "by_intent")
        )
    return [_before(whole, name, at, later) for name, at in moments]


def _moments(case: Case) -> Iterable[tuple[str, datetime | None]]:
    assert case.cluster is not None
    decided = Decision.objects.filter(case=case, verdict__in=ACTS).in_force()
    delivered = Effect.objects.filter(
        decision__in=decided, state=Effect.State.DELIVERED
    ).aggregate(first=Min("delivered_at"), last=Max("delivered_at"))
    yield "First flag", _first_flag(case, case.cluster)
    yield "Case opened", case.opened_at
    yield "Decision", decided.aggregate(at=Min("made_at"))["at"]
    yield "First effect", delivered["first"]
    yield "Last effect", delivered["last"]


def _first_flag(case: Case, cluster: Cluster) -> datetime | None:
    """Of the cluster, or of the part of it about which the case was opened."""
    opened_on = case.opened_on.get("cluster", cluster.ref)
    part = Cluster.objects.filter(pk=int(opened_on.removeprefix("CL-")))
    flags = [cluster.first_flagged_at, *part.values_list("first_flagged_at", flat=True)]
    return min(filter(None, flags), default=None)


def _before(
    whole: Exposure, name: str, at: datetime | None, hours: list[Hour]
) -> Milestone:
    later = [row[1:] for row in hours if at is not None and row[0] >= at]
    asked_later = exposure.summed(row[2] for row in later)
    exchanges = max(0, whole.exchanges - sum(row[0] for row in later))
    by_intent = {
        intent: count - asked_later.get(intent, 0)
        for intent, count in whole.by_intent.items()
    }
    return Milestone(
        name=name,
        at=at,
        exchanges=exchanges,
        output_tokens=max(0, whole.output_tokens - sum(row[1] for row in later)),
        share=exchanges / whole.exchanges,
        by_intent=sorted(
            ((intent, count) for intent, count in by_intent.items() if count > 0),
            key=lambda item: (-item[1], item[0]),
        ),
    )
