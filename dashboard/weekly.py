"""A week's document (investigations/reports/weekly.py) as pages show it. No ORM."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dashboard.display import compact

# The figures that stand on top, in the order in which a manager asks.
HEADLINES = (
    "exchanges",
    "exchanges_before_flag",
    "accounts_banned",
    "cases_decided",
    "hours_to_decision",
    "innocents_restored",
)


@dataclass(frozen=True)
class ShownFigure:
    """One figure with its words; `change` compares it with the week before."""

    key: str
    title: str
    unit: str
    value: float | None
    previous: float | None
    query: str

    @property
    def words(self) -> str:
        # All but times say in their title what they count.
        hours = " h" if self.unit == "hours" and self.value is not None else ""
        return f"{_short(self.value)}{hours}"

    @property
    def exact(self) -> str:
        return _exact(self.value)

    @property
    def exact_before(self) -> str:
        return _exact(self.previous)

    @property
    def against(self) -> str:
        """In words for under the figure; empty where there is nothing to compare."""
        if self.value is None or self.previous is None:
            return ""
        if self.value == self.previous:
            return "as the week before"
        return f"{_gain(self.value - self.previous, _short)} on the week before"

    @property
    def change(self) -> str:
        if self.value is None or self.previous is None:
            return "–"
        gained = self.value - self.previous
        return _gain(gained, _exact) if gained else "none"


@dataclass(frozen=True)
class ShownWeek:
    name: str
    first: date
    last: date
    complete: bool
    tlp: str
    summary: list[str]
    figures: Mapping[str, ShownFigure]
    verdicts: list[dict[str, Any]]
    top: list[dict[str, Any]]
    tables: Mapping[str, str]

    @property
    def number(self) -> int:
        return self.first.isocalendar().week

    @property
    def headlines(self) -> list[ShownFigure]:
        return [self.figures[key] for key in HEADLINES if key in self.figures]


def shown_week(document: Mapping[str, Any]) -> ShownWeek:
    """The document in its own order; it is shown as it was frozen, never recounted."""
    return ShownWeek(
        name=document["week"],
        first=date.fromisoformat(document["from"]),
        last=date.fromisoformat(document["until"]),
        complete=document["complete"],
        tlp=document["tlp"],
        summary=list(document["summary"]),
        figures={each["key"]: ShownFigure(**each) for each in document["figures"]},
        verdicts=list(document["clusters_by_verdict"]),
        top=list(document["top_clusters"]),
        tables=document["tables"],
    )


def _gain(gained: float, worded: Callable[[float], str]) -> str:
    return f"{'+' if gained > 0 else '−'}{worded(abs(gained))}"


def _short(value: float | None) -> str:
    return compact(value) if value and abs(value) >= 10_000 else _exact(value)


def _exact(value: float | None) -> str:
    # A difference of two floats may end in dust.
    return "–" if value is None else f"{round(value, 1):,}"
