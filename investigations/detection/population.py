"""Everybody one run sees, as columns: what any cluster is compared with. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from investigations.detection.clustering import Found
from investigations.detection.detectors.capability_concentration import NAMES
from investigations.detection.detectors.programme_farming import (
    has_weak_access,
    voice,
)
from investigations.detection.detectors.prompt_sweep import ENOUGH, sweeps
from investigations.detection.detectors.release_pivot import MOVED
from investigations.detection.shapes import (
    AccountFeatures,
    Bools,
    Everyone,
    Floats,
    Ints,
    Move,
    Norm,
    Release,
    Resemblance,
    Wording,
)
from investigations.detection.used_settings import UsedSettings

# Kinds of values that clusters are compared by.
POOLED_KINDS = ("payment", "block", "tools", "system", "skeleton")
# The most customers that a cluster is compared with in detail.
MOST_PEERS = 2000
# Scatters ids that follow one another (Knuth, The Art of Computer Programming 3, 6.4).
LOT = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """At one release: each move, whose it is by position, and what it says."""

    each: Sequence[Move]
    position: Ints
    counts: Bools
    has_moved: Bools

    @classmethod
    def of(cls, moves: Sequence[Move], position: Mapping[int, int]) -> "Moves":
        return cls(
            moves,
            np.array([position.get(move.account, -1) for move in moves], np.int64),
            np.array([move.counts for move in moves], bool),
            np.array([has_moved(move) for move in moves], bool),
        )


@dataclass(frozen=True, eq=False)
class Population:
    """Everybody one run sees. `features` in the order of `world.accounts`; `starts`
    counts session starts by day (rows) and account (columns), -1 while absent."""

    features: Sequence[AccountFeatures]
    world: Everyone
    found: Found
    starts: Ints
    since: datetime
    until: datetime
    # Sessions one by one, of accounts in clusters: account id → a row of seconds at
    # which they began, and one at which they ended.
    session_times: Mapping[int, Floats] = field(default_factory=dict)
    # Accounts in clusters and some others, of which the next ones are told.
    watched: frozenset[int] = frozenset()
    # Temperature and token limit → requests.
    settings: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    # What the same accounts ask about: the mean embedding of their prompts.
    subjects: Mapping[int, Floats] = field(default_factory=dict)
    # When accounts in clusters were banned or restricted: account id → second; and
    # requests by hour, of those clusters' accounts and some others.
    struck: Mapping[int, float] = field(default_factory=dict)
    hours: Mapping[int, Ints] = field(default_factory=dict)
    # When they begin sessions, by hour of the day, and the templates that they repeat.
    start_hours: Mapping[int, Floats] = field(default_factory=dict)
    wordings: Mapping[int, Sequence[Wording]] = field(default_factory=dict)
    # A found cluster's first account → the past cluster that it is most like.
    resembling: Mapping[int, Resemblance] = field(default_factory=dict)
    releases: Sequence[Release] = ()
    moves: Sequence[Move] = ()

    @cached_property
    def position(self) -> dict[int, int]:
        return {account: at for at, account in enumerate(self.world.accounts)}

    @cached_property
    def kinds(self) -> list[str]:
        return [value.kind for value in self.world.values]

    @cached_property
    def is_program(self) -> Bools:
        """Whether a value is a client program."""
        return np.array([kind == "client_stack" for kind in self.kinds], bool)

    @cached_property
    def is_pooled(self) -> Bools:
        """Of each value, whether clusters are compared by how they share it."""
        return np.array([kind in POOLED_KINDS for kind in self.kinds], bool)

    @cached_property
    def by_account(self) -> tuple[Ints, Ints]:
        """Order of sightings by account, and where each account's begin."""
        account = self.world.sightings.account
        order = np.argsort(account, kind="stable")
        bounds = np.searchsorted(account[order], np.arange(len(self.features) + 1))
        return order, bounds

    def sightings_of(self, *places: int) -> Ints:
        """Rows of the sightings of the accounts at these positions."""
        order, bounds = self.by_account
        return np.concatenate([order[bounds[at] : bounds[at + 1]] for at in places])

    @cached_property
    def value_totals(self) -> tuple[Ints, Ints]:
        """Accounts and requests of each value, over everybody."""
        shown, size = self.world.sightings, len(self.world.values)
        accounts = np.bincount(shown.value, minlength=size)
        requests = np.bincount(shown.value, shown.count, minlength=size)
        return accounts, requests.astype(np.int64)

    @cached_property
    def stacks(self) -> dict[str, int]:
        """Accounts by the client stack they use most."""
        counts: dict[str, int] = {}
        for account in self.features:
            if account.stack:
                counts[account.stack] = counts.get(account.stack, 0) + 1
        return counts

    @cached_property
    def norms(self) -> dict[str, Norm]:
        """Rates of intents that 5 in 100 customers exceed."""
        active = self.sends_enough
        return {
            name: norm(with_it[active] / self.requests[active])
            for name, with_it in sorted(self.intents.items())
            if with_it[active].any()
        }

    @cached_property
    def requests(self) -> Ints:
        return np.array([own.requests for own in self.features], np.int64)

    @cached_property
    def intents(self) -> dict[str, Ints]:
        """Intent → how many of each account's requests have it."""
        found: dict[str, Ints] = {}
        for at, own in enumerate(self.features):
            for name, count in own.intents.items():
                if name not in found:
                    found[name] = np.zeros(len(self.features), np.int64)
                found[name][at] = count
        return found

    @cached_property
    def voices(self) -> Ints:
        """One account for each customer: the first."""
        return np.unique(self.world.organization, return_index=True)[1]

    @cached_property
    def is_voice(self) -> Bools:
        found = np.zeros(len(self.features), bool)
        found[self.voices] = True
        return found

    @cached_property
    def voice_of(self) -> Ints:
        """The place of each account's customer in `voices`."""
        return np.unique(self.world.organization, return_inverse=True)[1]

    @cached_property
    def busy(self) -> Ints:
        """Customers with enough requests to have habits, one account each."""
        return self.voices[self.sends_enough[self.voices]]

    @cached_property
    def sends_enough(self) -> Bools:
        """Whether an account has requests enough to show habits."""
        return self.requests >= ENOUGH

    @cached_property
    def sweeping(self) -> Bools:
        """Whether an account works through prompts (detectors/prompt_sweep.py)."""
        return np.array([sweeps(own) for own in self.features], bool)

    @cached_property
    def voices_settings(self) -> tuple[Ints, UsedSettings]:
        """Customers whose settings are known, one account each, and these."""
        found = self.voices[self.among(self.settings)[self.voices]]
        accounts = [self.world.accounts[at] for at in found.tolist()]
        return found, UsedSettings.of([self.settings[pk] for pk in accounts])

    @cached_property
    def voices_subjects(self) -> tuple[Ints, Floats]:
        """The same of what they ask about, a row each."""
        found = self.voices[self.among(self.subjects)[self.voices]]
        accounts = [self.world.accounts[at] for at in found.tolist()]
        return found, np.array([self.subjects[pk] for pk in accounts])

    def among(self, known: Collection[int]) -> Bools:
        """Of each account, whether its id is known."""
        return np.array([pk in known for pk in self.world.accounts], bool)

    @cached_property
    def here(self) -> tuple[Ints, Floats]:
        """Days each account was there for, and its session starts a day."""
        here = self.starts >= 0
        days = here.sum(axis=0)
        rate = np.where(here, self.starts, 0).sum(axis=0) / np.maximum(days, 1)
        return days, rate

    @cached_property
    def programs(self) -> tuple[NDArray[np.object_], Ints]:
        """Names of client stacks, and of each account the place of its own there."""
        names = sorted({own.stack for own in self.features})
        place = {name: at for at, name in enumerate(names)}
        own = np.array([place[own.stack] for own in self.features], np.int64)
        return np.array(names, object), own

    @cached_property
    def moved_at(self) -> Mapping[str, "Moves"]:
        """Release → who moved, with those who tell something first by position."""
        return {
            release.model: Moves.of(
                [move for move in self.moves if move.model == release.model],
                self.position,
            )
            for release in self.releases
        }

    @cached_property
    def handoffs_of(self) -> Mapping[int, Sequence[int]]:
        """Giver → places of its hand-offs."""
        found: dict[int, list[int]] = {}
        for at, handoff in enumerate(self.world.handoffs):
            found.setdefault(handoff.giver, []).append(at)
        return found

    @cached_property
    def offers_tools(self) -> Bools:
        """Whether tools are offered in half of an account's requests or more."""
        return np.array(
            [2 * f.tool_requests >= max(f.requests, 1) for f in self.features], bool
        )

    @cached_property
    def asked(self) -> Floats:
        """Shares of requests by capability, one row for each of `busy`."""
        none = np.zeros(len(self.features), np.int64)
        asked = [self.intents.get(name, none)[self.busy] for name in NAMES]
        shares: Floats = np.stack(asked, axis=1) / self.requests[self.busy][:, None]
        return shares

    @cached_property
    def schools(self) -> frozenset[str]:
        """Mail domains of three customers or more of which half have special access."""
        domains: dict[str, list[bool]] = {}
        for at in self.voices.tolist():
            own = self.features[at]
            if own.email_domain:
                domains.setdefault(own.email_domain, []).append(has_weak_access(own))
        return frozenset(
            domain
            for domain, have in domains.items()
            if len(have) >= 3 and 2 * sum(have) >= len(have)
        )

    @cached_property
    def access(self) -> dict[int, str]:
        """Position of each customer with special access on weak proof → its voice."""
        found = {at: self.features[at] for at in self.voices.tolist()}
        return {
            at: voice(own, self.schools)
            for at, own in found.items()
            if has_weak_access(own)
        }

    @cached_property
    def births(self) -> Floats:
        """Sign-up times in minutes, nan where unknown."""
        return np.array(
            [
                f.created_at.timestamp() / 60 if f.created_at else np.nan
                for f in self.features
            ]
        )


