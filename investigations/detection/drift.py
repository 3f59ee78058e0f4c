"""How far quick passes had come away from what the full pass after them finds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from investigations.detection.models import Cluster, Score
from investigations.detection.selectors import latest_full_run, quick_runs_after


@dataclass(frozen=True, slots=True)
class Left:
    """What was believed before a full pass, by account and by cluster."""

    passes: int
    scores: Mapping[int, tuple[float, str]]
    clusters: frozenset[frozenset[int]]


def left_by_quick_passes() -> Left | None:
    """None where the last pass was a full one: there is nothing to compare."""
    full = latest_full_run()
    passes = quick_runs_after(full).count() if full else 0
    if not passes:
        return None
    rows = Score.objects.values_list("account_id", "score", "band")
    live = Cluster.objects.filter(live=True).values_list("last_members", flat=True)
    return Left(
        passes,
        {pk: (score, band) for pk, score, band in rows.iterator(5_000)},
        frozenset(map(frozenset, live)),
    )


def measured(
    left: Left,
    scores: Iterable[tuple[int, float, str]],
    clusters: Iterable[Iterable[int]],
) -> dict[str, Any]:
    """Accounts compared, bands that differ, mean absolute difference of scores, and
    clusters that only one of the two had with just these members."""
    gaps, bands = [], 0
    for pk, score, band in scores:
        if pk in left.scores:
            before, band_before = left.scores[pk]
            gaps.append(abs(score - before))
            bands += band != band_before
    found = frozenset(map(frozenset, clusters))
    return {
        "passes": left.passes,
        "accounts": len(gaps),
        "bands": bands,
        "mean": round(sum(gaps) / len(gaps), 4) if gaps else 0.0,
        "clusters": len(found ^ left.clusters),
    }
