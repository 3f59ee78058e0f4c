"""One cluster's accounts grouped once more, without some of what they share. Pure.

The steps of clustering.py on members alone. How common a value is, is still asked of
everybody: the customers beyond the cluster that show it are counted in.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from investigations.detection import clustering, combining, rarity, trimming
from investigations.detection.clustering import ROUNDS, Ground
from investigations.detection.communities import by_leiden
from investigations.detection.dealing import TIE
from investigations.detection.rarity import Rarity
from investigations.detection.shapes import (
    Bools,
    CommonValue,
    Everyone,
    FoundCluster,
    Ints,
    Sightings,
)


@dataclass(frozen=True, slots=True, eq=False)
class Circle:
    """A cluster's members and what two or more of them show. By value: customers
    beyond the cluster that show it, accounts and requests of everybody, and whether
    it is a crowded place."""

    world: Everyone
    outside: Ints
    everywhere: Ints
    requests: Ints
    crowded: Ints

    @property
    def kinds(self) -> Ints:
        return rarity.kinds_of(self.world.values)


def without(circle: Circle, indicators: Collection[int]) -> Circle:
    """The same as if nobody had shown these values, nor been found by them."""
    values = circle.world.values
    gone = np.array([value.indicator in indicators for value in values], bool)
    names = {f"{v.kind} {v.text}" for v, out in zip(values, gone, strict=True) if out}
    gone |= np.array([v.kind == TIE and v.text in names for v in values], bool)
    return replace(
        circle, world=replace(circle.world, sightings=kept(circle.world, gone))
    )


def kept(world: Everyone, gone: Bools) -> Sightings:
    return world.sightings.where(~gone[world.sightings.value])


def parts_of(circle: Circle) -> list[FoundCluster]:
    """Groups of three or more customers that hang together, the largest first."""
    world, ground = circle.world, grounded(circle)
    nodes = len(world.accounts)
    if not len(world.sightings.value) and not world.handoffs:
        return []
    group = np.arange(nodes, dtype=np.int64)
    for _ in range(ROUNDS):
        worth = worth_among(circle, ground, group)
        ties = clustering.ties_between(
            world, ground.sightings, ground.kinds, worth, group
        )
        links = combining.telling(ties, nodes).links
        merged = by_leiden(links, nodes).group[group]
        if np.array_equal(merged, group):
            break
        group = merged
    showing = trimming.showing_of(world, ground.sightings, ground.kinds, ground.crowded)
    showing = replace(showing, customers=showing.customers + circle.outside)
    found = trimming.trimmed(
        showing, world.accounts, group, np.ones(nodes), np.ones(nodes, bool)
    )
    return sorted(found, key=lambda part: (-len(part.members), part.accounts))


def grounded(circle: Circle) -> Ground:
    world, kinds = circle.world, circle.kinds
    sightings = clustering.linkable(world, kinds)
    payer = rarity.payers(world.organization, sightings, kinds)
    return Ground(kinds, sightings, payer, circle.crowded)


def worth_among(circle: Circle, ground: Ground, group: Ints) -> Rarity:
    """As clustering.worth_of, with who is not a member counted in."""
    inside = rarity.rarity(
        ground.sightings,
        ground.kinds,
        clustering.as_one(circle.world.organization, group),
        clustering.as_one(ground.payer, group),
        ground.crowded,
    )
    worth = rarity.worth(
        ground.kinds, inside.customers + circle.outside, ground.crowded
    )
    size = len(ground.kinds)
    members = np.bincount(ground.sightings.value, minlength=size)
    share = clustering.gathered(ground.sightings, group, size)
    share = share * members / np.maximum(circle.everywhere, np.maximum(members, 1))
    return rarity.private_harness(worth, ground.kinds, share)


def common_values(
    circle: Circle, kinds: Collection[str]
) -> dict[str, tuple[CommonValue, ...]]:
    """Values by kind that two or more customers show, as pooling.common_values."""
    world, shown = circle.world, circle.world.sightings
    order = np.argsort(shown.value, kind="stable")
    bounds = np.searchsorted(shown.value[order], np.arange(len(world.values) + 1))
    common: dict[str, list[CommonValue]] = {kind: [] for kind in kinds}
    for at, value in enumerate(world.values):
        if value.kind not in common:
            continue
        rows = order[bounds[at] : bounds[at + 1]]
        holders = shown.account[rows]
        if len(np.unique(world.organization[holders])) < 2:
            continue
        here = int(shown.count[rows].sum())
        common[value.kind].append(
            CommonValue(
                kind=value.kind,
                value=value.text,
                indicator=value.indicator,
                members=frozenset(world.accounts[h] for h in holders.tolist()),
                accounts=max(int(circle.everywhere[at]), len(holders)),
                member_requests=here,
                requests=max(int(circle.requests[at]), here),
                crowded=bool(circle.crowded[at]),
            )
        )
    return {
        kind: tuple(sorted(found, key=lambda v: (-len(v.members), v.value)))
        for kind, found in common.items()
    }
