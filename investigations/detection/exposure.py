"""What left through a cluster: exchanges, tokens, models, intents, days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class AccountTotals:
    """Everything one account ever exchanged, up to the clock of the run."""

    account: int
    exchanges: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    since: datetime | None = None
    until: datetime | None = None
    days: frozenset[date] = frozenset()
    by_model: Mapping[str, int] = field(default_factory=dict)
    by_intent: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exposed:
    """The same for a cluster; `days` counts days on which any member was active."""

    exchanges: int
    input_tokens: int
    output_tokens: int
    since: datetime | None
    until: datetime | None
    days: int
    by_model: Mapping[str, int]
    by_intent: Mapping[str, int]


def add_up(totals: Iterable[AccountTotals]) -> Exposed:
    members = list(totals)
    return Exposed(
        exchanges=sum(m.exchanges for m in members),
        input_tokens=sum(m.input_tokens for m in members),
        output_tokens=sum(m.output_tokens for m in members),
        since=min((m.since for m in members if m.since), default=None),
        until=max((m.until for m in members if m.until), default=None),
        days=len(frozenset().union(*(m.days for m in members))),
        by_model=summed(m.by_model for m in members),
        by_intent=summed(m.by_intent for m in members),
    )


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sums by key, the largest first."""
    sums: dict[str, int] = {}
    for part in counts:
        for key, count in part.items():
            sums[key] = sums.get(key, 0) + count
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
