"""Seeded chance. Every entity rolls dice of its own, so that changing one population
leaves the others as they were."""

import math
from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TypeVar

Dice = Random
T = TypeVar("T")


def dice(*names: object) -> Dice:
    """Dice that always fall the same way for the same names."""
    # A simulated world has no secrets, and must be repeatable.
    return Random("/".join(map(str, names)))  # noqa: S311


def mark(*names: object, length: int = 16) -> str:
    """A stable hexadecimal token for these names, at most 64 digits."""
    whole = "/".join(map(str, names)).encode()
    return blake2b(whole, digest_size=(length + 1) // 2).hexdigest()[:length]


def poisson(rng: Dice, expected: float) -> int:
    """Knuth's product for small means, the normal approximation above 40."""
    if expected <= 0:
        return 0
    if expected > 40:
        return max(0, round(rng.gauss(expected, math.sqrt(expected))))
    count, product, floor = 0, rng.random(), math.exp(-expected)
    while product > floor:
        count += 1
        product *= rng.random()
    return count


def around(rng: Dice, median: float, spread: float) -> float:
    """A log-normal value: half of all draws lie below the median."""
    return median * math.exp(rng.gauss(0.0, spread))


def favour(rng: Dice, options: Sequence[T]) -> T:
    """Earlier options come more often, roughly as Zipf has it."""
    return options[int(len(options) * rng.random() ** 2)]


def scattered(index: int, size: int, key: int) -> int:
    """The index-th element of a fixed permutation of range(size).

    An affine step coprime to the size visits every element once before any repeats,
    without keeping a list.
    """
    step = (key * 2 + 1) % size or 1
    while math.gcd(step, size) != 1:
        step += 1
    return (index * step + key) % size
