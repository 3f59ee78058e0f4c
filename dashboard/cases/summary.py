"""A case in plain sentences: what it is, since when, how much, and why now."""

from datetime import datetime

from dashboard.display import ago, compact
from investigations.detection.models import Cluster
from investigations.models import Case
from investigations.selectors import Exposed

WHAT = {
    Cluster.Verdict.DISTILLATION: (
        "{accounts} that appear to be one operator harvesting answers."
    ),
    Cluster.Verdict.RESALE_POOL: (
        "{accounts} that appear to be a pool through which access is resold."
    ),
    Cluster.Verdict.INSUFFICIENT_EVIDENCE: (
        "{accounts} that are tied together; what they are for is not clear."
    ),
}


def case_summary(
    case: Case, *, size: int, seen: Exposed | None, now: datetime
) -> list[str]:
    """Sentences in the order a reader asks: what, since when, how much, why now."""
    sentences = [_what(case, size)]
    if seen:
        sentences += [_since(seen), _how_much(seen)]
    if case.cluster:
        sentences.append(_why_now(case, case.cluster, now))
    return [sentence for sentence in sentences if sentence]


def _what(case: Case, size: int) -> str:
    accounts = _count(size, "account")
    if case.cluster is None:
        return f"{accounts} picked by hand; no cluster of the machine's ties them."
    return WHAT[Cluster.Verdict(case.cluster.verdict)].format(accounts=accounts)


def _since(seen: Exposed) -> str:
    if not (seen.since and seen.until):
        return ""
    return (
        f"Active since {seen.since:%-d %B}, on {_count(seen.days, 'day')} "
        f"up to {seen.until:%-d %B}."
    )


def _how_much(seen: Exposed) -> str:
    return (
        f"{_count(seen.exchanges, 'exchange')} with "
        f"{compact(seen.output_tokens)} output tokens have left, "
        f"about {compact(round(seen.per_day))} exchanges a day."
    )


def _why_now(case: Case, cluster: Cluster, now: datetime) -> str:
    then = case.opened_on
    opened = f"The case was opened {ago(case.opened_at, now)}"
    if "score" not in then:
        return f"{opened}."
    grown = cluster.size - then.get("size", cluster.size)
    moved = round(cluster.score - then["score"])
    since = [
        f"{_count(grown, 'account')} joined" if grown > 0 else "",
        f"{_count(-grown, 'account')} left" if grown < 0 else "",
        f"the score {'rose' if moved > 0 else 'fell'} by {abs(moved)}" if moved else "",
    ]
    changes = " and ".join(change for change in since if change)
    at = f"{opened} at a score of {then['score']:.0f}"
    return f"{at}; since then {changes}." if changes else f"{at}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
