"""What is known of one cluster, beside the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np

from investigations.detection.shapes.accounts import (
    AccountFeatures,
    Habits,
    Move,
    Release,
)
from investigations.detection.shapes.columns import Floats, Handoff, Ints


@dataclass(frozen=True, slots=True)
class CommonValue:
    """A value that members of two or more organisations in a cluster show.

    `accounts` and `requests` count everybody who shows it, inside and outside;
    `crowded` marks a place shared by all sorts of customers (a campus, a VPN).
    """

    kind: str
    value: str
    indicator: int | None
    members: frozenset[int]
    accounts: int
    member_requests: int
    requests: int
    crowded: bool = False

    @property
    def purity(self) -> float:
        """Share of the accounts showing it that belong to the cluster."""
        return len(self.members) / self.accounts


@dataclass(frozen=True, slots=True)
class ReleaseMoves:
    """Who moved to a new model within a day: members, and others on the same client.

    `each` has the members whose move counts, `moved` those of them who moved; of
    `cohort` other customers `cohort_moved` did. `requests` to the new model are all
    members' of that day.
    """

    release: Release
    requests: int
    each: tuple[Move, ...]
    moved: frozenset[int]
    cohort: int
    cohort_moved: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """One way in which two clusters are alike. `part` as in portraits.PARTS;
    `likeness` between 0 and 1, which a share `quantile` of the others reach."""

    part: str
    likeness: float
    quantile: float


@dataclass(frozen=True, slots=True)
class Resemblance:
    """The past cluster that one is most like, and how.

    `guilty`: people confirmed it, and did not find it innocent; `decided_at` is when.
    `quantile`: share of `compared` unrelated clusters, random groups and customers
    that are as much like any past cluster. `indicators` are rows of values that both
    showed, and `showing` has the members that show them, with how many each.
    """

    cluster: int
    guilty: bool
    decided_at: datetime
    likeness: float
    quantile: float
    compared: int
    agreements: tuple[Agreement, ...]
    indicators: tuple[int, ...] = ()
    showing: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Programmes:
    """Who has special access on weak proof. `schools`: mail domains whose customers
    mostly have it; all customers of one speak as one. Of `others` voices outside
    `others_on_it` have it."""

    schools: frozenset[str] = frozenset()
    others: int = 0
    others_on_it: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Aftermath:
    """What went on around bans and restrictions of members; empty where there were
    none. `struck`: place in `members` → second since 1970. `hours` counts requests by
    hour from `since` on (rows) and member (columns), `others` the same for customers
    outside."""

    struck: Mapping[int, float] = field(default_factory=dict)
    hours: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    others: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))


@dataclass(frozen=True, slots=True)
class Norm:
    """How often customers in general show an intent.

    `high` is the rate that 5 in 100 accounts exceed (share of requests, at least
    0.05), `exceed` the share of accounts that do exceed it.
    """

    high: float
    exceed: float


@dataclass(frozen=True, eq=False)
class ClusterFeatures:
    """What the members have in common, pooled, beside what others look like.

    `starts` counts session starts by day (rows) and member (columns, in the order of
    `members`), -1 where the member was not yet or no longer there; `peers` is the
    same for accounts outside. `start_of`, `start_at` and `stop_at` are the members'
    sessions one by one: position in `members`, second since 1970 of the first request
    and of the last answer. `births` are sign-up times in minutes, of members and of
    others. Of `others_compared` customers outside
    `others_sweeping` work through prompts as detectors/prompt_sweep.py has it.
    """

    members: tuple[AccountFeatures, ...]
    population: int
    since: datetime
    until: datetime
    common: Mapping[str, tuple[CommonValue, ...]] = field(default_factory=dict)
    stacks: Mapping[str, int] = field(default_factory=dict)
    template_requests: int = 0
    others_compared: int = 0
    others_sweeping: int = 0
    norms: Mapping[str, Norm] = field(default_factory=dict)
    starts: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    peers: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    start_of: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    start_at: Floats = field(default_factory=lambda: np.zeros(0))
    stop_at: Floats = field(default_factory=lambda: np.zeros(0))
    births: Floats = field(default_factory=lambda: np.zeros(0))
    other_births: Floats = field(default_factory=lambda: np.zeros(0))
    moves: tuple[ReleaseMoves, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    programmes: Programmes = Programmes()
    habits: Habits = field(default_factory=Habits)
    aftermath: Aftermath = field(default_factory=Aftermath)
    resembles: Resemblance | None = None

    @property
    def size(self) -> int:
        return len(self.members)

    @cached_property
    def position(self) -> dict[int, int]:
        """Account id → place in `members`."""
        return {member.account: at for at, member in enumerate(self.members)}

    @cached_property
    def organizations(self) -> int:
        """Distinct customers: one organisation's accounts count once."""
        return len({member.customer for member in self.members})

    @cached_property
    def requests(self) -> int:
        return sum(member.requests for member in self.members)
