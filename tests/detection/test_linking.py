"""Which shared values tie accounts, and how strongly."""

from typing import Any

import pytest

from investigations.detection.clustering import find_clusters
from tests.detection.worlds import Town


def weight_between(town: Town, a: int = 1, b: int = 2) -> float:
    links = find_clusters(town.everyone()).links
    return next((x.weight for x in links if (x.a, x.b) == (a, b)), 0.0)


def merged(town: Town) -> list[tuple[int, ...]]:
    return [cluster.accounts for cluster in find_clusters(town.everyone()).clusters]


def crowd(kind: str, size: int, **shows: Any) -> Town:
    """`size` strangers who share one value of that kind."""
    town = Town()
    for account in range(1, size + 1):
        town.move_in(account, **shows)
        values: dict[str, Any] = {kind: "shared"}
        town.shows(account, **values)
    return town


def test_a_card_of_two_strangers_weighs_more_than_one_of_twelve():
    assert weight_between(crowd("payment", 2)) > weight_between(crowd("payment", 12))


def test_an_address_used_by_more_than_fifty_customers_ties_nobody():
    town = crowd("address", 51)
    found = find_clusters(town.everyone())

    assert weight_between(town) == 0
    assert found.hub.tolist() == [1]


def test_fifty_are_still_no_hub():
    assert find_clusters(crowd("address", 50).everyone()).hub.tolist() == [0]


def test_colleagues_of_one_organisation_never_accuse_each_other():
    town = Town()
    for account in (1, 2, 3, 4):
        town.move_in(account, organization="acme", payment="card", device="laptop")

    assert find_clusters(town.everyone()).links == []
    assert merged(town) == []


def test_a_shared_organisation_counts_once_when_a_value_is_judged_common():
    alone = crowd("payment", 2)
    staffed = crowd("payment", 2)
    for account in range(10, 40):
        staffed.move_in(account, organization="acme", payment="shared")

    # One customer more, not thirty.
    three = crowd("payment", 3)
    assert weight_between(staffed) == weight_between(three) < weight_between(alone)


def test_accounts_on_one_card_count_as_one_customer_of_an_address():
    """A pool of forty behind one address is one customer there, not a campus."""
    pool = crowd("payment", 40, address="proxy", block="rented", stack="relay")
    strangers = crowd("address", 40, block="rented", stack="relay")

    assert weight_between(pool) > 0.4
    assert weight_between(strangers) < 0.1
    assert merged(pool) == [tuple(range(1, 41))]
    assert merged(strangers) == []


def test_a_block_shared_by_all_sorts_of_customers_is_worth_nothing():
    mixed, alike = Town(), Town()
    for account in range(1, 9):
        mixed.move_in(account, block="campus", stack=f"browser-{account}")
        alike.move_in(account, block="rented", stack="relay")
    for account in range(100, 140):
        for town in (mixed, alike):
            town.move_in(account, stack=f"browser-{account % 8}")

    assert find_clusters(mixed.everyone()).crowded.tolist() == [1]
    assert find_clusters(alike.everyone()).crowded.tolist() == [0]


def test_one_public_agent_is_one_coincidence_not_two_families():
    """Its users share tools, system prompt and client: they chose one program."""
    town = Town()
    for account in (1, 2, 3, 4):
        town.move_in(account, tools="open", system="open", client_stack="open")

    assert merged(town) == []


def test_two_families_together_merge_what_each_alone_would_not():
    tools, both = crowd("tools", 5), crowd("tools", 5, email_domain="own.example")

    assert merged(tools) == []
    assert merged(both) == [(1, 2, 3, 4, 5)]


def test_a_device_seen_half_a_life_ago_ties_half_as_strongly():
    fresh, old = Town(), Town()
    for account in (1, 2):
        fresh.move_in(account, device="laptop")
        old.move_in(account, device="laptop", days_ago=90)

    assert weight_between(old) == pytest.approx(weight_between(fresh) / 2, abs=1e-3)


def test_a_question_two_people_asked_once_is_no_template():
    once, often = Town(), Town()
    for account in (1, 2):
        once.move_in(account, count=1, skeleton="hello")
        often.move_in(account, count=30, skeleton="hello")

    assert weight_between(once) == 0
    assert weight_between(often) > 0.3


def test_conversations_that_change_accounts_tie_them():
    few, many = Town(), Town()
    for town, conversations in ((few, 1), (many, 3)):
        town.move_in(1)
        town.move_in(2)
        town.hands_over(1, 2, conversations)

    assert weight_between(many) == pytest.approx(0.9)
    assert weight_between(few) == pytest.approx(0.3 * 0.95)


def test_a_link_tells_what_ties_the_two_and_how_many_share_it():
    town = crowd("payment", 3, address="home")
    link = find_clusters(town.everyone()).links[0]

    assert [(s.kind, s.shared_by) for s in link.evidence] == [
        ("payment", 3),
        ("address", 1),
    ]
    assert link.families == 2
