"""A cluster's members on a map that stays put from run to run.

Coordinates lie in a disc of radius 1. Accounts tied most strongly stand in a disc of
their own, the discs side by side, the largest in the middle. Inside, they stand like
the seeds of a sunflower (Vogel 1979), which packs evenly without a simulation: forces
would pull those who share the most into one dot. Who had a place keeps it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.shapes import Floats, Ints

Point = tuple[float, float]
GOLDEN = math.pi * (3 - math.sqrt(5))
TIED = 0.5  # link weight from which two accounts stand in one disc
GAP = 1.5  # free room around a disc, in distances between two accounts
SPOT = 0.5  # distance between two spots that are tried for a disc


def place_members(
    accounts: Sequence[int],
    tied: Iterable[tuple[int, int, float]],
    before: Mapping[int, Point],
) -> dict[int, Point]:
    """Account id → (x, y). `tied`: two accounts' ids and what their link weighs;
    `before` holds the places of the last run."""
    order = sorted(accounts)
    position = {account: at for at, account in enumerate(order)}
    ties = [
        (position[a], position[b], weight)
        for a, b, weight in tied
        if a in position and b in position
    ]
    kept = {account: before[account] for account in order if account in before}
    if 2 * len(kept) >= len(order):
        return kept | newcomers(order, ties, kept)
    points = packed(len(order), ties)
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
    """Discs side by side, the largest in the middle; the untied share one disc."""
    group = discs(count, ties)
    alone = np.bincount(group)[group] == 1
    group[alone] = group.max(initial=0) + 1
    labels, sizes = np.unique(group, return_counts=True)
    falling = np.lexsort((labels, -sizes))
    points = np.zeros((count, 2))
    centres = side_by_side((np.sqrt(sizes[falling]) + GAP).tolist())
    for label, centre in zip(labels[falling], centres, strict=True):
        inside = np.flatnonzero(group == label)
        points[inside] = centre + sunflower(len(inside))
    return points


def side_by_side(radii: Sequence[float]) -> Floats:
    """Centres of discs that do not overlap; the radii come in falling order.

    Each disc takes the first free spot of a sunflower, further out than the last.
    """
    centres = np.zeros((len(radii), 2))
    spot = 0
    for place, radius in enumerate(radii):
        reach = np.array(radii[:place]) + radius
        while True:
            turn, out = spot * GOLDEN, SPOT * math.sqrt(spot)
            here = np.array([out * math.cos(turn), out * math.sin(turn)])
            apart = np.hypot(*(centres[:place] - here).T)
            if (apart >= reach).all():
                break
            spot += 1
        centres[place] = here
    return centres


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
