"""Shared values → weighted links. Rare values weigh more, crowded places nothing.

For accounts a and b that both show value v,

    q = chance(kind) × max(0, 1 − ln df / ln cap)
        × crowd × coverage × 0.5^(age / half-life)

where df counts the customers that show v (detection.md 4.3). The best two values of
a kind join by noisy-or, a family counts to 0.9 at most, and the families join by
noisy-or again. Two accounts merge at 0.4 with two families, or at 0.6 with one value
of a kind that strangers practically never share.

df counts customers, not accounts: one organisation's accounts count once, and so do
accounts on one card. The same function then links groups that were found to be one
operator, which count once in their turn; that is how a large campaign, whose harness
is far above the cap account by account, comes together from its parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from investigations.detection.rarity import (
    FAMILIES,
    FAMILY_OF,
    HARNESS_KINDS,
    KINDS,
    NAMES,
    PRIVATE_TO_ONE,
)
from investigations.detection.shapes import (
    Floats,
    Handoff,
    Ints,
    SharedBy,
    Sightings,
    Value,
    WeightedLink,
)

FAMILY_CAP = 0.9
FAMILY_COUNTS = 0.05  # below this a family is no second opinion
BEST = 2  # values of one kind that add up
MERGE, MERGE_ALONE = 0.4, 0.6
KEEP = 0.2  # links below this are forgotten
STRONGEST = 25  # and so are an account's weaker ones beyond these


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

    a: Ints
    b: Ints
    kind: Ints
    value: Ints
    q: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tied:
    """Links, the pairs that made them, and the position of each such pair's link."""

    links: Links
    used: Ints
    link_of: Ints


def between_groups(pairs: Pairs, sizes: Ints, fewest: int) -> Pairs:
    """The same, with what a harness is worth to an account that stands alone."""
    lone = (sizes[pairs.a] < fewest) | (sizes[pairs.b] < fewest)
    bounded = lone & np.isin(pairs.kind, HARNESS_KINDS)
    q = np.where(bounded, np.minimum(pairs.q, PRIVATE_TO_ONE), pairs.q)
    return replace(pairs, q=q)


def pair_up(
    node: Ints,
    value: Ints,
    coverage: Floats,
    kinds: Ints,
    strength: Floats,
    owner: Ints,
) -> Pairs:
    """Every two nodes of different owners on one value, values of equal size at once.

    Arguments are columns: node shows value with a coverage between 0 and 1.
    """
    live = strength[value] > 0
    order = np.lexsort((node[live], value[live]))
    node, value = node[live][order], value[live][order]
    coverage = coverage[live][order]
    starts = np.flatnonzero(np.diff(value, prepend=-1))
    sizes = np.diff(np.append(starts, len(value)))
    parts = []
    for size in np.unique(sizes[sizes > 1]):
        at = starts[sizes == size]
        first, second = np.triu_indices(int(size), 1)
        i = (at[:, None] + first).ravel()
        j = (at[:, None] + second).ravel()
        apart = owner[node[i]] != owner[node[j]]
        i, j = i[apart], j[apart]
        q = strength[value[i]] * coverage[i] * coverage[j]
        parts.append((node[i], node[j], kinds[value[i]], value[i], q))
    if not parts:
        none = np.zeros(0, np.int64)
        return Pairs(none, none, none, none, np.zeros(0))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def freshness(sightings: Sightings, kinds: Ints, today: int) -> Floats:
    """Half of a sighting's fading: the pair multiplies both."""
    lives = np.array([kind.half_life for kind in KINDS.values()])
    age = np.maximum(0, today - sightings.last_day)
    fading: Floats = 0.5 ** (age / (2 * lives[kinds[sightings.value]]))
    return fading


