"""What a case's accounts did over time, from sums and never from raw events."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Generic, TypeVar

from ingest.models import AccountDay, ModelRelease
from investigations.detection.models import ClusterHour
from investigations.models import Case, CaseAccount

# More models than these are drawn as one, "other".
MODELS_SHOWN = 6
OTHER = "other"

Moment = TypeVar("Moment", date, datetime)


@dataclass(frozen=True)
class Traffic(Generic[Moment]):
    """Requests by model, step by step: `models[name][i]` belongs to `axis[i]`."""

    axis: list[Moment]
    models: dict[str, list[int]]
    output_tokens: list[int]

    @property
    def totals(self) -> list[int]:
        return [sum(column) for column in zip(*self.models.values(), strict=True)]


def case_days(case: Case) -> Traffic[date]:
    """Requests a day (UTC), from the first day with any to the last."""
    if case.cluster_id:
        rows = _cluster_hours(case)
        found = _summed((hour.date(), models, out) for hour, models, out in rows)
    else:
        picked = CaseAccount.objects.filter(case=case.pk).values("account")
        days = AccountDay.objects.filter(account__in=picked)
        found = _summed(days.values_list("day", "by_model", "output_tokens"))
    return _traffic(found, timedelta(days=1))


def case_hours(case: Case, *, since: datetime) -> Traffic[datetime]:
    """Requests an hour since a time; empty for a case without a cluster."""
    rows = _cluster_hours(case, since=since)
    found = _summed((hour.astimezone(UTC), models, out) for hour, models, out in rows)
    return _traffic(found, timedelta(hours=1))


def releases_between(since: datetime, until: datetime) -> list[ModelRelease]:
    within = ModelRelease.objects.filter(released_at__range=(since, until))
    return list(within.order_by("released_at"))


def _cluster_hours(
    case: Case, since: datetime | None = None
) -> list[tuple[datetime, dict[str, int], int]]:
    hours = ClusterHour.objects.filter(cluster=case.cluster_id)
    if since:
        hours = hours.filter(hour__gte=since)
    return list(hours.values_list("hour", "by_model", "output_tokens"))


def _summed(
    rows: Iterable[tuple[Moment, dict[str, int], int]],
) -> dict[Moment, tuple[Counter[str], int]]:
    """Rows of one moment added together: moment → (requests by model, tokens)."""
    sums: dict[Moment, tuple[Counter[str], int]] = {}
    for moment, models, tokens in rows:
        counts, before = sums.get(moment, (Counter(), 0))
        sums[moment] = (counts + Counter(models), before + tokens)
    return sums


def _traffic(
    found: dict[Moment, tuple[Counter[str], int]], step: timedelta
) -> Traffic[Moment]:
    """Every step between the first and the last, so that a quiet one shows as quiet."""
    axis: list[Moment] = [min(found)] if found else []
    while axis and axis[-1] < max(found):
        axis.append(axis[-1] + step)
    columns = [found.get(moment, (Counter[str](), 0)) for moment in axis]
    totals: Counter[str] = Counter()
    for counts, _ in columns:
        totals.update(counts)
    named = [model for model, _ in totals.most_common(MODELS_SHOWN)]
    models = {model: [counts[model] for counts, _ in columns] for model in named}
    if len(totals) > len(named):
        models[OTHER] = [
            counts.total() - sum(counts[model] for model in named)
            for counts, _ in columns
        ]
    return Traffic(axis, models, [tokens for _, tokens in columns])