def some_others(
    features: Sequence[AccountFeatures], members: Collection[int]
) -> list[int]:
    """Ids of customers outside, with habits of their own, to compare clusters with."""
    inside = set(members)
    within = {own.customer for own in features if own.account in inside}
    first: dict[str, int] = {}
    for own in features:
        if own.requests >= ENOUGH and own.customer not in within:
            first.setdefault(own.customer, own.account)
    found = np.array(sorted(first.values()), np.int64)
    # The same ones again when a few came or went (a bottom-k sample: Cohen and Kaplan,
    # PODC 2007), so that what was read of them still serves.
    lot = found.astype(np.uint64) * LOT
    drawn = found[np.argsort(lot, kind="stable")[:MOST_PEERS]]
    return [int(account) for account in np.sort(drawn)]


def spread(found: Ints, most: int) -> Ints:
    """At most so many of them, evenly spread."""
    if len(found) <= most:
        return found
    chosen: Ints = found[np.linspace(0, len(found) - 1, most).astype(int)]
    return chosen


def norm(rates: Floats) -> Norm:
    high = max(0.05, float(np.quantile(rates, 0.95)) if len(rates) else 0.05)
    above = int((rates > high).sum())
    return Norm(high, (above + 1) / (len(rates) + 2))


def has_moved(move: Move) -> bool:
    return move.moved >= MOVED * move.requests
