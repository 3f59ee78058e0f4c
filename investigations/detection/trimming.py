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
    Bools,
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
    """What each account shows (`bounds` in `shown`, by position), and whom it exchanged
    conversations with; what each value is worth to a cluster (chance of its kind, 0 in
    crowded places) and how many customers show it at all."""

    shown: Ints
    bounds: Ints
    peers: Mapping[int, frozenset[int]]
    organization: Ints
    worth: Floats
    customers: Ints

    def values(self, at: int) -> list[int]:
        found: list[int] = self.shown[self.bounds[at] : self.bounds[at + 1]].tolist()
        return found


def trimmed(
    showing: Showing,
    accounts: Sequence[int],
    group: Ints,
    stability: Floats,
    among: Bools,
) -> list[FoundCluster]:
    """Groups of three or more customers, without those who hang on by little. Groups
    have `among` none or all of their accounts."""
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.diff(group[order], prepend=-1, append=-1))
    clusters = []
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if end - start < FEWEST or not among[order[start]]:
            continue
        support = dense_core(order[start:end].tolist(), showing)
        left = sorted(support)
        if len({int(showing.organization[at]) for at in left}) < FEWEST:
            continue
        clusters.append(
            FoundCluster(
                tuple(
                    Member(accounts[at], round(float(stability[at]), 3), support[at])
                    for at in left
                )
            )
        )
    return sorted(clusters, key=lambda cluster: cluster.accounts)


def showing_of(
    world: Everyone, sightings: Sightings, kinds: Ints, crowded: Ints
) -> Showing:
    order = np.lexsort((sightings.value, sightings.account))
    account, value = sightings.account[order], sightings.value[order]
    position = {pk: at for at, pk in enumerate(world.accounts)}
    peers: dict[int, set[int]] = {}
    for handoff in world.handoffs:
        giver, taker = position[handoff.giver], position[handoff.taker]
        peers.setdefault(giver, set()).add(taker)
        peers.setdefault(taker, set()).add(giver)
    chance = np.array([kind.chance for kind in KINDS.values()])[kinds]
    return Showing(
        shown=value,
        bounds=np.searchsorted(account, np.arange(len(world.accounts) + 1)),
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
        for value in showing.values(at):
            owners.setdefault(value, set()).add(int(showing.organization[at]))
    weighed = {}
    for at in inside:
        weight, rare = 0.0, 0
        for value in showing.values(at):
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
