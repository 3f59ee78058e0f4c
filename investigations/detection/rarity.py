"""What a shared value is worth: kinds, customers that show it, crowded places."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.shapes import Floats, Ints, Sightings, Value


@dataclass(frozen=True, slots=True)
class LinkKind:
    """`chance`: that two customers on a value nobody else shows are one operator.
    `cap`: customers above which a value makes no links. `half_life`: days.
    `alone`: strangers do not share it, so that it may merge without a second family.
    """

    family: str
    chance: float
    cap: float
    half_life: float
    alone: bool = False


# Programs choose tools, system prompts, templates and the client stack together, so
# these are one family: an open tool that two strangers installed is one coincidence.
KINDS: dict[str, LinkKind] = {
    "response": LinkKind("content_proof", 0.95, 500, 60),
    "payment": LinkKind("money", 0.90, 300, 365, alone=True),
    "phone": LinkKind("identity", 0.85, 15, 365, alone=True),
    "email": LinkKind("identity", 0.85, 15, 365, alone=True),
    "device": LinkKind("device", 0.80, 20, 90, alone=True),
    "tools": LinkKind("application", 0.60, 200, 180, alone=True),
    "system": LinkKind("application", 0.40, 200, 180, alone=True),
    "skeleton": LinkKind("application", 0.50, 200, 90),
    "client_stack": LinkKind("application", 0.10, 500, 60),
    "email_domain": LinkKind("identity", 0.40, 100, 180),
    "referrer": LinkKind("identity", 0.30, 100, 180),
    "signup": LinkKind("identity", 0.15, 100, 30),
    "address": LinkKind("network", 0.35, 50, 7),
    "block": LinkKind("network", 0.15, 200, 30),
    # Found, not shown: work that is dealt out by one hand (dealing.py). It is proven of
    # all accounts together, and the better the more they are.
    "dispatch": LinkKind("time", 0.95, math.inf, 60, alone=True),
}
NAMES = tuple(KINDS)
# Kinds of values that a program brings along, all together.
PROGRAM = frozenset(k for k, kind in KINDS.items() if kind.family == "application")
FAMILIES = tuple(dict.fromkeys(kind.family for kind in KINDS.values()))
FAMILY_OF = np.array([FAMILIES.index(kind.family) for kind in KINDS.values()])
PLACES = ("address", "block")
# Values that make one customer of several accounts when df is counted.
PAYS_TOGETHER = ("payment", "phone")
# A harness whose users nearly all stand in groups already is private to whoever runs
# the groups, however many these are; strangers' tools have mostly lone users. Two
# groups may merge on it; a lone account needs a second family. Not so for exercise
# sheets or mail domains, which an institution shares.
HARNESS, GATHERED, PRIVATE, PRIVATE_TO_ONE = ("tools", "system"), 0.8, 0.7, 0.55
HARNESS_KINDS = [NAMES.index(kind) for kind in HARNESS]

CROWDED = 0.05  # what a place shared by all sorts of customers is worth
CROWD = 5  # customers from which a place can be told to be crowded


@dataclass(frozen=True, slots=True, eq=False)
class Rarity:
    """What each value is worth. `customers` is its df; `hub` is above its cap."""

    strength: Floats
    customers: Ints
    hub: Ints
    crowded: Ints


def kinds_of(values: Sequence[Value]) -> Ints:
    """Positions in NAMES; -1 for a kind that makes no links."""
    known = {name: at for at, name in enumerate(NAMES)}
    return np.array([known.get(value.kind, -1) for value in values], np.int64)


def payers(organizations: Ints, sightings: Sightings, kinds: Ints) -> Ints:
    """One number for all accounts of an organisation, or on one card or phone."""
    shared = np.isin(kinds[sightings.value], [NAMES.index(k) for k in PAYS_TOGETHER])
    account, value = sightings.account[shared], sightings.value[shared]
    owners = customers_of(organizations[account], value, len(kinds))
    caps = np.array([kind.cap for kind in KINDS.values()])
    usable = owners[value] <= caps[kinds[value]]
    account, value = account[usable], value[usable]
    base = int(organizations.max(initial=0)) + 1
    rows = np.concatenate([organizations[account], organizations])
    columns = np.concatenate([base + value, organizations])
    size = base + len(kinds)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    labels = connected_components(graph, directed=False)[1]
    together: Ints = labels[organizations].astype(np.int64)
    return together


def customers_of(owner: Ints, value: Ints, values: int) -> Ints:
    """Distinct owners that show each value."""
    if not len(owner):
        return np.zeros(values, np.int64)
    owners = int(owner.max()) + 1
    pairs = np.sort(value * owners + owner)
    distinct = pairs[np.diff(pairs, prepend=-1) > 0] // owners
    return np.bincount(distinct, minlength=values).astype(np.int64)


def crowded_places(
    sightings: Sightings, kinds: Ints, owner: Ints, stacks: Ints
) -> Ints:
    """Places whose customers have nothing else in common.

    A pool's accounts come with one client program, a campus' with all of them: a
    place is crowded unless half of its accounts use one program, three times as many
    as elsewhere. `stacks`: each account's program, -1 where unknown.
    """
    place = np.isin(kinds[sightings.value], [NAMES.index(k) for k in PLACES])
    account, value = sightings.account[place], sightings.value[place]
    size, programs = len(kinds), int(stacks.max(initial=-1)) + 1
    there = customers_of(owner[account], value, size)
    used = np.bincount(stacks[stacks >= 0], minlength=programs)
    known = stacks[account] >= 0
    cells, here = np.unique(
        value[known] * programs + stacks[account][known], return_counts=True
    )
    at, program = np.divmod(cells, max(programs, 1))
    accounts = np.bincount(value, minlength=size)
    share = here / accounts[at]
    elsewhere = (used[program] - here) / np.maximum(len(stacks) - accounts[at], 1)
    homogeneous = np.zeros(size, bool)
    homogeneous[at[(share >= 0.5) & (share >= 3 * elsewhere)]] = True
    crowded: Ints = ((there >= CROWD) & ~homogeneous).astype(np.int64)
    return crowded


def rarity(
    sightings: Sightings,
    kinds: Ints,
    organizations: Ints,
    owner: Ints,
    crowded: Ints,
    *,
    hub_cap: bool = True,
) -> Rarity:
    """IDF over customers. For what makes payers one, over organisations instead."""
    size = len(kinds)
    linked = kinds[sightings.value] >= 0
    account, value = sightings.account[linked], sightings.value[linked]
    customers = customers_of(owner[account], value, size)
    separate = customers_of(organizations[account], value, size)
    pays = np.isin(kinds, [NAMES.index(kind) for kind in PAYS_TOGETHER])
    customers = np.where(pays, separate, customers)
    return worth(kinds, customers, crowded, hub_cap=hub_cap)


def worth(
    kinds: Ints, customers: Ints, crowded: Ints, *, hub_cap: bool = True
) -> Rarity:
    """What values are worth that so many customers show."""
    caps = np.array([kind.cap for kind in KINDS.values()], float)[kinds]
    chance = np.array([kind.chance for kind in KINDS.values()])[kinds]
    fade = 1 - np.log(np.maximum(customers, 1)) / np.log(caps)
    fade = np.maximum(0.0, fade) if hub_cap else np.ones(len(kinds))
    place = np.where(crowded > 0, CROWDED, 1.0)
    strength = np.where(kinds >= 0, chance * fade * place, 0.0)
    hub = (customers > caps).astype(np.int64)
    return Rarity(strength, customers, hub, crowded)


def private_harness(worth: Rarity, kinds: Ints, gathered: Floats) -> Rarity:
    """The same with every private harness at its full worth.

    `gathered`: share of each value's accounts that stand in groups found before.
    """
    private = np.isin(kinds, HARNESS_KINDS) & (gathered >= GATHERED)
    return replace(worth, strength=np.where(private, PRIVATE, worth.strength))
