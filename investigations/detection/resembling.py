"""Which past cluster is one most like, and is that more than chance? Pure.

Rank fusion: in each part of a portrait (its cards, its templates, what it asks about …)
a cluster's likeness to a past one is ranked among those of the null: other clusters,
random groups of customers in no cluster, and lone customers, who are as much of a piece
as a cluster can be. Ranks add up as -ln(rank / n) (Fisher, 1932). The p-value is
conformal (Vovk et al., 2005): the share of all that stand as high with any past cluster
as this one does with its best. With fewer than FEWEST_PEERS of them nothing is said.

Likeness by part: weighted Jaccard of faded marks; coverage of templates by their
sketches; cosine of mean embeddings and of hours, each less the customers' mean.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from investigations.detection.portraits import PARTS, Portrait, faded
from investigations.detection.rarity import KINDS
from investigations.detection.shapes import Agreement, Floats, Resemblance

# Fewer to compare with are no null.
FEWEST_PEERS = 50
# Likeness below which a part is nothing, however rare: one card of an innocent's among
# twenty, or hours that half of a continent keeps.
FLOORS: Mapping[str, float] = dict.fromkeys(PARTS, 0.05) | {
    "templates": 0.25,
    "subjects": 0.5,
    "hours": 0.5,
    "settings": 0.25,
    "client": 0.25,
    "sign_up": 0.1,
    "balance": 0.7,
}
MARKED = ("tools", "system", "cards", "contacts", "devices", "addresses") + (
    "client",
    "sign_up",
    "settings",
)
# A part agrees when so few of all are as much alike; so many make a resemblance.
AGREES, FEWEST_WAYS = 0.03, 2
# What is more likely to be chance than this is not told.
TOLD = 0.05
CHANCE = 0.25  # of two sketches' minima, equal in templates that have little in common
BALANCED = 0.8  # unevenness below which somebody deals
NOTHING = -np.inf
Sketches = NDArray[np.uint8]  # a row for each template


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """A cluster that people decided on, as it was before they did."""

    cluster: int
    guilty: bool
    decided_at: datetime
    portrait: Portrait


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """What the unrelated look like, and the mean of customers (empty: unknown)."""

    portraits: Sequence[Portrait]
    subjects: Floats
    hours: Floats


def compare(
    clusters: Sequence[Portrait],
    past: Sequence[Past],
    kin: Sequence[Set[int]],
    null: Null,
) -> list[Resemblance | None]:
    """For each cluster what it resembles. `kin`: for each the past clusters that it is
    or descends from, by id; those are never a match."""
    rows = [*clusters, *null.portraits]
    if not past or not clusters or len(rows) - 1 < FEWEST_PEERS:
        return [None] * len(clusters)
    barred = np.zeros((len(rows), len(past)), bool)
    for at, known in enumerate(past):
        barred[: len(clusters), at] = [known.cluster in own for own in kin]
    alike = likenesses(rows, [each.portrait for each in past], null)
    ranks = {}
    for part, table in alike.items():
        table[barred | (table < FLOORS[part])] = NOTHING
        ranks[part] = ranked(table)
    fused = -np.sum([np.log(rank) for rank in ranks.values()], axis=0)
    fused[barred] = NOTHING
    best = fused.max(axis=1)
    found = Compared(past, alike, ranks, best)
    return [
        resemblance(found, at, int(fused[at].argmax())) for at in range(len(clusters))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """`alike` and `ranks`: part → a row for each portrait, a column for each past one;
    `best`: each row's highest fused rank."""

    past: Sequence[Past]
    alike: Mapping[str, Floats]
    ranks: Mapping[str, Floats]
    best: Floats


def ranked(table: Floats) -> Floats:
    """Of each cell, the share of its column that is at least as high."""
    size = len(table)
    ordered = np.sort(table, axis=0)
    below = [
        np.searchsorted(ordered[:, at], table[:, at], side="left")
        for at in range(table.shape[1])
    ]
    found: Floats = 1 - np.stack(below, axis=1) / size
    return found


def resemblance(found: Compared, at: int, which: int) -> Resemblance | None:
    quantile = float(np.mean(found.best >= found.best[at]))
    agreements = tuple(
        Agreement(part, round(likeness, 3), float(found.ranks[part][at, which]))
        for part, table in found.alike.items()
        if (likeness := float(table[at, which])) > NOTHING
        and found.ranks[part][at, which] <= AGREES
    )
    if quantile > TOLD or len(agreements) < FEWEST_WAYS:
        return None
    known = found.past[which]
    each = [max(0.0, float(table[at, which])) for table in found.alike.values()]
    return Resemblance(
        cluster=known.cluster,
        guilty=known.guilty,
        decided_at=known.decided_at,
        likeness=round(sum(each) / max(len(comparable(known.portrait)), 1), 3),
        quantile=quantile,
        compared=len(found.best) - 1,
        agreements=agreements,
    )


