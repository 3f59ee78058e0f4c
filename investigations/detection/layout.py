"""A cluster's members on a map that stays put from run to run.

Coordinates lie in a disc of radius 1. Accounts tied most strongly stand in a disc of
their own, the discs in a spiral, the largest in the middle (Vogel's sunflower, which
packs evenly without a simulation, and for 24,000 accounts takes milliseconds). A
springs' pass then draws small clusters together. Who had a place keeps it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.shapes import Floats, Ints, WeightedLink

Point = tuple[float, float]
GOLDEN = math.pi * (3 - math.sqrt(5))
TIED = 0.5  # link weight from which two accounts stand in one disc
SPRING_SIZE = 300  # larger clusters are packed only
SPRING_STEPS = 60


def place_members(
    accounts: Sequence[int],
    links: Iterable[WeightedLink],
    before: Mapping[int, Point],
) -> dict[int, Point]:
    """Account id → (x, y). `before` holds the places of the last run."""
    order = sorted(accounts)
    position = {account: at for at, account in enumerate(order)}
    ties = [
        (position[link.a], position[link.b], link.weight)
        for link in links
        if link.a in position and link.b in position
    ]
    kept = {account: before[account] for account in order if account in before}
    if 2 * len(kept) >= len(order):
        return kept | newcomers(order, ties, kept)
    points = packed(len(order), ties)
    if len(order) <= SPRING_SIZE:
        points = sprung(points, ties)
    points /= max(1e-9, float(np.hypot(points[:, 0], points[:, 1]).max(initial=0)))
    return {
        account: (round(float(x), 4), round(float(y), 4))
        for account, (x, y) in zip(order, points.tolist(), strict=True)
    }


def sunflower(count: int) -> Floats:
    """`count` points spread evenly over a disc whose radius is √count."""
    at = np.arange(count)
    radius, angle = np.sqrt(at + 0.5), at * GOLDEN
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def discs(count: int, ties: Sequence[tuple[int, int, float]]) -> Ints:
    """Which accounts stand together: those chained by strong links."""
    strong = [(a, b) for a, b, weight in ties if weight >= TIED]
    rows, columns = np.array(strong, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    groups: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def packed(count: int, ties: Sequence[tuple[int, int, float]]) -> Floats:
    """Discs along a spiral, the largest in the middle."""
    group = discs(count, ties)
    sizes = np.bincount(group)
    points = np.zeros((count, 2))
    covered = 0.0
    for label in np.lexsort((np.arange(len(sizes)), -sizes)).tolist():
        inside = np.flatnonzero(group == label)
        size = len(inside)
        # The spiral's radius grows with the root of the area already covered.
        radius = math.sqrt(covered + size / 2) if covered else 0.0
        angle = label * GOLDEN
        centre = 1.3 * radius * np.array([math.cos(angle), math.sin(angle)])
        points[inside] = centre + sunflower(size)
        covered += size * 1.6
    return points


def sprung(points: Floats, ties: Sequence[tuple[int, int, float]]) -> Floats:
    """Fruchterman and Reingold's springs, a fixed number of cooling steps."""
    count = len(points)
    pull = np.zeros((count, count))
    for a, b, weight in ties:
        pull[a, b] = pull[b, a] = weight
    for step in range(SPRING_STEPS):
        apart = points[:, None] - points[None]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 0.05)
        force = 1.5 / distance**2 - pull * distance / 4
        moved = (apart * force[..., None]).sum(axis=1) - points * 0.02
        length = np.maximum(np.hypot(moved[:, 0], moved[:, 1]), 1e-9)
        heat = 1.0 - step / SPRING_STEPS
        points = points + moved / length[:, None] * np.minimum(length, heat)[:, None]
    return points


def newcomers(
    order: Sequence[int],
    ties: Sequence[tuple[int, int, float]],
    kept: Mapping[int, Point],
) -> dict[int, Point]:
    """Places for accounts without one: beside those they are tied to."""
    friends: dict[int, list[Point]] = {}
    for a, b, _ in ties:
        for here, there in ((order[a], order[b]), (order[b], order[a])):
            if here not in kept and there in kept:
                friends.setdefault(here, []).append(kept[there])
    everyone = list(kept.values()) or [(0.0, 0.0)]
    placed = {}
    for rank, account in enumerate(a for a in order if a not in kept):
        near = sorted(friends.get(account, everyone))
        angle = rank * GOLDEN
        x = sum(point[0] for point in near) / len(near) + 0.06 * math.cos(angle)
        y = sum(point[1] for point in near) / len(near) + 0.06 * math.sin(angle)
        placed[account] = (round(x, 4), round(y, 4))
    return placed
