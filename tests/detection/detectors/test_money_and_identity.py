"""Shared payment (I1) and sign-up bursts (I4)."""

from datetime import timedelta

import numpy as np

from investigations.detection.detectors.shared_payment import (
    behind_one_card,
    pooled_cards,
)
from investigations.detection.detectors.signup_burst import (
    born_with_strangers,
    pooled_births,
)
from tests.detection.worlds import NOW, alone, common, member, pooled


def test_a_card_of_ones_own_is_no_evidence():
    assert behind_one_card(alone(member(1))) is None


def test_a_card_behind_twelve_customers_counts_in_full():
    seen = behind_one_card(alone(member(1), cards=frozenset(range(2, 13))))

    assert seen is not None
    assert seen.strength == 1
    assert "11 other customers use too" in seen.sentence


def test_a_card_shared_by_two_is_weak():
    seen = behind_one_card(alone(member(1), cards=frozenset({2})))

    assert seen is not None
    assert seen.strength < 0.3
    assert "1 other customer uses too" in seen.sentence


def test_a_cluster_tells_how_many_members_stand_behind_how_many_cards():
    cards = (common("payment", range(1, 9)), common("payment", range(9, 17)))
    seen = pooled_cards(pooled(map(member, range(1, 21)), common={"payment": cards}))

    assert seen is not None
    assert seen.sentence == (
        "16 of 20 accounts pay with 2 shared instruments (80%); one of them stands "
        "behind 8 accounts."
    )
    assert seen.rows.count == 16


def test_a_cluster_without_a_shared_card_gives_no_payment_evidence():
    assert pooled_cards(pooled(map(member, range(5)))) is None


def test_three_strangers_born_with_the_account_are_a_burst():
    own = member(1, created_at=NOW)
    seen = born_with_strangers(
        alone(own, born_with=frozenset({2, 3, 4}), born_expected=0.05)
    )

    assert seen is not None
    assert seen.sentence.startswith("3 other customers signed up within 10 minutes")


def test_a_burst_that_the_week_would_bring_anyway_is_none():
    """After an advertising campaign everybody is born beside somebody."""
    own = member(1, created_at=NOW)

    assert (
        born_with_strangers(
            alone(own, born_with=frozenset({2, 3, 4}), born_expected=2.0)
        )
        is None
    )


def test_a_cluster_born_in_one_sitting_stands_out_among_steady_sign_ups():
    sitting = [member(n, created_at=NOW + timedelta(minutes=n)) for n in range(20)]
    births = np.arange(20.0)
    steady = np.arange(0, 60 * 24 * 30, 45.0)
    seen = pooled_births(pooled(sitting, births=births, other_births=steady))

    assert seen is not None
    assert seen.value == 1
    assert seen.baseline == 0
    assert seen.quantile is not None and seen.quantile < 0.01


def test_a_cluster_born_over_a_year_is_no_burst():
    births = np.arange(20) * 60.0 * 24 * 18
    steady = np.arange(0, 60 * 24 * 30, 45.0)
    members = [member(n, created_at=NOW) for n in range(20)]

    assert pooled_births(pooled(members, births=births, other_births=steady)) is None
