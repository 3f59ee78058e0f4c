"""Accounts that changed → all whose groups or scores may be others now. Pure.

Whose ties are what they were, and who sent hardly more, is what it was. Of the others,
who shows what it showed before keeps its company: its group is looked at again, with
whoever is in one cluster with it. Whose ties are others now is restless; then that is
also who is tied to it by a link worth keeping, and the groups and clusters of these.
What a change does to how common a value is reaches further, and so may what moves in
a group that is tied to none of these: both wait for the next full pass.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np

from investigations.detection import combining, linking
from investigations.detection.clustering import Ground, prepared, worth_of
from investigations.detection.combining import KEEP, Pairs
from investigations.detection.shapes import (
    AccountFeatures,
    Bools,
    Everyone,
    Floats,
    Ints,
)

STEADY = 0.1  # of an account's requests, which more or less do not make it another
# What time and traffic move. All the rest is what an account is, whatever it sends.
MOVING = frozenset(
    {
        "age_days",
        "requests",
        "active_days",
        "conversations",
        "single_shots",
        "distinct_skeletons",
        "distinct_slots",
        "input_tokens",
        "output_tokens",
        "tool_requests",
        "intents",
    }
)
RECORD = attrgetter(
    *(each.name for each in fields(AccountFeatures) if each.name not in MOVING)
)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A world, and what each of its values is worth while nobody is grouped."""

    world: Everyone
    ground: Ground
    strength: Floats

    @classmethod
    def of(cls, world: Everyone) -> "Scene":
        ground = prepared(world)
        nobody = np.arange(len(world.accounts), dtype=np.int64)
        return cls(world, ground, worth_of(world, ground, nobody).strength)


def changed_much(
    now: Iterable[AccountFeatures],
    before: Iterable[AccountFeatures],
    some: Set[int],
) -> set[int]:
    """Those of these accounts that are not steady; who came or went is not."""
    known = {own.account: own for own in before if own.account in some}
    still = {
        own.account
        for own in now
        if own.account in known and steady(own, known[own.account])
    }
    return set(some - still)


def steady(now: AccountFeatures, before: AccountFeatures) -> bool:
    """Whether its record is the same and its requests are about as many."""
    if RECORD(now) != RECORD(before):
        return False
    return abs(now.requests - before.requests) <= STEADY * before.requests


def restless(now: Scene, before: Scene, anew: Set[int]) -> Bools:
    """Of these accounts, given by id, those whose ties are others than before: what
    they show of what may tie, and whom they exchange conversations with."""
    shown, showed = shows(now, anew), shows(before, anew)
    other = {pk for pk in anew if shown.get(pk) != showed.get(pk)}
    for handoff in set(now.world.handoffs) ^ set(before.world.handoffs):
        if handoff.taker in anew:
            other |= {handoff.giver, handoff.taker}
    found: Bools = np.isin(np.array(now.world.accounts, np.int64), list(other))
    return found


def shows(scene: Scene, some: Set[int]) -> dict[int, set[tuple[str, str]]]:
    """Account → kind and text of what it shows that is worth something."""
    accounts = np.array(scene.world.accounts, np.int64)
    shown = scene.ground.sightings
    wanted = np.isin(accounts, list(some))[shown.account]
    wanted &= scene.strength[shown.value] > 0
    found: dict[int, set[tuple[str, str]]] = {}
    for account, value in zip(
        accounts[shown.account[wanted]].tolist(),
        shown.value[wanted].tolist(),
        strict=True,
    ):
        each = scene.world.values[value]
        found.setdefault(account, set()).add((each.kind, each.text))
    return found


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


def neighbours(scene: Scene, moved: Bools) -> Bools:
    """The restless, and accounts with a link worth keeping to one of them."""
    world, nodes = scene.world, len(moved)
    single = np.ones(nodes, np.int64)
    pairs = pairs_with(scene, moved)
    position = {account: at for at, account in enumerate(world.accounts)}
    inside = {world.accounts[at] for at in np.flatnonzero(moved).tolist()}
    handed = [h for h in world.handoffs if h.giver in inside or h.taker in inside]
    ties = linking.handoff_pairs(handed, position, single, world.today)
    tied = combining.ties_of([lambda: pairs.and_also(ties)], nodes)
    links = combining.telling(tied, nodes).links
    kept = links.weight >= KEEP
    found = moved.copy()
    found[links.a[kept]] = found[links.b[kept]] = True
    return found


def pairs_with(scene: Scene, moved: Bools) -> Pairs:
    """Every pair of one of these accounts and another on one value."""
    world, ground, strength = scene.world, scene.ground, scene.strength
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
