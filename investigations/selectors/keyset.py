"""Pages of a list that moves: cut by value, not by count, so that nothing is skipped.

Every list is ranked by one whole number, `rank`, and by primary key below it, both
falling. A cursor is that pair. A row that changes its rank while someone reads may be
met twice; a row that does not is met exactly once.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Cursor:
    """Where a page ends: the rank and the primary key of its last row."""

    rank: int
    pk: int

    def __str__(self) -> str:
        return f"{self.rank}.{self.pk}"


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """One page: its rows, and where the next and the previous one begin."""

    rows: list[Row]
    after: Cursor | None
    before: Cursor | None


def slice_of(
    ranked: QuerySet[Row],
    *,
    size: int,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Slice[Row]:
    """The page after one cursor, or before another; `ranked` is annotated `rank`."""
    rows, more = _cut(ranked, size, after, before)
    if before and not more:
        # The first page is shown whole, however few rows lay before the cursor.
        rows, more = _cut(ranked, size, None, None)
        return Slice(rows, _cursor(rows, -1) if more else None, None)
    if before:
        return Slice(rows, _cursor(rows, -1), _cursor(rows, 0))
    return Slice(
        rows, _cursor(rows, -1) if more else None, _cursor(rows, 0) if after else None
    )


def _cut(
    ranked: QuerySet[Row], size: int, after: Cursor | None, before: Cursor | None
) -> tuple[list[Row], bool]:
    if before:
        found = list(
            ranked.filter(_beyond("gt", before)).order_by("rank", "pk")[: size + 1]
        )
        return found[:size][::-1], len(found) > size
    if after:
        ranked = ranked.filter(_beyond("lt", after))
    found = list(ranked.order_by("-rank", "-pk")[: size + 1])
    return found[:size], len(found) > size


def _beyond(way: str, cursor: Cursor) -> Q:
    further = Q(**{f"rank__{way}": cursor.rank})
    return further | Q(rank=cursor.rank, **{f"pk__{way}": cursor.pk})


def _cursor(rows: list[Row], place: int) -> Cursor | None:
    if not rows:
        return None
    row = rows[place]
    return Cursor(int(row.rank), int(row.pk))  # type: ignore[attr-defined]
