"""Pairs of accounts on one value → links: what several values say together.

The best two values of a kind join by noisy-or, a family counts to 0.9 at most, and the
families join by noisy-or again (detection.md 4.3).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.rarity import FAMILIES, FAMILY_OF, KINDS, NAMES
from investigations.detection.shapes import Bools, Floats, Ints

Whole = NDArray[np.signedinteger[Any]]  # of 32 bits where there are many

FAMILY_CAP = 0.9
FAMILY_COUNTS = 0.05  # below this a family is no second opinion
BEST = 2  # values of one kind that add up
MERGE, MERGE_ALONE = 0.4, 0.6
KEEP = 0.2  # links below this are forgotten
LONE = np.array([kind.alone for kind in KINDS.values()])
# Fibonacci hashing (Knuth, volume 3, 6.4): 2^64 over the golden ratio, made odd.
HASH = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Columns: node a < node b, probability, families that count, whether it merges."""

    a: Ints
    b: Ints
    weight: Floats
    families: Ints
    merges: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """One value tying two nodes, as columns; `kind` is a position in NAMES, `value`
    a position in the run's values, or -1 for a tie that is no value."""

    a: Whole
    b: Whole
    kind: Whole
    value: Whole
    q: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tied:
    """Links, the pairs that made them, and the position of each such pair's link."""

    links: Links
    used: Ints
    link_of: Ints


def combine(pairs: Pairs, nodes: int) -> Tied:
    """Pairs → links: the best two of a kind, families capped, joined by noisy-or.

    Most pairs are the only one between their nodes and make a weak link. Those that
    neither merge nor lie within what merging links hold together, and are too weak to
    be kept, are dropped before anything is sorted.
    """
    key = pairs.a.astype(np.int64) * nodes + pairs.b
    shared = may_recur(key)
    lone, several = np.flatnonzero(~shared), np.flatnonzero(shared)
    few = by_pair(pairs, several, key, nodes)
    q = np.minimum(pairs.q[lone], 0.999999)
    weight = np.round(1 - (1 - np.minimum(FAMILY_CAP, 1 - np.exp(np.log1p(-q)))), 9)
    merges = LONE[pairs.kind[lone]] & (pairs.q[lone] >= MERGE_ALONE)
    whole = held_together(
        np.append(few.links.a[few.links.merges > 0], pairs.a[lone][merges]),
        np.append(few.links.b[few.links.merges > 0], pairs.b[lone][merges]),
        nodes,
    )
    told = weight >= KEEP
    told |= whole[pairs.a[lone]] == whole[pairs.b[lone]]
    one = by_pair(pairs, lone[told], key, nodes)
    return in_order(few, one, nodes)


def may_recur(key: Ints) -> Bools:
    """Whether a key may be there twice; never False for one that is.

    The last of a slot wins, and who finds another there marks the slot: a tenth of
    the time of sorting, at a few slots a key.
    """
    bits = max(8, int(len(key)).bit_length() + 1)
    slot = (key.astype(np.uint64) * HASH) >> np.uint64(64 - bits)
    last = np.zeros(1 << bits, np.int32)
    at = np.arange(len(key), dtype=np.int32)
    last[slot] = at
    beaten = last[slot] != at
    crowded = np.zeros(1 << bits, bool)
    crowded[slot[beaten]] = True
    recurs: Bools = crowded[slot]
    return recurs


def held_together(a: Ints, b: Ints, nodes: int) -> Ints:
    """Component of each node."""
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(nodes, nodes))
    whole: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return whole


def by_pair(pairs: Pairs, some: Ints, key: Ints, nodes: int) -> Tied:
    """Links of these pairs alone, in order of their nodes."""
    key, kind = key[some], pairs.kind[some]
    order = np.lexsort((pairs.value[some], -pairs.q[some], kind, key))
    ranked = key[order] * len(NAMES) + kind[order]
    fresh = np.flatnonzero(np.diff(ranked, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(fresh, np.diff([*fresh, len(order)]))
    best = order[rank < BEST]
    fresh_key = np.diff(key[best], prepend=-1) > 0  # they come in order of the key
    keys, link_of = key[best][fresh_key], np.cumsum(fresh_key) - 1
    q, kind = pairs.q[some[best]], kind[best]
    cell = link_of * len(FAMILIES) + FAMILY_OF[kind]
    doubt = np.zeros(len(keys) * len(FAMILIES))
    np.add.at(doubt, cell, np.log1p(-np.minimum(q, 0.999999)))
    by_family = np.minimum(FAMILY_CAP, 1 - np.exp(doubt)).reshape(-1, len(FAMILIES))
    weight = 1 - np.prod(1 - by_family, axis=1)
    families = (by_family >= FAMILY_COUNTS).sum(axis=1)
    alone = np.zeros(len(keys))
    np.maximum.at(alone, link_of, np.where(LONE[kind], q, 0.0))
    merges = ((weight >= MERGE) & (families >= 2)) | (alone >= MERGE_ALONE)
    links = Links(
        keys // nodes,
        keys % nodes,
        np.round(weight, 9),
        families.astype(np.int64),
        merges.astype(np.int64),
    )
    return Tied(links, some[best], link_of)


def in_order(first: Tied, second: Tied, nodes: int) -> Tied:
    """Links of both, no two between the same nodes, in order of their nodes."""
    links = Links(
        *(
            np.concatenate([getattr(first.links, name), getattr(second.links, name)])
            for name in ("a", "b", "weight", "families", "merges")
        )
    )
    order = np.argsort(links.a * nodes + links.b, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    link_of = place[np.append(first.link_of, second.link_of + len(first.links.a))]
    used = np.append(first.used, second.used)
    along = np.argsort(link_of, kind="stable")
    return Tied(
        Links(
            links.a[order],
            links.b[order],
            links.weight[order],
            links.families[order],
            links.merges[order],
        ),
        used[along],
        link_of[along],
    )
