"""Larger worlds have more places, larger pools and longer histories."""

from collections import Counter
from dataclasses import replace

import pytest

from ingest.demo.cast import EARLIER, NEWEST
from ingest.demo.evasion import LEVELS
from ingest.demo.world import World
from tests.ingest.demo.contract import ENDS_AT, moment


def sized(accounts, evasion=1, **more):
    more = {"exchanges": accounts} | more
    return World(seed=6, ends_at=ENDS_AT, accounts=accounts, evasion=evasion, **more)


@pytest.fixture(scope="module")
def large():
    return sized(20_000).truth()


@pytest.mark.parametrize(
    "population",
    ["campus", "white_label_agency", "corporate_vpn", "hackathon", "carrier_nat"],
)
def test_a_large_world_has_several_places_of_a_kind_in_several_sizes(large, population):
    rows = [row["pool"] for row in large if row["population"] == population]
    places = Counter(pool.partition("/")[2] for pool in rows)
    assert len(places) > 1
    assert len(set(places.values())) > 1


def test_relays_are_many_in_a_large_world(large):
    pools = {row["pool"] for row in large if row["population"] == "relay_resale"}
    assert len(pools) >= 2


def test_populations_have_their_shares_at_scale(large):
    held = Counter(row["population"] for row in large)
    assert held["developer"] / len(large) == pytest.approx(0.12, abs=0.01)
    assert held["campus"] / len(large) == pytest.approx(0.06, abs=0.01)
    guilty = sum(1 for row in large if row["campaign"])
    assert guilty / len(large) == pytest.approx(0.03, abs=0.01)


def test_accounts_of_other_places_keep_their_names_apart(large):
    ids = [row["account_id"] for row in large]
    assert len(ids) == len(set(ids))
    assert len(large) == pytest.approx(20_000, rel=0.02)


def test_attackers_enough_make_a_pool_of_five_hundred(large):
    pools = Counter(row["pool"] for row in large if row["campaign"] == "hydra")
    assert min(pools.values()) >= 500


def test_a_pool_can_be_asked_for_in_a_small_world():
    evasion = replace(LEVELS[4], pool_size=500)
    truth = sized(1500, evasion).truth()
    pools = Counter(row["pool"] for row in truth if row["campaign"] == "hydra")
    assert min(pools.values()) >= 500


def test_innocents_are_framed_at_any_level_where_asked_for():
    world = sized(400, replace(LEVELS[1], framed=0.3))
    framed = [row for row in world.truth() if row.get("framed_by")]
    assert framed
    assert all(row["campaign"] is None for row in framed)
    cards = {a.card for a in world.cast.accounts if a.truth["campaign"]}
    shown = {a.card for a in world.cast.accounts if a.truth.get("framed_by")}
    assert cards & shown


def test_a_world_of_sixty_days_sees_two_releases_and_moves_twice():
    world = sized(300, days=60, exchanges=6000)
    records = list(world.records())
    released = [r["model"] for r in records if r["type"] == "model_release"]
    assert released[-2:] == [NEWEST, EARLIER]
    asked = {r["model"]: moment(r) for r in reversed(records) if r["type"] == "request"}
    assert asked[EARLIER] < asked[NEWEST]
