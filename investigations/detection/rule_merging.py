"""A draft brought up to date: its own changes on top of what went live meanwhile."""

from collections.abc import Sequence
from typing import TypeVar

from investigations.detection.rule_values import Values

Entry = TypeVar("Entry")


def merged(*, base: Values, mine: Values, theirs: Values) -> Values:
    """Three-way: where the draft differs from its base it stays, else it follows."""
    numbers = dict(theirs.numbers)
    for key in base.numbers.keys() | mine.numbers.keys():
        if base.numbers.get(key) == mine.numbers.get(key):
            continue
        if key in mine.numbers:
            numbers[key] = mine.numbers[key]
        else:
            numbers.pop(key, None)
    return Values(
        numbers=numbers,
        allowed=entries(base.allowed, mine.allowed, theirs.allowed),
        partners=entries(base.partners, mine.partners, theirs.partners),
    )


def entries(
    base: Sequence[Entry], mine: Sequence[Entry], theirs: Sequence[Entry]
) -> tuple[Entry, ...]:
    added, removed = set(mine) - set(base), set(base) - set(mine)
    return tuple((set(theirs) | added) - removed)
