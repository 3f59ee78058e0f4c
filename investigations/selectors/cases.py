"""One case, with what its page shows on top."""

from dataclasses import dataclass
from datetime import datetime

from investigations.detection.models import Exposure
from investigations.models import Case
from investigations.selectors.members import case_accounts


@dataclass(frozen=True)
class Exposed:
    """What left through a case's accounts: totals, days with any, shares of a whole."""

    exchanges: int
    input_tokens: int
    output_tokens: int
    days: int
    since: datetime | None
    until: datetime | None
    by_model: list[tuple[str, int]]
    by_intent: list[tuple[str, int]]

    @property
    def per_day(self) -> float:
        return self.exchanges / max(self.days, 1)


def case_with(pk: int) -> Case | None:
    """The case and what its head shows, in one query; None where there is none."""
    related = Case.objects.select_related("cluster__exposure", "assignee", "opened_by")
    return related.filter(pk=pk).first()


def exposed(case: Case) -> Exposed | None:
    """None while nothing has been measured yet."""
    found: Exposure | None = getattr(case.cluster, "exposure", None)
    if found is None:
        return None
    return Exposed(
        exchanges=found.exchanges,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        days=found.days,
        since=found.since,
        until=found.until,
        by_model=_falling(found.by_model),
        by_intent=_falling(found.by_intent),
    )


def case_size(case: Case) -> int:
    return case_accounts(case).count()


def _falling(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
