"""How alike two templates are, and two accounts' prompts on average. Pure.

Works on the sketches and embeddings of ingest/fingerprints.py; all of one comparison
must have been made with the same key. What the figures mean and what fools them stands
in docs/fingerprints.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.fingerprints import EMBEDDING_BYTES, FREQUENCIES, SKETCH_BYTES

# Fifteen bands of four bytes: two templates that share half of their shingles meet in
# some band three times in five, two that share four fifths nearly always.
BAND: Final = 4
# A band's value that more templates than this share is boilerplate: all its pairs
# would be more work than they tell.
CROWD: Final = 200
_BY_CHANCE: Final = 1 / 256
# What an embedding's product with itself comes to.
_UNIT: Final = FREQUENCIES * 127**2


def jaccard(one: bytes, other: bytes) -> float:
    """The estimated share of three-word runs that two templates have in common, 0 to
    1, give or take 0.065: equal minima, less those that are equal by chance."""
    equal = sum(map(int.__eq__, one, other)) / SKETCH_BYTES
    return max(0.0, (equal - _BY_CHANCE) / (1 - _BY_CHANCE))


def bands(sketch: bytes) -> list[bytes]:
    """Keys to look up what may be alike: equal in one means worth comparing."""
    return [bytes([at]) + sketch[at : at + BAND] for at in range(0, SKETCH_BYTES, BAND)]


def alike(
    sketches: Mapping[int, bytes], *, least: float = 0.5
) -> Iterator[tuple[int, int, float]]:
    """Pairs of templates, smaller number first, that share at least `least`.

    Finds them by bands, not by comparing all: a pair right at one half is found three
    times in five, above 0.7 with hardly an exception.
    """
    meeting: dict[bytes, list[int]] = defaultdict(list)
    for skeleton in sorted(sketches):
        if sketches[skeleton]:
            for key in bands(sketches[skeleton]):
                meeting[key].append(skeleton)
    seen: set[tuple[int, int]] = set()
    for met in meeting.values():
        if len(met) <= CROWD:
            seen.update(combinations(met, 2))
    for one, other in sorted(seen):
        share = jaccard(sketches[one], sketches[other])
        if share >= least:
            yield one, other, share


@dataclass(frozen=True, slots=True)
class Sums:
    """Embeddings added up over `count` prompts; sums of sums are sums again."""

    count: int
    total: NDArray[np.int64]

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.count + other.count, self.total + other.total)


def none() -> Sums:
    return Sums(0, np.zeros(EMBEDDING_BYTES, np.int64))


def add_up(counted: Iterable[tuple[bytes, int]]) -> Sums:
    """Sums of (embedding, how many prompts have it); empty embeddings do not count."""
    told = [(embedding, n) for embedding, n in counted if embedding]
    if not told:
        return none()
    rows = np.frombuffer(b"".join(embedding for embedding, _ in told), np.int8)
    counts = np.array([n for _, n in told], np.int64)
    total = counts @ rows.reshape(-1, EMBEDDING_BYTES).astype(np.int64)
    return Sums(int(counts.sum()), total)


def between(one: Sums, other: Sums) -> float:
    """Mean likeness of a prompt of one to a prompt of the other: 1 where the words are
    the same, 0.6 where no word is, by the kernel's width. NaN without prompts."""
    pairs = one.count * other.count
    return float(one.total @ other.total) / (pairs * _UNIT) if pairs else float("nan")


def within(own: Sums) -> float:
    """Mean likeness of two different prompts of the same. NaN with fewer than two."""
    if own.count < 2:
        return float("nan")
    pairs = own.count * (own.count - 1)
    return float(own.total @ own.total / _UNIT - own.count) / pairs


def discrepancy(one: Sums, other: Sums) -> float:
    """Squared maximum mean discrepancy (Gretton et al., JMLR 2012), unbiased: about 0
    where both draw from the same prompts, and then it may fall below it."""
    return within(one) + within(other) - 2 * between(one, other)
