"""The cluster's map: everybody has a place, and keeps it."""

import math

from investigations.detection.layout import place_members


def tied(*pairs: tuple[int, int]) -> list[tuple[int, int, float]]:
    return [(a, b, 0.8) for a, b in pairs]


CARDS = tied(*((base + a, base + b) for base in (0, 10) for a, b in ((1, 2), (2, 3))))
ACCOUNTS = [1, 2, 3, 11, 12, 13]


def test_every_member_has_a_place_of_its_own_within_the_disc():
    places = place_members(ACCOUNTS, CARDS, {})

    assert len(set(places.values())) == len(ACCOUNTS)
    assert max(math.hypot(x, y) for x, y in places.values()) <= 1.0001


def test_accounts_on_one_card_stand_nearer_than_strangers():
    places = place_members(ACCOUNTS, CARDS, {})

    assert math.dist(places[1], places[2]) < math.dist(places[1], places[12])


def test_the_same_cluster_is_drawn_the_same_way_in_any_order():
    assert place_members(ACCOUNTS[::-1], CARDS[::-1], {}) == place_members(
        ACCOUNTS, CARDS, {}
    )


def test_who_had_a_place_keeps_it_when_others_join():
    before = place_members(ACCOUNTS, CARDS, {})
    after = place_members([*ACCOUNTS, 14], [*CARDS, *tied((13, 14))], before)

    assert {account: after[account] for account in ACCOUNTS} == before
    assert math.dist(after[14], after[13]) < 0.2


def test_a_cluster_that_is_mostly_new_is_drawn_anew():
    before = {1: (5.0, 5.0)}

    assert place_members(ACCOUNTS, CARDS, before)[1] != (5.0, 5.0)


def test_a_large_cluster_is_packed_without_overlap():
    accounts = list(range(1200))
    places = place_members(accounts, tied(*((n, n + 1) for n in range(0, 400, 2))), {})

    assert len(set(places.values())) == len(accounts)


def test_accounts_that_share_everything_do_not_fall_into_one_dot():
    pool = list(range(40))
    everyone = tied(*((a, b) for a in pool for b in pool if a < b))
    points = list(place_members(pool, everyone, {}).values())

    nearest = min(math.dist(points[a], points[b]) for a in pool for b in pool if a < b)
    assert nearest > 0.1
