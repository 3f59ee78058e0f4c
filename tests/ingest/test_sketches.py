"""Bounded samples: exact while they are small, alike for alike accounts."""

import random

import pytest

from ingest.rolling import sketches

K = 256


def test_few_values_are_all_kept_and_counted():
    counts = {f"v{n}": n for n in range(200)}
    assert sketches.keep_texts(counts, 200) == counts
    assert sketches.distinct(range(K - 1), K) == K - 1


@pytest.mark.parametrize("size", [1_000, 20_000])
def test_many_values_are_estimated_within_four_standard_errors(size):
    hashes = random.Random(size).sample(range(sketches.SPACE), size)
    kept = sketches.keep_hashes(dict.fromkeys(hashes, 1), K)
    assert len(kept) == K
    assert sketches.distinct(list(kept), K) == pytest.approx(size, rel=4 / K**0.5)


def test_numbers_that_were_chosen_in_a_row_are_estimated_too():
    kept = sketches.keep_numbers(dict.fromkeys(range(5_000), 1), K)
    mixed = [sketches.mixed(number) for number in kept]
    assert sketches.distinct(mixed, K, 1 << 64) == pytest.approx(5_000, rel=0.25)


def test_accounts_that_share_a_pool_keep_the_same_values():
    pool = {f"198.51.{n // 250}.{n % 250}": 1 for n in range(5_000)}
    reverse = dict(reversed(pool.items()))
    assert sketches.keep_texts(pool, 200).keys() == (
        sketches.keep_texts(reverse, 200).keys()
    )
