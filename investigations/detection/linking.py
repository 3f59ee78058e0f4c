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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from investigations.detection.combining import (
    KEEP,
    Links,
    Pairs,
    Tied,
    in_order_of,
)
from investigations.detection.rarity import KINDS, NAMES
from investigations.detection.shapes import (
    Floats,
    Handoff,
    Ints,
    SharedBy,
    Sightings,
    Value,
    WeightedLink,
)

STRONGEST = 25  # so many links of an account are kept at most


def freshness(sightings: Sightings, kinds: Ints, today: int) -> Floats:
    """Half of a sighting's fading: the pair multiplies both."""
    lives = np.array([kind.half_life for kind in KINDS.values()])
    age = np.maximum(0, today - sightings.last_day)
    fading: Floats = 0.5 ** (age / (2 * lives[kinds[sightings.value]]))
    return fading


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
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int32),
        np.full(len(rows), NAMES.index("response"), np.int8),
        np.full(len(rows), -1, np.int32),
        np.array([row[2] for row in rows], np.float64),
    )


def coverage(showing: int, size: int) -> float:
    """How far a value speaks for a whole group: in full from half of it on."""
    return min(1.0, 2 * showing / size)


@dataclass(frozen=True, slots=True, eq=False)
class Strongest:
    """Links worth keeping as columns, by position, and the pairs that made them: those
    of link n are `starts[n]` up to `starts[n + 1]`. `customers` is each value's df."""

    links: Links
    starts: Ints
    kind: Ints
    value: Ints
    q: Floats
    customers: Ints


def strongest(tied: Tied, customers: Ints) -> Strongest:
    """The strongest links of each account."""
    kept = tied.only(worth_keeping(tied.links))
    used = kept.used
    return Strongest(kept.links, kept.starts, used.kind, used.value, used.q, customers)


def told(
    kept: Strongest, values: Sequence[Value], accounts: Sequence[int]
) -> list[WeightedLink]:
    """Links of accounts, each with what ties it, in order of ids."""
    texts = [
        SharedBy(name, *rest)
        for name, rest in zip(
            (NAMES[kind] for kind in kept.kind.tolist()),
            shared_by(kept, values),
            strict=True,
        )
    ]
    columns = (
        kept.links.a.tolist(),
        kept.links.b.tolist(),
        kept.links.weight.tolist(),
        kept.links.families.tolist(),
        kept.starts[:-1].tolist(),
        kept.starts[1:].tolist(),
    )
    return [
        WeightedLink(
            accounts[a],
            accounts[b],
            round(weight, 4),
            families,
            tuple(sorted(texts[start:end], key=strength_first)),
        )
        for a, b, weight, families, start, end in zip(*columns, strict=True)
    ]


def strength_first(shared: SharedBy) -> tuple[float, str, str]:
    return -shared.weight, shared.kind, shared.value


def by_link(kept: Strongest, values: Sequence[Value]) -> Ints:
    """Order of the pairs: link by link, in each as `told` has them."""
    link = np.repeat(np.arange(len(kept.starts) - 1), np.diff(kept.starts))
    weight = np.array([round(q, 4) for q in kept.q.tolist()], float)
    by_name = np.argsort(np.argsort(NAMES))
    used, of = np.unique(kept.value, return_inverse=True)
    texts = [values[at].text if at >= 0 else "" for at in used.tolist()]
    place = {text: at for at, text in enumerate(sorted(set(texts)))}
    text = np.array([place[each] for each in texts], np.int64)[of]
    order: Ints = np.lexsort((text, by_name[kept.kind], -weight, link))
    return order


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """What ties the members of one cluster: (account a, account b, weight) of each
    link, and kind of shared value → links that rest on it, the commonest first."""

    ties: Sequence[tuple[int, int, float]] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)


def inside(kept: Strongest, accounts: Sequence[int], home: Ints) -> list[Inside]:
    """Of each cluster; `home` is an account's cluster by position, -1 for none."""
    a, b = kept.links.a, kept.links.b
    within = (home[a] >= 0) & (home[a] == home[b])
    clusters = range(int(home.max(initial=-1)) + 1)
    ties: list[list[tuple[int, int, float]]] = [[] for _ in clusters]
    for at in np.flatnonzero(within).tolist():
        one, other = int(a[at]), int(b[at])
        weight = round(float(kept.links.weight[at]), 4)
        ties[home[one]].append((accounts[one], accounts[other], weight))
    link = np.repeat(np.arange(len(a)), np.diff(kept.starts))
    shown = np.flatnonzero(within[link])
    # A link with two values of a kind rests on it once.
    cells = np.unique(link[shown] * len(NAMES) + kept.kind[shown])
    of = home[a[cells // len(NAMES)]] * len(NAMES) + cells % len(NAMES)
    counts = np.bincount(of, minlength=len(ties) * len(NAMES))
    return [
        Inside(own, commonest(row))
        for own, row in zip(ties, counts.reshape(-1, len(NAMES)), strict=True)
    ]


def commonest(counts: Ints) -> dict[str, int]:
    told = {name: int(n) for name, n in zip(NAMES, counts, strict=True) if n}
    return dict(sorted(told.items(), key=lambda item: (-item[1], item[0])))


def worth_keeping(links: Links) -> Ints:
    """Positions of links that are among the strongest of either of their accounts."""
    found = np.flatnonzero(links.weight >= KEEP)
    # Weights have nine digits. Sorted by weight first, they stay so node by node.
    weakness = np.rint((1 - links.weight[found]) * 1e9).astype(np.int64)
    found = found[in_order_of(weakness, 10**9 + 1)]
    node = np.column_stack([links.a[found], links.b[found]]).ravel()
    order = in_order_of(node, int(node.max(initial=0)) + 1)
    firsts = np.flatnonzero(np.diff(node[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(firsts, np.diff([*firsts, len(order)]))
    strong = np.zeros(len(links.a), bool)
    strong[found[order[rank < STRONGEST] // 2]] = True
    return np.flatnonzero(strong)


def shared_by(
    kept: Strongest, values: Sequence[Value]
) -> Iterator[tuple[str, int | None, float, int]]:
    """Text, indicator, weight and customers of what ties each of these pairs."""
    customers = kept.customers.tolist()
    for at, q in zip(kept.value.tolist(), kept.q.tolist(), strict=True):
        if at < 0:
            yield "", None, round(q, 4), 2
        else:
            value = values[at]
            yield value.text, value.indicator, round(q, 4), customers[at]
