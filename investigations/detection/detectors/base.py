"""What a detector is, and the few words all of them share.

A detector is one file: what it sees, the sentence an analyst reads, the innocent
explanation, and the query that finds the rows. It may look at one account, at a
pooled cluster, or at both. It returns None where it sees nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    CommonValue,
    Evidence,
    Family,
    Floats,
    Ints,
)

Seen = TypeVar("Seen", AccountView, ClusterFeatures)
See = Callable[[Seen], Evidence | None]

# Evidence from a null enters as −10·log10 p − 10 decibans (detection.md 4.4): one
# outcome in ten is worth nothing, one in a thousand is worth 20. Full strength at 20.
NULL_FLOOR, NULL_FULL = 10.0, 20.0
# Random groups that a cluster is compared with, and the most rows in one.
DRAWS, MOST_DRAWN = 1000, 50
# Fewer comparable customers are no null.
FEWEST_PEERS = 50
# A reason names at most this many indicators in its query.
MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Look(Generic[Seen]):
    """A detector's function for one kind of thing, and its worth at full strength.
    `alone`: of accounts, whether it may see something in one that is in no cluster."""

    decibans: float
    see: See[Seen]
    alone: bool = False


@dataclass(slots=True)
class Detector:
    """One source of evidence. `key` is its name in data, in URLs and of its page."""

    key: str
    title: str
    family: Family
    version: int
    account: Look[AccountView] | None = None
    cluster: Look[ClusterFeatures] | None = None

    def looks_at_account(
        self, *, decibans: float, alone: bool = False
    ) -> Callable[[See[AccountView]], See[AccountView]]:
        def register(see: See[AccountView]) -> See[AccountView]:
            self.account = Look(decibans, see, alone)
            return see

        return register

    def looks_at_cluster(
        self, *, decibans: float
    ) -> Callable[[See[ClusterFeatures]], See[ClusterFeatures]]:
        def register(see: See[ClusterFeatures]) -> See[ClusterFeatures]:
            self.cluster = Look(decibans, see)
            return see

        return register


Told = TypeVar("Told")


def once_a_cluster(
    work: Callable[[ClusterFeatures], Told],
) -> Callable[[ClusterFeatures], Told]:
    """The same, worked out once and known for as long as the cluster is: else each of
    a thousand members would have it worked out over all thousand."""
    known: WeakKeyDictionary[ClusterFeatures, Told] = WeakKeyDictionary()

    @wraps(work)
    def told(seen: ClusterFeatures) -> Told:
        if seen not in known:
            known[seen] = work(seen)
        return known[seen]

    return told


def from_null(quantile: float) -> float:
    """Strength of an outcome that chance reaches in a share `quantile` of cases."""
    decibans = -10 * math.log10(max(quantile, 1e-12)) - NULL_FLOOR
    return min(1.0, max(0.0, decibans / NULL_FULL))


def random_picks(rows: int, size: int) -> Ints:
    """DRAWS random groups of so many of the rows; the same every time.

    Groups above MOST_DRAWN are drawn with fewer, which vary more: never too sure.
    """
    dice = np.random.default_rng(1)
    picks: Ints = dice.integers(0, rows, (DRAWS, min(size, MOST_DRAWN)))
    return picks


def random_groups(rows: Floats, size: int) -> Floats:
    """The means of such groups."""
    means: Floats = rows[random_picks(len(rows), size)].mean(axis=1)
    return means


def beyond(seen: float, drawn: Floats) -> float:
    """Share of chance outcomes at least as high, the one seen counted among them."""
    return float(1 + np.sum(drawn >= seen)) / (len(drawn) + 1)


def percent(share: float) -> str:
    """0.347 → "35%"; what rounds to nothing but is not is "under 1%"."""
    if 0 < share < 0.01:
        return "under 1%"
    return f"{share:.0%}"


def number(count: int) -> str:
    return f"{count:,}"


def few(count: int) -> str:
    """0 → "none", else the number."""
    return number(count) if count else "none"


def covered(values: Iterable[CommonValue]) -> frozenset[int]:
    """Members that show at least one of the values."""
    return frozenset().union(*(value.members for value in values))


@dataclass(frozen=True, slots=True)
class Own:
    """Values that one member shows; `reach` counts the members that show any of them,
    itself among them."""

    values: tuple[CommonValue, ...]
    reach: int


def by_member(values: Sequence[CommonValue]) -> Mapping[int, Own]:
    """Member → those of the values that it shows; nobody without any."""
    shown: dict[int, list[int]] = {}
    for at, value in enumerate(values):
        for account in value.members:
            shown.setdefault(account, []).append(at)
    # Most members show the same few.
    alike: dict[tuple[int, ...], Own] = {}
    found = {}
    for account, places in shown.items():
        if (key := tuple(places)) not in alike:
            own = tuple(values[at] for at in places)
            alike[key] = Own(own, len(covered(own)))
        found[account] = alike[key]
    return found


def indicators(values: Iterable[CommonValue]) -> list[int]:
    """Rows of the values, those shown by most members first."""
    named = [value for value in values if value.indicator is not None]
    named.sort(key=lambda value: (-len(value.members), value.indicator))
    return [value.indicator for value in named[:MOST_NAMED] if value.indicator]


def window(seen: AccountView | ClusterFeatures) -> dict[str, str]:
    return {"since": stamp(seen.since), "until": stamp(seen.until)}


def stamp(at: datetime) -> str:
    return at.isoformat()
