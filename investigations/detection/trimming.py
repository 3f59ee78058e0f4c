"""Groups → dense cores: who hangs on by little goes.

After FRAUDAR (Hooi et al., KDD 2016): a value shared inside weighs 1 / ln(e + customers
outside), so that popular things hold nobody; members below a fifth of the median weight
go, and the rest is weighed again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from investigations.detection.rarity import KINDS, customers_of
from investigations.detection.shapes import (
    Everyone,
    Floats,
    FoundCluster,
    Ints,
    Member,
    Sightings,
)

FEWEST = 3  # customers in a cluster
TRIM = 0.2  # of the median member's support; who has less is trimmed
RARE = 5  # customers outside that may show a value and leave it rare


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """What each account shows, and whom it exchanged conversations with; what each
    value is worth to a cluster (chance of its kind, 0 in crowded places) and how many
    customers show it at all."""

    values: Sequence[Ints]
    peers: Mapping[int, frozenset[int]]
    organization: Ints
    worth: Floats
    customers: Ints


def trimmed(
    world: Everyone,
    sightings: Sightings,
    kinds: Ints,
    group: Ints,
    stability: Floats,
    crowded: Ints,
) -> list[FoundCluster]:
    """Groups of three or more customers, without those who hang on by little."""
    showing = all_shown(world, sightings, kinds, crowded)
    sizes = np.bincount(group, minlength=len(group))
    clusters = []
    for label in np.flatnonzero(sizes >= FEWEST).tolist():
        support = dense_core(np.flatnonzero(group == label).tolist(), showing)
        left = sorted(support)
        if len({int(world.organization[at]) for at in left}) < FEWEST:
            continue
        clusters.append(
            FoundCluster(
                tuple(
                    Member(
                        world.accounts[at], round(float(stability[at]), 3), support[at]
                    )
                    for at in left
                )
            )
        )
    return sorted(clusters, key=lambda cluster: cluster.accounts)


def all_shown(
    world: Everyone, sightings: Sightings, kinds: Ints, crowded: Ints
) -> Showing:
    order = np.lexsort((sightings.value, sightings.account))
    account, value = sightings.account[order], sightings.value[order]
    bounds = np.searchsorted(account, np.arange(1, len(world.accounts)))
    position = {pk: at for at, pk in enumerate(world.accounts)}
    peers: dict[int, set[int]] = {}
    for handoff in world.handoffs:
        giver, taker = position[handoff.giver], position[handoff.taker]
        peers.setdefault(giver, set()).add(taker)
        peers.setdefault(taker, set()).add(giver)
    chance = np.array([kind.chance for kind in KINDS.values()])[kinds]
    return Showing(
        values=np.split(value, bounds),
        peers={at: frozenset(others) for at, others in peers.items()},
        organization=world.organization,
        worth=np.where((kinds < 0) | (crowded > 0), 0.0, chance),
        customers=customers_of(world.organization[account], value, len(world.values)),
    )


def dense_core(members: Sequence[int], showing: Showing) -> dict[int, int]:
    """Members that stay, with the number of rare values each shares with the rest."""
    inside = set(members)
    while True:
        weighed = weigh(inside, showing)
        floor = TRIM * float(np.median([w for w, _ in weighed.values()] or [0.0]))
        gone = {
            at for at, (weight, rare) in weighed.items() if not rare or weight < floor
        }
        if not gone:
            return {at: rare for at, (_, rare) in weighed.items()}
        inside -= gone


def weigh(inside: set[int], showing: Showing) -> dict[int, tuple[float, int]]:
    """Weight of what each member shares with other customers inside, and how many of
    those values are rare outside."""
    owners: dict[int, set[int]] = {}
    for at in inside:
        for value in showing.values[at].tolist():
            owners.setdefault(value, set()).add(int(showing.organization[at]))
    weighed = {}
    for at in inside:
        weight, rare = 0.0, 0
        for value in showing.values[at].tolist():
            together = len(owners[value])
            if together < 2 or not showing.worth[value]:
                continue
            outside = max(0, int(showing.customers[value]) - together)
            weight += float(showing.worth[value]) * idf(outside)
            rare += outside <= max(RARE, together // 4)
        mine = showing.organization[at]
        handed = any(
            peer in inside and showing.organization[peer] != mine
            for peer in showing.peers.get(at, ())
        )
        weighed[at] = (weight + 0.95 * handed, rare + handed)
    return weighed


def idf(customers: int) -> float:
    """Column weight of a shared value when a cluster is trimmed: 1 / ln(e + df)."""
    return 1 / math.log(math.e + customers)