def comparable(portrait: Portrait) -> set[str]:
    """Parts in which something is known of it."""
    known = {part for part, marks in portrait.marks.items() if marks}
    known |= {"templates"} if portrait.templates else set()
    known |= {"subjects"} if portrait.asked else set()
    known |= {"hours"} if portrait.hours.sum() else set()
    return known | ({"balance"} if portrait.balance <= BALANCED else set())


# --- Likeness by part ---------------------------------------------------------------


def likenesses(
    rows: Sequence[Portrait], past: Sequence[Portrait], null: Null
) -> dict[str, Floats]:
    """Part → a table with a row for each of `rows` and a column for each past one."""
    found = {part: overlap(part, rows, past) for part in MARKED}
    found["templates"] = coverage(rows, past)
    found["subjects"] = cosine(
        [p.subjects / p.asked if p.asked else None for p in rows],
        [p.subjects / p.asked if p.asked else None for p in past],
        null.subjects,
    )
    found["hours"] = cosine(
        [in_shares(p.hours) for p in rows],
        [in_shares(p.hours) for p in past],
        null.hours,
    )
    found["balance"] = as_even(rows, past)
    return {part: found[part] for part in PARTS}


def overlap(part: str, rows: Sequence[Portrait], past: Sequence[Portrait]) -> Floats:
    """Weighted Jaccard of what is left of the marks on the rows' day."""
    holding: dict[str, list[tuple[int, float]]] = defaultdict(list)
    whole = np.zeros(len(rows))
    for at, portrait in enumerate(rows):
        for name, mark in portrait.marks.get(part, {}).items():
            weight = faded(mark, name, portrait.day)
            holding[name].append((at, weight))
            whole[at] += weight
    day = max((portrait.day for portrait in rows), default=0)
    table = np.zeros((len(rows), len(past)))
    for column, portrait in enumerate(past):
        both, own = np.zeros(len(rows)), 0.0
        for name, mark in portrait.marks.get(part, {}).items():
            weight = faded(mark, name, day)
            own += weight
            for at, held in holding.get(name, ()):
                both[at] += min(held, weight)
        table[:, column] = both / np.maximum(whole + own - both, 1e-9)
    return table


def coverage(rows: Sequence[Portrait], past: Sequence[Portrait]) -> Floats:
    """How much of the one's templates the other's resemble, both ways, faded."""
    table = np.zeros((len(rows), len(past)))
    used = [portrait.templates for portrait in rows]
    own = np.repeat(np.arange(len(rows)), [len(each) for each in used])
    if not len(own):
        return table
    sketches, share = unzipped([each for told in used for each in told])
    starts = np.flatnonzero(np.diff(own, prepend=-1))
    for column, portrait in enumerate(past):
        if not portrait.templates:
            continue
        theirs, weight = unzipped(portrait.templates)
        shared = shingles(sketches, theirs)
        here = np.bincount(own, share * shared.max(axis=1), minlength=len(rows))
        there = np.maximum.reduceat(shared, starts, axis=0) @ weight
        left = 0.5 ** ((rows[0].day - portrait.day) / KINDS["skeleton"].half_life)
        table[:, column] = here / 2
        table[own[starts], column] += there / 2
        table[:, column] *= left
    return table


def unzipped(told: Sequence[tuple[bytes, float]]) -> tuple[Sketches, Floats]:
    rows = np.frombuffer(b"".join(sketch for sketch, _ in told), np.uint8)
    return rows.reshape(len(told), -1), np.array([share for _, share in told])


def shingles(ones: Sketches, others: Sketches) -> Floats:
    """Estimated share of three-word runs in common, as ingest/texts/likeness.py has
    it; what is alike by less than a quarter is chance."""
    equal = np.stack([(ones == other).mean(axis=1) for other in others], axis=1)
    found: Floats = np.where(equal < CHANCE, 0.0, equal)
    return found


def cosine(
    ones: Sequence[Floats | None], others: Sequence[Floats | None], usual: Floats
) -> Floats:
    """Of vectors less what is usual; 0 where either is unknown."""
    size = len(usual)
    if not size:
        return np.zeros((len(ones), len(others)))
    found: Floats = unit(ones, usual) @ unit(others, usual).T
    return found


def unit(vectors: Sequence[Floats | None], usual: Floats) -> Floats:
    rows = np.array([np.zeros(len(usual)) if v is None else v - usual for v in vectors])
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Floats = rows / np.maximum(length, 1e-9)
    return scaled


def in_shares(hours: Floats) -> Floats | None:
    total = float(hours.sum())
    return hours / total if total else None


def as_even(rows: Sequence[Portrait], past: Sequence[Portrait]) -> Floats:
    """The smaller unevenness over the larger, where both are dealt out."""
    own = np.array([portrait.balance for portrait in rows])
    theirs = np.array([portrait.balance for portrait in past])
    dealt = np.outer(own <= BALANCED, theirs <= BALANCED)
    pair = np.stack(np.broadcast_arrays(own[:, None], theirs[None, :]))
    ratio = pair.min(axis=0) / np.maximum(pair.max(axis=0), 1e-9)
    found: Floats = np.where(dealt, ratio, 0.0)
    return found
