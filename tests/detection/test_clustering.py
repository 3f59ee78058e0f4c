"""Links → clusters: whole campaigns, no bystanders, ids that last."""

from typing import Any

from investigations.detection.clustering import carry_ids, find_clusters
from investigations.detection.communities import by_components
from tests.detection.worlds import Town


def members(town: Town, **how: Any) -> list[set[int]]:
    found = find_clusters(town.everyone(), **how)
    return [set(cluster.accounts) for cluster in found.clusters]


def campaign(town: Town, first: int = 1, size: int = 24) -> set[int]:
    """Cards of eight, a rented block, a harness of its own."""
    accounts = set(range(first, first + size))
    for n, account in enumerate(sorted(accounts)):
        town.move_in(
            account,
            payment=f"card-{first}-{n // 8}",
            tools=f"private-{first}",
            block=f"rented-{first}",
            client_stack=f"relay-{first}",
            stack=f"relay-{first}",
        )
    return accounts


def campus(town: Town, first: int = 1000, size: int = 120) -> set[int]:
    """One address for all; study groups of four share a machine of the lab."""
    accounts = set(range(first, first + size))
    for n, account in enumerate(sorted(accounts)):
        stack = f"browser-{n % 7}"
        town.move_in(
            account,
            address="campus",
            block="campus-block",
            email_domain="university.example",
            device=f"lab-{n // 4}",
            skeleton=f"exercise-{n // 4}",
            client_stack=stack,
            stack=stack,
        )
    return accounts


def campus_and_campaign() -> tuple[Town, set[int], set[int]]:
    """One student's card was stolen, and used from where the student browses, too."""
    town = Town()
    attackers, students = campaign(town), campus(town)
    town.shows(1000, payment="card-1-0", address="open-proxy")
    town.shows(1, address="open-proxy")
    return town, attackers, students


def swallowed(found: list[set[int]], attackers: set[int], students: set[int]) -> int:
    """Students in a cluster with attackers."""
    return sum(len(each & students) for each in found if each & attackers)


def test_a_campaign_is_one_cluster_and_the_campus_beside_it_is_left_alone():
    town, attackers, students = campus_and_campaign()
    found = members(town)

    assert any(each >= attackers for each in found)
    # The one who holds the card may be looked at; friends and class may not.
    assert swallowed(found, attackers, students) <= 1


def test_plain_components_would_swallow_the_students_friends():
    town, attackers, students = campus_and_campaign()

    assert swallowed(members(town, partition=by_components), attackers, students) >= 4


def test_without_the_hub_cap_the_whole_campus_becomes_one_cluster():
    town, _, students = campus_and_campaign()

    assert max(len(each & students) for each in members(town)) < 10
    assert max(len(each & students) for each in members(town, hub_cap=False)) > 100


def test_a_large_campaign_comes_together_from_its_parts():
    """Its harness is a hub account by account, but not card by card."""
    town = Town()
    attackers = campaign(town, size=240)
    for account in range(1000, 1400):
        town.move_in(account, stack=f"browser-{account % 7}")

    assert members(town) == [attackers]


def test_customers_of_one_public_tool_stay_apart_though_families_share_cards():
    town = Town()
    for account in range(1, 301):
        town.move_in(
            account,
            payment=f"family-{account // 3}" if account < 60 else f"own-{account}",
            tools="public",
            system="public",
            client_stack="public",
            stack="public",
        )

    assert max(map(len, members(town))) <= 3


def test_a_member_that_shares_only_popular_things_is_trimmed():
    town = Town()
    attackers = campaign(town, size=16)
    town.move_in(500, organization="shop", block="rented-1", stack="browser")

    assert members(town) == [attackers]


def test_members_carry_how_many_rare_values_they_share():
    town = Town()
    campaign(town, size=8)
    cluster = find_clusters(town.everyone()).clusters[0]

    # Card, harness, block, client.
    assert {each.support for each in cluster.members} == {4}
    assert {each.stability for each in cluster.members} == {1.0}


def test_the_order_of_input_changes_nothing():
    town, *_ = campus_and_campaign()
    town.hands_over(1, 9, 2)
    first = find_clusters(town.everyone())

    for seed in range(3):
        again = find_clusters(town.everyone(shuffled=seed))
        assert again.clusters == first.clusters
        assert again.links == first.links


def test_a_new_customer_elsewhere_changes_no_other_cluster():
    town, *_ = campus_and_campaign()
    before = members(town)
    campaign(town, first=5000, size=12)

    assert [each for each in members(town) if max(each) < 5000] == before


def test_two_accounts_are_no_cluster():
    town = Town()
    for account in (1, 2):
        town.move_in(account, payment="card", device="laptop")

    assert members(town) == []


def test_a_cluster_keeps_its_id_while_most_of_it_stays():
    before = {7: frozenset({1, 2, 3, 4})}

    assert carry_ids([frozenset({2, 3, 4, 5})], before) == [7]


def test_a_cluster_that_shares_too_little_with_the_old_one_is_new():
    before = {7: frozenset({1, 2, 3, 4})}

    assert carry_ids([frozenset({4, 5, 6, 7})], before) == [None]


def test_the_larger_part_of_a_split_cluster_keeps_the_id():
    before = {7: frozenset(range(10))}
    parts = [frozenset(range(6, 10)), frozenset(range(6))]

    assert carry_ids(parts, before) == [None, 7]


def test_one_id_is_given_once():
    before = {7: frozenset(range(10)), 8: frozenset(range(10, 14))}
    merged = [frozenset(range(14)), frozenset({20, 21, 22})]

    assert carry_ids(merged, before) == [7, None]
