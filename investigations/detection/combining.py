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
from investigations.detection.shapes import Floats, Ints

Whole = NDArray[np.signedinteger[Any]]  # of 32 bits where there are many

FAMILY_CAP = 0.9
FAMILY_COUNTS = 0.05  # below this a family is no second opinion
BEST = 2  # values of one kind that add up
MERGE, MERGE_ALONE = 0.4, 0.6
KEEP = 0.2  # links below this are forgotten
LONE = np.array([kind.alone for kind in KINDS.values()])


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
    lone, several = apart(pairs, nodes)
    few = by_pair(pairs, several, nodes)
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
    one = by_pair(pairs, lone[told], nodes)
    return in_order(few, one, nodes)


def apart(pairs: Pairs, nodes: int) -> tuple[Ints, Ints]:
    """Pairs that are the only one between their nodes, and the others; in order of
    their nodes."""
    key = pairs.a.astype(np.int64) * nodes
    key += pairs.b
    order = in_order_of(key, nodes * nodes)
    key = key[order]
    fresh = np.ones(len(key) + 1, bool)
    np.not_equal(key[1:], key[:-1], out=fresh[1:-1])
    only = fresh[:-1] & fresh[1:]
    return order[only], order[~only]


def held_together(a: Ints, b: Ints, nodes: int) -> Ints:
    """Component of each node."""
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(nodes, nodes))
    whole: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return whole


def by_pair(pairs: Pairs, some: Ints, nodes: int) -> Tied:
    """Links of these pairs alone, which come in order of their nodes."""
    key = pairs.a[some].astype(np.int64) * nodes + pairs.b[some]
    best = best_of_a_kind(pairs, some, key)
    fresh_key = np.diff(key[best], prepend=-1) > 0  # they come in order of the key
    keys, link_of = key[best][fresh_key], np.cumsum(fresh_key) - 1
    q, kind = pairs.q[some[best]], pairs.kind[some[best]]
    cell = link_of * len(FAMILIES) + FAMILY_OF[kind]
    doubt = np.bincount(
        cell, np.log1p(-np.minimum(q, 0.999999)), len(keys) * len(FAMILIES)
    )
    by_family = np.minimum(FAMILY_CAP, 1 - np.exp(doubt)).reshape(-1, len(FAMILIES))
    weight = 1 - np.prod(1 - by_family, axis=1)
    families = (by_family >= FAMILY_COUNTS).sum(axis=1)
    alone = np.where(LONE[kind], q, 0.0)
    if len(keys):
        alone = np.maximum.reduceat(alone, np.flatnonzero(fresh_key))
    merges = ((weight >= MERGE) & (families >= 2)) | (alone >= MERGE_ALONE)
    links = Links(
        keys // nodes,
        keys % nodes,
        np.round(weight, 9),
        families.astype(np.int64),
        merges.astype(np.int64),
    )
    return Tied(links, some[best], link_of)


def best_of_a_kind(pairs: Pairs, some: Ints, key: Ints) -> Ints:
    """Places in `some` of the best two of each kind between the same nodes, in order of
    nodes and kinds; of equal ones the first value is the better. Nothing is sorted by
    strength: most have few rivals, and two looks at all of them are enough."""
    link = np.cumsum(np.diff(key, prepend=-1) > 0)
    ranked = link * len(NAMES) + pairs.kind[some]
    order = in_order_of(ranked, (len(key) + 1) * len(NAMES))
    starts = np.flatnonzero(np.diff(ranked[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    found = np.full((len(starts), BEST), -1)
    found[:, 0] = order[starts]
    contested = np.flatnonzero(sizes > 1)
    rivals = order[np.repeat(sizes > 1, sizes)]
    sizes = sizes[contested]
    firsts, run = np.cumsum(sizes) - sizes, np.repeat(contested, sizes)
    left, value = pairs.q[some[rivals]], pairs.value[some[rivals]].astype(np.int64)
    for rank in range(BEST if len(rivals) else 0):
        top = left == np.repeat(np.maximum.reduceat(left, firsts), sizes)
        named = np.where(top, value, np.iinfo(np.int64).max)
        least = np.repeat(np.minimum.reduceat(named, firsts), sizes)
        place = np.flatnonzero(named == least)
        place = place[np.diff(run[place], prepend=-1) > 0]
        found[contested, rank] = rivals[place]
        left[place] = -1.0
    places: Ints = found.ravel()
    return places[places >= 0]


def in_order_of(numbers: Ints, below: int) -> Ints:
    """Places of whole numbers from 0 up to `below` in rising order; of equal ones the
    first comes first. Number and place sorted as one take a tenth of an argsort."""
    bits = len(numbers).bit_length()
    if below.bit_length() + bits > 63:
        return np.argsort(numbers, kind="stable")
    packed = numbers << bits
    packed |= np.arange(len(numbers))
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def in_order(first: Tied, second: Tied, nodes: int) -> Tied:
    """Links of both, no two between the same nodes, in order of their nodes."""
    links = Links(
        *(
            np.concatenate([getattr(first.links, name), getattr(second.links, name)])
            for name in ("a", "b", "weight", "families", "merges")
        )
    )
    order = in_order_of(links.a * nodes + links.b, nodes * nodes)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    link_of = place[np.append(first.link_of, second.link_of + len(first.links.a))]
    used = np.append(first.used, second.used)
    along = in_order_of(link_of, len(order))
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
