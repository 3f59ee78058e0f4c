"""Bounded samples that do not depend on order. Pure.

Kept are the k values with the smallest hashes (bottom-k). A value among the k smallest
of everything is among the k smallest of every part that has it, so its count stays
exact however the events were split, and two accounts that share values keep the same
ones. With fewer than k distinct values the sample is everything.

Sources: Bar-Yossef et al. 2002, "Counting distinct elements in a data stream";
Cohen and Kaplan 2007, "Summarizing data using bottom-k sketches".
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

SPACE: Final = 1 << 32
_WHOLE: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E37_79B9_7F4A_7C15


def hash_of(value: str) -> int:
    """64 bits of a text, the same on every machine."""
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest(), "big")


def mixed(number: int) -> int:
    """64 bits of a number, so that numbers that were chosen spread evenly."""
    mix = ((number & _WHOLE) ^ _GOLDEN) * _GOLDEN & _WHOLE
    mix = (mix ^ mix >> 31) * 0xBF58_476D_1CE4_E5B9 & _WHOLE
    return mix ^ mix >> 29


def keep_texts(counts: dict[str, int], k: int) -> dict[str, int]:
    if len(counts) <= k:
        return counts
    kept = sorted(counts, key=lambda value: (hash_of(value), value))[:k]
    return {value: counts[value] for value in kept}


def keep_numbers(counts: dict[int, int], k: int) -> dict[int, int]:
    if len(counts) <= k:
        return counts
    return {value: counts[value] for value in sorted(counts, key=mixed)[:k]}


def keep_hashes(counts: dict[int, int], k: int) -> dict[int, int]:
    """Of counts by numbers that are hashes below SPACE themselves."""
    if len(counts) <= k:
        return counts
    return {value: counts[value] for value in sorted(counts)[:k]}


def distinct(hashes: Sequence[int], k: int, space: int = SPACE) -> int:
    """How many distinct values a sample of at most k hashes below `space` stands for.

    Exact for fewer than k; beyond, (k - 1) / (largest hash / space), whose relative
    standard error is 1 / sqrt(k - 2): 6 % at 256.
    """
    if len(hashes) < k:
        return len(hashes)
    return round((k - 1) * space / (max(hashes) + 1))
