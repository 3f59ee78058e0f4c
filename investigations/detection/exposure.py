"""What left through a cluster: exchanges, tokens, models, intents, days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Exposed:
    """Everything its members ever exchanged, up to the clock of the run; `days` counts
    days on which any of them was active. Nothing where none ever was."""

    exchanges: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    since: datetime | None = None
    until: datetime | None = None
    days: int = 0
    by_model: Mapping[str, int] = field(default_factory=dict)
    by_intent: Mapping[str, int] = field(default_factory=dict)


NOTHING = Exposed()


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sums by key, the largest first."""
    sums: dict[str, int] = {}
    for part in counts:
        for key, count in part.items():
            sums[key] = sums.get(key, 0) + count
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
