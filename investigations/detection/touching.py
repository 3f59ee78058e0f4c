"""Accounts that changed → all whose groups or scores may be others now. Pure.

Whose ties are what they were, and who sent hardly more, is what it was. Of the others,
who shows what it showed before keeps its company: its group is looked at again, with
whoever is in one cluster with it. Whose ties are others now is restless; then that is
also who is tied to it by a link worth keeping, and the groups and clusters of these.
What a change does to how common a value is reaches further, and so may what moves in
a group that is tied to none of these: both wait for the next full pass.
"""

from collections.abc import Collection, Mapping, Set
from operator import attrgetter

import numpy as np

from investigations.detection import combining, linking
from investigations.detection.clustering import Ground, worth_of
from investigations.detection.combining import KEEP, Pairs
from investigations.detection.shapes import (
    AccountFeatures,
    Bools,
    Everyone,
    Floats,
    Ints,
)
from investigations.detection.trimming import FEWEST

STEADY = 0.1  # of an account's requests, which more or less do not make it another
# What an account is, whatever it sends.
RECORD = attrgetter(
    "organization",
    "created_at",
    "contract",
    "verification",
    "status",
    "email_shape",
    "email_domain",
    "program",
    "referrer",
    "stack",
    "label",
    "labelled_at",
)


def changed_much(
    now: Mapping[int, AccountFeatures],
    before: Mapping[int, AccountFeatures],
    some: Set[int],
) -> set[int]:
    """Those of these accounts that are not steady; who came or went is not."""
    return {
        pk
        for pk in some
        if pk not in now or pk not in before or not steady(now[pk], before[pk])
    }


def steady(now: AccountFeatures, before: AccountFeatures) -> bool:
    """Whether its record is the same and its requests are about as many."""
    if RECORD(now) != RECORD(before):
        return False
    return abs(now.requests - before.requests) <= STEADY * before.requests


def restless(
    world: Everyone,
    ground: Ground,
    before: Everyone,
    ground_before: Ground,
    anew: Set[int],
) -> Bools:
    """Of these accounts, given by id, those whose ties are others than before: what
    they show of what may tie, and whom they exchange conversations with."""
    shown = shows(world, ground, anew)
    showed = shows(before, ground_before, anew)
    other = {pk for pk in anew if shown.get(pk) != showed.get(pk)}
    for handoff in set(world.handoffs) ^ set(before.handoffs):
        if handoff.taker in anew:
            other |= {handoff.giver, handoff.taker}
    found: Bools = np.isin(np.array(world.accounts, np.int64), list(other))
    return found


def shows(
    world: Everyone, ground: Ground, some: Collection[int]
) -> dict[int, set[tuple[str, str]]]:
    """Account → kind and text of what it shows that is worth something."""
    strength = alone(world, ground)
    shown, accounts = ground.sightings, np.array(world.accounts, np.int64)
    wanted = np.isin(accounts, list(some))[shown.account]
    wanted &= strength[shown.value] > 0
    found: dict[int, set[tuple[str, str]]] = {}
    for account, value in zip(
        accounts[shown.account[wanted]].tolist(),
        shown.value[wanted].tolist(),
        strict=True,
    ):
        each = world.values[value]
        found.setdefault(account, set()).add((each.kind, each.text))
    return found


def alone(world: Everyone, ground: Ground) -> Floats:
    """What each value is worth while nobody is grouped."""
    nobody = np.arange(len(world.accounts), dtype=np.int64)
    return worth_of(world, ground, nobody).strength


def concerned(changed: Bools, tied: Bools, group: Ints, home: Ints) -> Bools:
    """Who changed, who is tied to the restless, and all who were found in one group
    with one of them or are in one cluster (-1: in none), and so on."""
    found = changed | tied
    while True:
        wider = np.isin(group, group[found])
        wider |= np.isin(home, home[wider & (home >= 0)])
        if np.array_equal(wider, found):
            return found
        found = wider


def neighbours(world: Everyone, ground: Ground, moved: Bools) -> Bools:
    """The restless, and accounts with a link worth keeping to one of them."""
    nodes = len(world.accounts)
    single = np.ones(nodes, np.int64)
    pairs = pairs_with(world, ground, moved, alone(world, ground))
    pairs = linking.between_groups(pairs, single, FEWEST)
    position = {account: at for at, account in enumerate(world.accounts)}
    inside = {world.accounts[at] for at in np.flatnonzero(moved).tolist()}
    handed = [h for h in world.handoffs if h.giver in inside or h.taker in inside]
    ties = linking.handoff_pairs(handed, position, single, world.today)
    links = combining.combine(linking.joined(pairs, ties), nodes).links
    kept = links.weight >= KEEP
    found = moved.copy()
    found[links.a[kept]] = found[links.b[kept]] = True
    return found


def pairs_with(
    world: Everyone, ground: Ground, moved: Bools, strength: Floats
) -> Pairs:
    """Every pair of one of these accounts and another on one value."""
    shown = ground.sightings
    wanted = np.zeros(len(strength), bool)
    wanted[shown.value[moved[shown.account]]] = True
    wanted &= strength > 0
    rows = np.flatnonzero(wanted[shown.value])
    rows = rows[np.argsort(shown.value[rows], kind="stable")]
    account, value = shown.account[rows], shown.value[rows]
    fresh = linking.freshness(shown, ground.kinds, world.today)[rows]
    starts = np.searchsorted(value, value, "left")
    sizes = np.searchsorted(value, value, "right") - starts
    mine = np.flatnonzero(moved[account])
    i = np.repeat(mine, sizes[mine])
    first = np.repeat(np.cumsum(sizes[mine]) - sizes[mine], sizes[mine])
    j = np.repeat(starts[mine], sizes[mine]) + np.arange(len(i)) - first
    apart = world.organization[account[i]] != world.organization[account[j]]
    # Two of them meet twice.
    apart &= ~moved[account[j]] | (account[i] < account[j])
    i, j = i[apart], j[apart]
    return Pairs(
        np.minimum(account[i], account[j]),
        np.maximum(account[i], account[j]),
        ground.kinds[value[i]],
        value[i],
        strength[value[i]] * fresh[i] * fresh[j],
    )
