"""Shared payment (I1), sign-up bursts (I4) and programme farming (I5)."""

from datetime import timedelta

import numpy as np
import pytest

from investigations.detection.detectors.programme_farming import (
    on_it_with_cluster,
    pooled_access,
)
from investigations.detection.detectors.shared_payment import (
    behind_one_card,
    pooled_cards,
)
from investigations.detection.detectors.signup_burst import (
    born_with_strangers,
    pooled_births,
)
from investigations.detection.pooling import pool
from investigations.detection.shapes import (
    AccountFeatures,
    ClusterFeatures,
    FoundCluster,
    Member,
)
from tests.detection.worlds import (
    NOW,
    alone,
    common,
    member,
    placed,
    pooled,
    population,
)


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


# --- Programme farming ------------------------------------------------------------


def cluster_of(first: int, last: int, people: list[AccountFeatures]) -> ClusterFeatures:
    """Accounts `first` to `last` of these people, beside all the others."""
    members = tuple(Member(n, 1.0, 2) for n in range(first, last + 1))
    return pool(population(people), FoundCluster(members))


def farm(number: int, **known: object):
    """A customer with special access whose mailbox is one of many at a provider."""
    told = {"program": "startup", "verification": "payment", "created_at": NOW}
    return member(number, **(told | {"email_domain": "mailbox.example"} | known))


def strangers(first: int, count: int = 200):
    """Customers without programmes; one in twenty has one."""
    return [
        member(n, email_domain="mailbox.example", program="none")
        if n % 20
        else farm(n, program="research")
        for n in range(first, first + count)
    ]


def test_strangers_on_a_programme_that_nobody_checked_show():
    seen = pooled_access(cluster_of(1, 10, [*map(farm, range(1, 11)), *strangers(11)]))

    assert seen is not None
    assert seen.strength == 1
    assert seen.sentence == (
        "10 of 10 accounts have special access (startup) without a check of who they "
        "are, signed up between 18 November 2026 and 18 November 2026; of other "
        "customers 5% do."
    )
    assert seen.rows.filters == {"accounts": list(range(1, 11))}


def test_as_many_on_programmes_as_elsewhere_say_nothing():
    assert pooled_access(cluster_of(1, 100, strangers(1, 400))) is None


def test_a_campus_speaks_as_one():
    students = [
        farm(n, program="education", email_domain="campus.example")
        for n in range(1, 41)
    ]

    assert pooled_access(cluster_of(1, 20, [*students, *strangers(41)])) is None


def test_a_campus_outside_counts_as_one_stranger():
    students = [
        farm(n, program="education", email_domain="campus.example")
        for n in range(300, 400)
    ]
    crowd = [*map(farm, range(1, 11)), *strangers(11), *students]

    seen = pooled_access(cluster_of(1, 10, crowd))
    assert seen is not None and seen.baseline == pytest.approx(12 / 203)


@pytest.mark.parametrize("proof", ["identity", "organization"])
def test_who_was_checked_farms_nothing(proof):
    people = [*(farm(n, verification=proof) for n in range(1, 11)), *strangers(11)]

    assert pooled_access(cluster_of(1, 10, people)) is None


def test_only_members_on_the_programme_are_told_so():
    people = [*map(farm, range(1, 10)), member(10), *strangers(11)]
    cluster = cluster_of(1, 10, people)
    place = placed(cluster, "programme_farming", pooled_access(cluster))

    one = on_it_with_cluster(alone(people[0], place=place))
    assert one is not None and one.sentence.startswith("Has special access (startup)")
    assert on_it_with_cluster(alone(people[9], place=place)) is None
    assert on_it_with_cluster(alone(people[0])) is None
