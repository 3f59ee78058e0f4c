"""Pairs of accounts on one value → links: what several values say together.

The best two values of a kind join by noisy-or, a family counts to 0.9 at most, and the
families join by noisy-or again (detection.md 4.3).
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.rarity import FAMILIES, FAMILY_OF, KINDS, NAMES
from investigations.detection.shapes import Bools, Columns, Floats, Ints

Whole = NDArray[np.signedinteger[Any]]  # of 32 bits where there are many

FAMILY_CAP = 0.9
FAMILY_COUNTS = 0.05  # below this a family is no second opinion
BEST = 2  # values of one kind that add up
MERGE, MERGE_ALONE = 0.4, 0.6
KEEP = 0.2  # links below this are forgotten
LONE = np.array([kind.alone for kind in KINDS.values()])


@dataclass(frozen=True, slots=True, eq=False)
class Links(Columns):
    """Columns: node a < node b, probability, families that count, whether it merges."""

    a: Ints
    b: Ints
    weight: Floats
    families: Ints
    merges: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(Columns):
    """One value tying two nodes, as columns; `kind` is a position in NAMES, `value`
    a position in the run's values, or -1 for a tie that is no value."""

    a: Whole
    b: Whole
    kind: Whole
    value: Whole
    q: Floats

    def and_also(self, more: "Pairs") -> "Pairs":
        return Pairs(
            np.append(self.a, more.a),
            np.append(self.b, more.b),
            np.append(self.kind, more.kind),
            np.append(self.value, more.value),
            np.append(self.q, more.q),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Used(Columns):
    """What is told of the pairs that made a link."""

    kind: Whole
    value: Whole
    q: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tied:
    """Links, and the pairs that made them: those of link n are from
    `starts[n]` up to `starts[n + 1]`."""

    links: Links
    used: Used
    starts: Ints

    def only(self, which: Ints) -> "Tied":
        """These links, in order of their positions."""
        sizes = np.diff(self.starts)[which]
        starts = np.append(0, np.cumsum(sizes))
        place = np.arange(starts[-1]) + np.repeat(
            self.starts[which] - starts[:-1], sizes
        )
        return Tied(self.links.where(which), self.used.where(place), starts)


Part = Callable[[], Pairs]
Given = TypeVar("Given")
Made = TypeVar("Made")


def ties_of(parts: Sequence[Part], nodes: int) -> list[Tied]:
    """Pairs → links: the best two of a kind, families capped, joined by noisy-or.

    All pairs of two nodes come in one part. Weak links are among them: others may yet
    hold their nodes together.
    """
    return side_by_side(partial(by_pair, nodes=nodes), parts)


def but_between(ties: Sequence[Tied], touched: Bools) -> list[Tied]:
    """The links of which one end is not touched."""

    def others(each: Tied) -> Tied:
        links = each.links
        return each.only(np.flatnonzero(~(touched[links.a] & touched[links.b])))

    return side_by_side(others, ties)


def telling(ties: Sequence[Tied], nodes: int) -> Tied:
    """The links that tell something, in order of their nodes. Most do not: they neither
    merge nor lie within what merging links hold together, and are too weak to keep."""
    strong = [each.links.where(np.flatnonzero(each.links.merges)) for each in ties]
    home = held_together(
        np.concatenate([links.a for links in strong]),
        np.concatenate([links.b for links in strong]),
        nodes,
    )

    def told(each: Tied) -> Tied:
        links = each.links
        inside = home[links.a] == home[links.b]
        return each.only(np.flatnonzero(inside | (links.weight >= KEEP)))

    found = one_after_another(side_by_side(told, ties))
    return found.only(in_order_of(found.links.a * nodes + found.links.b, nodes * nodes))


def side_by_side(work: Callable[[Given], Made], on: Sequence[Given]) -> list[Made]:
    """Results in their order. What the work calls lets other threads run."""
    if len(on) == 1:
        return [work(on[0])]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(work, on))


def held_together(a: Ints, b: Ints, nodes: int) -> Ints:
    """Component of each node."""
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(nodes, nodes))
    home: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return home


def by_pair(part: Part, nodes: int) -> Tied:
    """Links of one part, in order of their nodes."""
    pairs = part()
    first = int(pairs.a.min(initial=nodes))
    key = (pairs.a.astype(np.int64) - first) * nodes
    key += pairs.b
    below = (int(pairs.a.max(initial=first)) - first + 1) * nodes
    best = best_of_a_kind(pairs, key, below)
    key = key[best]
    fresh = np.diff(key, prepend=-1) > 0  # they come in order of the key
    starts, link_of = np.flatnonzero(fresh), np.cumsum(fresh) - 1
    used = Used(pairs.kind[best], pairs.value[best], pairs.q[best])
    cell = link_of * len(FAMILIES) + FAMILY_OF[used.kind]
    doubt = np.bincount(
        cell, np.log1p(-np.minimum(used.q, 0.999999)), len(starts) * len(FAMILIES)
    )
    by_family = np.minimum(FAMILY_CAP, 1 - np.exp(doubt)).reshape(-1, len(FAMILIES))
    weight = 1 - np.prod(1 - by_family, axis=1)
    families = (by_family >= FAMILY_COUNTS).sum(axis=1)
    alone = np.where(LONE[used.kind], used.q, 0.0)
    if len(starts):
        alone = np.maximum.reduceat(alone, starts)
    merges = ((weight >= MERGE) & (families >= 2)) | (alone >= MERGE_ALONE)
    links = Links(
        pairs.a[best[starts]],
        pairs.b[best[starts]],
        np.round(weight, 9),
        families.astype(np.int8),
        merges.astype(np.int8),
    )
    return Tied(links, used, np.append(starts, len(best)))


def best_of_a_kind(pairs: Pairs, key: Ints, below: int) -> Ints:
    """Places of the best two of each kind between the same nodes, in order of nodes
    and kinds; of equal ones the first value is the better. Nothing is sorted by
    strength: most have few rivals, and two looks at all of them are enough."""
    ranked = key * len(NAMES) + pairs.kind
    order = in_order_of(ranked, below * len(NAMES))
    starts = np.flatnonzero(np.diff(ranked[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    found = np.full((len(starts), BEST), -1)
    found[:, 0] = order[starts]
    contested = np.flatnonzero(sizes > 1)
    rivals = order[np.repeat(sizes > 1, sizes)]
    sizes = sizes[contested]
    firsts, run = np.cumsum(sizes) - sizes, np.repeat(contested, sizes)
    left, value = pairs.q[rivals], pairs.value[rivals].astype(np.int64)
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


def one_after_another(parts: Sequence[Tied]) -> Tied:
    links, used = [part.links for part in parts], [part.used for part in parts]
    sizes = np.concatenate([np.diff(part.starts) for part in parts])
    return Tied(
        Links(
            whole([each.a for each in links]),
            whole([each.b for each in links]),
            np.concatenate([each.weight for each in links]),
            whole([each.families for each in links]),
            whole([each.merges for each in links]),
        ),
        Used(
            whole([each.kind for each in used]),
            whole([each.value for each in used]),
            np.concatenate([each.q for each in used]),
        ),
        np.append(0, np.cumsum(sizes)),
    )


def whole(parts: Sequence[Whole]) -> Ints:
    """One column of them, wide enough to count with."""
    return np.concatenate(parts).astype(np.int64)
