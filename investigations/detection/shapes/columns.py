"""Columns of numbers, and what accounts show and hand on, by position."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


Floats = NDArray[np.float64]


Bools = NDArray[np.bool_]


# When the sessions of an account without any began and ended: two rows.
NEVER: Floats = np.zeros((2, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A table as columns of equal length."""

    def where(self, which: Bools | Ints | slice) -> Self:
        """Those rows of it."""
        return type(self)(*(getattr(self, each.name)[which] for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Value:
    """A value that accounts can share. `indicator` is its row, where it has one."""

    kind: str
    text: str
    indicator: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sightings(Columns):
    """Who showed what, as columns of equal length.

    `account` and `value` are positions in the run's accounts and values.
    """

    account: Ints
    value: Ints
    count: Ints
    first_day: Ints
    last_day: Ints


@dataclass(frozen=True, slots=True)
class Handoff:
    """Conversations begun on account `giver` that went on under `taker`.

    `events` are the taker's requests that carried the giver's answers as history.
    """

    giver: int
    taker: int
    conversations: int
    events: tuple[int, ...]
    last_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Everyone:
    """All that clustering looks at. Positions, not ids; `accounts` has the ids in
    rising order, `organization` and `stack` a number for each (-1: no stack),
    `templates` how many prompts each sent that were among a day's most repeated."""

    accounts: Sequence[int]
    organization: Ints
    stack: Ints
    templates: Ints
    values: Sequence[Value]
    sightings: Sightings
    handoffs: Sequence[Handoff]
    today: int  # days since 1 January 1970
