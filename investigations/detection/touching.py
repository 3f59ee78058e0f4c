"""Accounts that changed → all whose groups may be others now. Pure.

That is who is tied to them by a link worth keeping, and everybody who hangs together
with one of these by merging links or was found in one cluster with them. What a change
does to how common a value is reaches further, and waits for the next full pass.
"""

import numpy as np

from investigations.detection import combining, linking
from investigations.detection.clustering import Ground, worth_of
from investigations.detection.combining import KEEP, Pairs
from investigations.detection.shapes import Bools, Everyone, Floats, Ints
from investigations.detection.trimming import FEWEST


def concerned(
    world: Everyone, ground: Ground, changed: Bools, reach: Ints, home: Ints
) -> Bools:
    """`reach` and `home` number the accounts by what they were found to hang together
    with, and by their cluster (-1: none)."""
    found = changed | neighbours(world, ground, changed)
    while True:
        wider = np.isin(reach, reach[found])
        wider |= np.isin(home, home[wider & (home >= 0)])
        if np.array_equal(wider, found):
            return found
        found = wider


def neighbours(world: Everyone, ground: Ground, changed: Bools) -> Bools:
    """Accounts with a link worth keeping to one that changed."""
    nodes = len(world.accounts)
    single = np.ones(nodes, np.int64)
    worth = worth_of(world, ground, np.arange(nodes, dtype=np.int64))
    pairs = pairs_with(world, ground, changed, worth.strength)
    pairs = linking.between_groups(pairs, single, FEWEST)
    position = {account: at for at, account in enumerate(world.accounts)}
    inside = {world.accounts[at] for at in np.flatnonzero(changed).tolist()}
    handed = [h for h in world.handoffs if h.giver in inside or h.taker in inside]
    ties = linking.handoff_pairs(handed, position, single, world.today)
    links = combining.combine(linking.joined(pairs, ties), nodes).links
    kept = links.weight >= KEEP
    found = np.zeros(nodes, bool)
    found[links.a[kept]] = found[links.b[kept]] = True
    return found


def pairs_with(
    world: Everyone, ground: Ground, changed: Bools, strength: Floats
) -> Pairs:
    """Every pair of an account that changed and another on one value."""
    shown = ground.sightings
    wanted = np.zeros(len(strength), bool)
    wanted[shown.value[changed[shown.account]]] = True
    wanted &= strength > 0
    rows = np.flatnonzero(wanted[shown.value])
    rows = rows[np.argsort(shown.value[rows], kind="stable")]
    account, value = shown.account[rows], shown.value[rows]
    fresh = linking.freshness(shown, ground.kinds, world.today)[rows]
    starts = np.searchsorted(value, value, "left")
    sizes = np.searchsorted(value, value, "right") - starts
    mine = np.flatnonzero(changed[account])
    i = np.repeat(mine, sizes[mine])
    first = np.repeat(np.cumsum(sizes[mine]) - sizes[mine], sizes[mine])
    j = np.repeat(starts[mine], sizes[mine]) + np.arange(len(i)) - first
    apart = world.organization[account[i]] != world.organization[account[j]]
    # Two that changed meet twice.
    apart &= ~changed[account[j]] | (account[i] < account[j])
    i, j = i[apart], j[apart]
    return Pairs(
        np.minimum(account[i], account[j]),
        np.maximum(account[i], account[j]),
        ground.kinds[value[i]],
        value[i],
        strength[value[i]] * fresh[i] * fresh[j],
    )