def combine(pairs: Pairs, nodes: int) -> Tied:
    """Pairs → links: the best two of a kind, families capped, joined by noisy-or."""
    key = pairs.a * nodes + pairs.b
    order = np.lexsort((pairs.value, -pairs.q, pairs.kind, key))
    ranked = key[order] * len(NAMES) + pairs.kind[order]
    fresh = np.flatnonzero(np.diff(ranked, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(fresh, np.diff([*fresh, len(order)]))
    used = order[rank < BEST]
    fresh_key = np.diff(key[used], prepend=-1) > 0  # they come in order of the key
    keys, link_of = key[used][fresh_key], np.cumsum(fresh_key) - 1
    cell = link_of * len(FAMILIES) + FAMILY_OF[pairs.kind[used]]
    doubt = np.zeros(len(keys) * len(FAMILIES))
    np.add.at(doubt, cell, np.log1p(-np.minimum(pairs.q[used], 0.999999)))
    by_family = np.minimum(FAMILY_CAP, 1 - np.exp(doubt)).reshape(-1, len(FAMILIES))
    weight = 1 - np.prod(1 - by_family, axis=1)
    families = (by_family >= FAMILY_COUNTS).sum(axis=1)
    lone = np.array([kind.alone for kind in KINDS.values()])
    alone = np.zeros(len(keys))
    np.maximum.at(alone, link_of, np.where(lone[pairs.kind[used]], pairs.q[used], 0.0))
    merges = ((weight >= MERGE) & (families >= 2)) | (alone >= MERGE_ALONE)
    links = Links(
        keys // nodes,
        keys % nodes,
        np.round(weight, 9),
        families.astype(np.int64),
        merges.astype(np.int64),
    )
    return Tied(links, used, link_of)


def handoff_pairs(
    handoffs: Sequence[Handoff], node_of: dict[int, int], sizes: Ints, today: int
) -> Pairs:
    """Ties of conversations that changed accounts. `node_of`: account id → node.

    One or two conversations between two nodes weigh 0.3, or 0.6 where both hand over
    three or more in all; from three on they weigh in full.
    """
    between: dict[tuple[int, int], int] = {}
    totals: dict[int, int] = {}
    involved: dict[int, set[int]] = {}
    newest: dict[tuple[int, int], int] = {}
    for h in handoffs:
        a, b = sorted((node_of[h.giver], node_of[h.taker]))
        if a == b:
            continue
        between[a, b] = between.get((a, b), 0) + h.conversations
        day = int(h.last_at.timestamp() // 86400)
        newest[a, b] = max(newest.get((a, b), day), day)
        for account in (h.giver, h.taker):
            node = node_of[account]
            totals[node] = totals.get(node, 0) + h.conversations
            involved.setdefault(node, set()).add(account)
    rows = []
    for (a, b), conversations in sorted(between.items()):
        habit = 0.6 if min(totals[a], totals[b]) >= 3 else 0.3
        cover = min(coverage(len(involved[n]), int(sizes[n])) for n in (a, b))
        age = max(0, today - newest[a, b])
        kind = KINDS["response"]
        q = kind.chance * (1.0 if conversations >= 3 else habit)
        rows.append((a, b, q * cover * 0.5 ** (age / kind.half_life)))
    return Pairs(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.full(len(rows), NAMES.index("response"), np.int64),
        np.full(len(rows), -1, np.int64),
        np.array([row[2] for row in rows], np.float64),
    )


def coverage(showing: int, size: int) -> float:
    """How far a value speaks for a whole group: in full from half of it on."""
    return min(1.0, 2 * showing / size)


def joined(*parts: Pairs) -> Pairs:
    return Pairs(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("a", "b", "kind", "value", "q")
        )
    )


def strongest(
    tied: Tied,
    pairs: Pairs,
    values: Sequence[Value],
    customers: Ints,
    accounts: Sequence[int],
) -> list[WeightedLink]:
    """Links of accounts worth keeping, each with what ties it, in order of ids."""
    links = tied.links
    keep = worth_keeping(links).tolist()
    told: dict[int, list[SharedBy]] = {link: [] for link in keep}
    for pair, link in zip(tied.used.tolist(), tied.link_of.tolist(), strict=True):
        if link in told:
            told[link].append(_shared(pairs, pair, values, customers))
    return [
        WeightedLink(
            a=accounts[int(links.a[link])],
            b=accounts[int(links.b[link])],
            weight=round(float(links.weight[link]), 4),
            families=int(links.families[link]),
            evidence=tuple(
                sorted(told[link], key=lambda s: (-s.weight, s.kind, s.value))
            ),
        )
        for link in keep
    ]


def worth_keeping(links: Links) -> Ints:
    """Positions of links that are among the strongest of either of their accounts."""
    found = np.flatnonzero(links.weight >= KEEP)
    node = np.concatenate([links.a[found], links.b[found]])
    link = np.concatenate([found, found])
    order = np.lexsort((link, -links.weight[link], node))
    firsts = np.flatnonzero(np.diff(node[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(firsts, np.diff([*firsts, len(order)]))
    strong: Ints = np.unique(link[order][rank < STRONGEST])
    return strong


def _shared(
    pairs: Pairs, pair: int, values: Sequence[Value], customers: Ints
) -> SharedBy:
    at = int(pairs.value[pair])
    weight = round(float(pairs.q[pair]), 4)
    if at < 0:
        return SharedBy(NAMES[int(pairs.kind[pair])], "", None, weight, 2)
    value = values[at]
    return SharedBy(value.kind, value.text, value.indicator, weight, int(customers[at]))
