"""Links → groups: what hangs together densely, not by a thread."""

from collections.abc import Callable
from dataclasses import dataclass

import graspologic_native
import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.linking import Links
from investigations.detection.shapes import Floats, Ints

# CPM: two groups stay apart below this mean link weight between their members.
RESOLUTION = 0.05
SEEDS = tuple(range(10))
TRIVIAL = 3  # so few nodes are never parted


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
    if size <= TRIVIAL:
        return np.zeros(size, np.int64), np.ones(size)
    runs = [leiden(weights, seed) for seed in SEEDS]
    best = max(runs, key=lambda run: round(run[0], 9))[1]
    return best, np.mean([kept_with(best, other) for _, other in runs], axis=0)


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
    return quality, np.array([found[node] for node in range(weights.shape[0])])


def kept_with(best: Ints, other: Ints) -> Floats:
    """Share of each node's group in `best` that `other` leaves with it."""
    sizes = np.bincount(best)[best]
    _, cell, counts = np.unique(
        best * (int(other.max()) + 1) + other, return_inverse=True, return_counts=True
    )
    share: Floats = (counts[cell] - 1) / np.maximum(sizes - 1, 1)
    return np.where(sizes == 1, 1.0, share)
