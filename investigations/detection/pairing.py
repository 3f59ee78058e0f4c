"""Who shows what → pairs of nodes on one value, part by part.

All pairs of two nodes come in one part, so that each part can be made into links by
itself, near the processor and beside others; all pairs are never in memory at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from investigations.detection.combining import Pairs, Whole, in_order_of
from investigations.detection.rarity import HARNESS_KINDS, NAMES, PRIVATE_TO_ONE
from investigations.detection.shapes import Bools, Columns, Floats, Ints

PAIRS_AT_ONCE = 400_000
HARNESS = np.isin(np.arange(len(NAMES)), HARNESS_KINDS)


@dataclass(frozen=True, slots=True, eq=False)
class Shown(Columns):
    """Node shows value with a coverage between 0 and 1."""

    node: Whole
    value: Whole
    coverage: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Owner of each, of whom no two meet, and who is too small to be bound by a harness
    alone."""

    owner: Ints
    small: Bools


@dataclass(frozen=True, slots=True, eq=False)
class CandidatePairs:
    """Who meets whom. Each row of `shown`, in order of nodes, meets the `later` rows of
    `others`, the same in order of values, that begin at `behind`: those of its value
    that come after it. `ties` are pairs on no value, in order of their nodes."""

    shown: Shown
    others: Shown
    behind: Ints
    later: Ints
    kinds: Whole
    strength: Floats
    nodes: Nodes
    ties: Pairs

    def parts(self) -> list[Callable[[], Pairs]]:
        """Runs of first nodes, in order."""
        ends = np.cumsum(self.later)
        filled = np.arange(PAIRS_AT_ONCE, int(self.later.sum()), PAIRS_AT_ONCE)
        cuts = np.unique(self.shown.node[np.searchsorted(ends, filled)]).tolist()
        bounds = [0, *(at for at in cuts if at), len(self.nodes.owner)]
        return [
            partial(self.pairs, *bound)
            for bound in zip(bounds[:-1], bounds[1:], strict=True)
        ]

    def pairs(self, start: int, end: int) -> Pairs:
        """Those whose first node is one from `start` up to `end`."""
        rows = slice(*np.searchsorted(self.shown.node, [start, end]))
        own, later = self.shown.where(rows), self.later[rows]
        i = np.repeat(np.arange(len(later)), later)
        first = self.behind[rows] - np.cumsum(later) + later
        j = np.arange(len(i)) + first[i]
        apart = self.nodes.owner[own.node][i] != self.nodes.owner[self.others.node[j]]
        i, j = i[apart], j[apart]
        a, b, value = own.node[i], self.others.node[j], own.value[i]
        kind = self.kinds[own.value][i]
        q = (self.strength[own.value] * own.coverage)[i] * self.others.coverage[j]
        alone = np.flatnonzero(HARNESS[kind] & (q > PRIVATE_TO_ONE))
        alone = alone[self.nodes.small[a[alone]] | self.nodes.small[b[alone]]]
        q[alone] = PRIVATE_TO_ONE
        ties = slice(*np.searchsorted(self.ties.a, [start, end]))
        return Pairs(a, b, kind, value, q).and_also(self.ties.where(ties))


def candidate_pairs(
    shown: Shown, kinds: Whole, strength: Floats, nodes: Nodes, ties: Pairs
) -> CandidatePairs:
    """`shown` in order of nodes and values; kind and strength of each value."""
    shown = shown.where(strength[shown.value] > 0)
    order = in_order_of(shown.value, len(kinds))
    sizes = np.bincount(shown.value, minlength=len(kinds))
    behind = np.empty(len(order), np.int64)
    behind[order] = np.arange(1, len(order) + 1)
    later = np.cumsum(sizes)[shown.value] - behind
    # Narrow columns: pairs are many.
    narrow = Shown(
        shown.node.astype(np.int32), shown.value.astype(np.int32), shown.coverage
    )
    others, kinds = narrow.where(order), kinds.astype(np.int8)
    return CandidatePairs(narrow, others, behind, later, kinds, strength, nodes, ties)
