"""Links → groups: what hangs together densely, not by a thread."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import graspologic_native
import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.combining import Links
from investigations.detection.shapes import Floats, Ints

# CPM: two groups stay apart below this mean link weight between their members.
RESOLUTION = 0.05
SEEDS = tuple(range(10))
TRIVIAL = 3  # so few nodes are never parted
LONG = 10_000  # links from which a run takes longer than a thread costs
SURELY = 1.001  # times the resolution: more than rounding could make up


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Group of each node, and the share of runs that kept it with its group."""

    group: Ints
    stability: Floats


Partition = Callable[[Links, int], Grouping]


def adjacency(links: Links, nodes: int, kept: Ints) -> csr_array:
    """Symmetric weights of the kept links."""
    a, b, weight = links.a[kept], links.b[kept], links.weight[kept]
    both = (np.concatenate([a, b]), np.concatenate([b, a]))
    matrix = coo_array((np.concatenate([weight, weight]), both), shape=(nodes, nodes))
    return matrix.tocsr()


def by_components(links: Links, nodes: int) -> Grouping:
    """Everything that hangs together, as one. Kept to show what it does wrong."""
    merging = adjacency(links, nodes, np.flatnonzero(links.merges))
    group = connected_components(merging, directed=False)[1].astype(np.int64)
    return Grouping(group, np.ones(nodes))


def by_leiden(links: Links, nodes: int) -> Grouping:
    """Communities inside the components of merging links."""
    whole = by_components(links, nodes).group
    order = np.argsort(whole, kind="stable")
    inside = np.flatnonzero(whole[links.a] == whole[links.b])
    # A component's nodes stand side by side, so that each is a block of the matrix.
    weights = adjacency(links, nodes, inside)[order][:, order].tocsr()
    weights.sort_indices()
    group, stability = np.arange(nodes, dtype=np.int64), np.ones(nodes)
    edges = np.flatnonzero(np.diff(whole[order], prepend=-1, append=-1))
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if end - start == 1:
            continue
        found, steady = communities(block(weights, start, end))
        members = order[start:end]
        # A group is named by its first node.
        firsts = np.unique(found, return_index=True)[1]
        group[members] = members[firsts[found]]
        stability[members] = steady
    return Grouping(group, stability)


def block(weights: csr_array, start: int, end: int) -> csr_array:
    """Rows and columns from start up to end, beyond which these rows are empty."""
    first, last = weights.indptr[start], weights.indptr[end]
    return csr_array(
        (
            weights.data[first:last],
            weights.indices[first:last] - start,
            weights.indptr[start : end + 1] - first,
        ),
        shape=(end - start, end - start),
    )


def communities(weights: csr_array) -> tuple[Ints, Floats]:
    """One component's best partition of ten, and how steady each node is in it."""
    size = weights.shape[0]
    if size <= TRIVIAL or is_one(weights):
        return np.zeros(size, np.int64), np.ones(size)
    runs = all_runs(weights)
    best = max(runs, key=lambda run: round(run[0], 9))[1]
    return best, np.mean([kept_with(best, other) for _, other in runs], axis=0)


def all_runs(weights: csr_array) -> list[tuple[float, Ints]]:
    """One run for each seed, in their order. Long ones side by side: they are compiled
    code that lets other threads work, and each has its own seed."""
    if weights.nnz < LONG:
        return [leiden(weights, seed) for seed in SEEDS]
    with ThreadPoolExecutor(min(len(SEEDS), os.cpu_count() or 1)) as pool:
        return list(pool.map(partial(leiden, weights), SEEDS))


def is_one(weights: csr_array) -> bool:
    """Whether one group of all is certain to be the best partition there is.

    Against any other it gains, for each pair of groups, the weight between them less
    the resolution times their sizes; summed up, half of what each group's cut gains.
    So it is best where the mean weight across every cut is above the resolution. That
    mean is at least λ/n, λ being the second smallest eigenvalue of the Laplacian
    (Fiedler 1973); and λ/n is at least g − 2 max_i Σ_j (g − w_ij)⁺ / n for any g, by
    Gershgorin's circles around what is left when the complete graph of weight g is
    taken away. False says nothing: then the runs have to show it. True saves ten runs
    on cliques, which take the longest; one that parts them has only stopped early.
    """
    size = weights.shape[0]
    if weights.nnz < size * (size - 1) / 2:
        return False  # so few that no g could do
    node = np.repeat(np.arange(size), np.diff(weights.indptr))
    for part in (25, 10, 50):
        g = float(np.percentile(weights.data, part))
        missing = size - 1 - np.diff(weights.indptr)
        lighter = np.maximum(0.0, g - weights.data)
        short = np.bincount(node, lighter, minlength=size) + g * missing
        if g - 2 * float(short.max()) / size > SURELY * RESOLUTION:
            return True
    return False


def leiden(weights: csr_array, seed: int) -> tuple[float, Ints]:
    quality, found = graspologic_native.leiden_csr(
        weights.indptr.astype(np.int64),
        weights.indices.astype(np.int32),
        weights.data.astype(np.float64),
        weights.shape[0],
        resolution=RESOLUTION,
        iterations=2,
        use_modularity=False,
        seed=seed,
    )
    size = weights.shape[0]
    return quality, np.fromiter(map(found.__getitem__, range(size)), np.int64, size)


def kept_with(best: Ints, other: Ints) -> Floats:
    """Share of each node's group in `best` that `other` leaves with it."""
    sizes = np.bincount(best)[best]
    _, cell, counts = np.unique(
        best * (int(other.max()) + 1) + other, return_inverse=True, return_counts=True
    )
    share: Floats = (counts[cell] - 1) / np.maximum(sizes - 1, 1)
    return np.where(sizes == 1, 1.0, share)
