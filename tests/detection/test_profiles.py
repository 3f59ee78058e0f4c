"""Who stands behind a widely shared value: one pool, or all sorts of people."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from investigations.detection import profiles
from investigations.detection.profiles import Profile
from investigations.detection.shapes import AccountFeatures, Everyone, Value
from tests.detection.worlds import NOW, TODAY, Town

FLAT = [10] * 24
EVENING = [0] * 17 + [9, 14, 20, 18, 9, 2, 0]


def born(account: int, *, days_ago: float, stack: str = "", **known) -> AccountFeatures:
    return AccountFeatures(
        account=account,
        created_at=NOW - timedelta(days=days_ago),
        age_days=days_ago,
        stack=stack,
        requests=100,
        **known,
    )


def elsewhere(town: Town, count: int = 120) -> dict[int, list[int]]:
    """Strangers: programs of all kinds, a card each, at work when it suits them."""
    hours = {}
    for n in range(count):
        account = 1000 + n
        town.move_in(account, stack=f"stack-{n % 9}", tools=f"tools-{n % 15}")
        town.features[account] = born(
            account, days_ago=400 - 3 * n, stack=f"stack-{n % 9}"
        )
        hours[account] = list(np.roll(EVENING, n))
    return hours


def pool(town: Town, size: int = 60, **shows: Any) -> dict[int, list[int]]:
    """One operator's accounts: eight on a card, one program, round the clock."""
    for n in range(size):
        account = 2000 + n
        town.move_in(account, payment=f"card-{n // 8}", tools="own", **shows)
        town.features[account] = born(account, days_ago=9, stack="relay")
    return {2000 + n: FLAT for n in range(size)}


def campus(town: Town, size: int = 60, **shows: Any) -> dict[int, list[int]]:
    """Students: their own cards and programs, and hours of their own."""
    for n in range(size):
        account = 3000 + n
        town.move_in(account, tools=f"tools-{n % 15}", **shows)
        town.features[account] = born(
            account, days_ago=20 + 5 * n, stack=f"stack-{n % 9}"
        )
    return {3000 + n: list(np.roll(EVENING, n)) for n in range(size)}


def numbered(town: Town) -> Everyone:
    """The town's world, its values kept by ingest."""
    world = town.everyone()
    values = [Value(v.kind, v.text, 1 + at) for at, v in enumerate(world.values)]
    return Everyone(
        accounts=world.accounts,
        organization=world.organization,
        stack=world.stack,
        templates=world.templates,
        values=values,
        sightings=world.sightings,
        handoffs=world.handoffs,
        today=TODAY,
    )


def profile_of(town: Town, hours: dict[int, list[int]], value: str) -> Profile:
    world = numbered(town)
    features = [town.features[account] for account in world.accounts]
    crowds = profiles.crowds(world, np.zeros(len(world.values), bool))
    found = profiles.profiled(world, features, crowds, hours)
    at = next(n for n, each in enumerate(world.values) if each.text == value)
    return found[at]


def test_a_pool_behind_one_address_reads_like_one_pool():
    town = Town()
    hours = elsewhere(town) | pool(town, address="exit")

    profile = profile_of(town, hours, "exit")

    assert profile.reading == "pool"
    assert profile.young == 1.0
    assert {m.facet for m in profile.measures if m.excess > 0.5} >= {
        "payment",
        "client_stack",
        "tools",
    }


def test_a_campus_behind_one_address_reads_like_a_campus():
    town = Town()
    hours = elsewhere(town) | campus(town, address="library")

    profile = profile_of(town, hours, "library")

    assert profile.reading == "diverse"
    assert profile.likeness < 0.1


def test_a_class_that_signed_up_on_one_day_is_still_no_pool():
    town = Town()
    hours = elsewhere(town) | campus(town, address="library", skeleton="exercise")
    for account in range(3000, 3060):
        town.features[account] = born(
            account, days_ago=12, stack=f"stack-{account % 9}"
        )

    assert profile_of(town, hours, "library").reading != "pool"


def test_the_pool_stands_above_the_campus():
    town = Town()
    hours = elsewhere(town)
    hours |= pool(town, address="exit") | campus(town, address="library")

    assert (
        profile_of(town, hours, "exit").likeness
        > profile_of(town, hours, "library").likeness
    )


def test_what_a_program_brings_along_is_no_likeness_of_its_users():
    town = Town()
    hours = elsewhere(town)
    for n in range(60):
        town.move_in(4000 + n, tools="agent", stack="agent/1", client_stack="agent/1")
        town.features[4000 + n] = born(4000 + n, days_ago=6 * n, stack="agent/1")

    profile = profile_of(town, hours, "agent/1")

    assert not {m.facet for m in profile.measures} & {"tools", "client_stack"}
    assert profile.reading == "diverse"


def test_one_organisations_accounts_are_one_voice():
    town = Town()
    hours = elsewhere(town)
    for n in range(40):
        town.move_in(5000 + n, address="office", payment="company card")
        town.features[5000 + n] = born(
            5000 + n, days_ago=3, organization="acme" if n < 38 else f"guest {n}"
        )

    world = numbered(town)
    crowds = profiles.crowds(world, np.ones(len(world.values), bool))
    office = next(c for c in crowds if world.values[c.value].text == "office")

    assert office.customers == 3
    assert hours


def test_a_value_of_few_customers_that_is_no_hub_is_not_looked_at():
    town = Town()
    elsewhere(town, 5)
    campus(town, 19, address="library")
    world = numbered(town)

    crowds = profiles.crowds(world, np.zeros(len(world.values), bool))

    assert "library" not in [world.values[crowd.value].text for crowd in crowds]


def test_the_norm_is_that_of_other_values_of_the_kind_where_there_are_enough():
    town = Town()
    hours = elsewhere(town) | pool(town, address="exit")
    for n in range(6):
        for m in range(25):
            account = 6000 + 100 * n + m
            town.move_in(account, address=f"place-{n}", tools=f"tools-{m % 15}")
            town.features[account] = born(account, days_ago=8 * m)

    assert profile_of(town, hours, "exit").others == 6
    assert profile_of(town, hours, "exit").reading == "pool"


@pytest.mark.parametrize("value", ["exit", "library"])
def test_a_profile_is_read_back_as_it_was_kept(value):
    town = Town()
    hours = elsewhere(town)
    hours |= pool(town, address="exit") | campus(town, address="library")

    kept = profile_of(town, hours, value)
    again = profiles.from_json(kept.as_json())

    assert again.reading == kept.reading
    assert again.likeness == pytest.approx(kept.likeness, abs=0.001)


def test_customers_who_share_nothing_are_not_alike():
    assert profiles.likeness(np.array([-1] * 9), shared=True) == 0
    assert profiles.likeness(np.array([-1] * 9), shared=False) == 0
    assert profiles.likeness(np.array([4]), shared=False) == 0
