"""Which kept lines wait, by what was wrong with them, who sent them, and when."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Self

from django.db.models import Count, Q, QuerySet

from ingest.models import QuarantinedLine

WAITING: Final = Q(replayed_at=None, discarded_at=None)
# Lines counted one by one; of more it is only said that there are more.
COUNTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Matching:
    """A filter over the lines that wait; an empty part lets everything through.

    `key` is a key's prefix, or `NO_KEY` for what came without one. `day` is the UTC
    day on which the line was kept.
    """

    code: str = ""
    fate: str = ""
    source: str = ""
    key: str = ""
    field: str = ""
    batch: str = ""
    day: date | None = None

    NO_KEY = "none"

    def lines(self) -> QuerySet[QuarantinedLine]:
        lines = QuarantinedLine.objects.filter(WAITING)
        for name, value in (
            ("code", self.code),
            ("fate", self.fate),
            ("field", self.field),
            ("batch__source__name", self.source),
            ("batch__batch_id", self.batch),
        ):
            if value:
                lines = lines.filter(**{name: value})
        if self.key == self.NO_KEY:
            lines = lines.filter(batch__key=None)
        elif self.key:
            lines = lines.filter(batch__key__prefix=self.key)
        if self.day:
            start = datetime.combine(self.day, time(), tzinfo=UTC)
            lines = lines.filter(
                created_at__gte=start, created_at__lt=start + timedelta(days=1)
            )
        return lines

    def count(self) -> int:
        """How many lines match, as far as COUNTED + 1."""
        return self.lines().order_by()[: COUNTED + 1].count()

    def as_json(self) -> dict[str, str]:
        told = asdict(self) | {"day": self.day.isoformat() if self.day else ""}
        return {name: value for name, value in told.items() if value}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        day = told.get("day")
        return cls(**{**told, "day": date.fromisoformat(day) if day else None})

    def __bool__(self) -> bool:
        return bool(self.as_json())


def counts(matching: Matching) -> list[tuple[str, str, int]]:
    """(code, field, lines) of what matches, most frequent first, 50 at most."""
    rows = matching.lines().values_list("code", "field")
    counted = rows.annotate(count=Count("pk")).order_by("-count", "code", "field")
    return [(code, field, count) for code, field, count in counted[:50]]


def waiting_conflicts(most: int = 999) -> int:
    """How many lines wait that say something else than what was stored."""
    lines = QuarantinedLine.objects.filter(WAITING, fate=QuarantinedLine.Fate.CONFLICT)
    return lines[:most].count()
