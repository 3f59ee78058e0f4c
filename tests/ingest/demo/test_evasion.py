"""A harder campaign leaves less of each kind of evidence, and stays a campaign."""

from collections import Counter, defaultdict

import pytest

from ingest.demo.dice import dice
from ingest.demo.evasion import LEVELS
from ingest.demo.rewording import reworded
from ingest.demo.world import World
from ingest.fingerprints import mask
from tests.ingest.demo.conftest import tell
from tests.ingest.demo.contract import ENDS_AT


@pytest.fixture(scope="module")
def levels():
    told = []
    for level in range(len(LEVELS)):
        world = World(
            seed=3, ends_at=ENDS_AT, accounts=400, exchanges=16_000, evasion=level
        )
        told.append(tell(world))
    return told


def accounts_on_the_commonest(told, field):
    members = told.members("hydra")
    shown = Counter(
        record.get(field) for who, record in told.accounts.items() if who in members
    )
    return shown.most_common(1)[0][1]


def carried_over(told):
    owner: dict[object, object] = {}
    moved = 0
    for record in told.of("hydra"):
        moved += any(
            owner.get(prior, record["account_id"]) != record["account_id"]
            for prior in record.get("prior_response_hashes", [])
        )
        owner[record.get("response_hash")] = record["account_id"]
    return moved


def skeletons_an_exchange(told):
    harvested = [r for r in told.of("hydra") if r.get("tools_hash") and r["turn"] == 1]
    return len({mask(r["prompt"])[0] for r in harvested}) / len(harvested)


def test_every_level_has_all_campaigns_but_the_small_one(levels):
    for told in levels:
        campaigns = {row["campaign"] for row in told.world.truth()} - {None}
        assert campaigns == {"hydra", "agentic", "reasoning", "log_buying"}
        assert told.members("compromised_customer")


def test_a_world_of_2000_accounts_has_a_campaign_of_forty():
    world = World(seed=1, ends_at=ENDS_AT, accounts=2000, exchanges=2000, evasion=1)
    assert Counter(row["campaign"] for row in world.truth())["mini"] == 40


def test_cards_are_shared_by_fewer_from_the_second_level_on(levels):
    shared = [accounts_on_the_commonest(t, "payment_fingerprint") for t in levels]
    assert shared[0] == shared[1] == 12
    assert shared[2] == shared[3] == 2
    assert shared[4] <= 2


def test_conversations_change_accounts_at_every_turn_then_seldom_then_never(levels):
    moved = [carried_over(told) for told in levels]
    assert moved[0] > 3 * moved[1] > 0
    assert moved[2] > 0
    assert moved[3] == moved[4] == 0


def test_templates_are_worded_anew_from_the_third_level_on(levels):
    distinct = [skeletons_an_exchange(told) for told in levels]
    assert distinct[0] < 0.6
    assert distinct[0] < distinct[2]
    assert distinct[3] > 0.9
    assert distinct[4] > 0.9


def test_cover_grows_to_half_four_fifths_and_nineteen_in_twenty(levels):
    share = []
    for told in levels:
        requests = told.of("hydra")
        share.append(sum("tools_hash" not in r for r in requests) / len(requests))
    assert share[0] == share[1] == 0
    assert share[2] == pytest.approx(0.5, abs=0.12)
    assert share[3] == pytest.approx(0.8, abs=0.1)
    assert share[4] == pytest.approx(0.95, abs=0.04)


def test_tools_are_each_accounts_own_at_the_last_level_only(levels):
    def accounts_a_schema(told):
        offered = defaultdict(set)
        for record in told.of("hydra"):
            if "tools_hash" in record:
                offered[record["tools_hash"]].add(record["account_id"])
        return max(map(len, offered.values()))

    assert accounts_a_schema(levels[3]) > 5
    assert accounts_a_schema(levels[4]) == 1


def test_work_is_shared_out_most_unevenly_at_the_last_level(levels):
    def busiest(told):
        counts = Counter(r["account_id"] for r in told.of("hydra"))
        return max(counts.values()) / (sum(counts.values()) / len(counts))

    assert busiest(levels[3]) < busiest(levels[4])


def test_innocents_are_framed_at_the_last_level(levels):
    def framed(told):
        guilty = {r["account_id"] for r in told.world.truth() if r["campaign"]}
        cards = defaultdict(set)
        for who, record in told.accounts.items():
            if record.get("payment_fingerprint"):
                cards[record["payment_fingerprint"]].add(who in guilty)
        return sum(len(kinds) == 2 for kinds in cards.values())

    assert framed(levels[3]) == 0
    assert framed(levels[4]) > 0


def untouched(told):
    """What the world tells of those whose account no attacker shares."""
    rows = told.world.truth()
    innocent = {
        row["account_id"]
        for row in rows
        if not row["campaign"] and row["population"] != "compromised_customer"
    }
    return [r for r in told.records if r.get("account_id") in innocent]


def test_a_level_changes_nothing_that_is_told_of_the_innocent(levels):
    naive, *harder = map(untouched, levels)
    assert len(naive) > 5000
    for told in harder:
        assert told == naive


def test_a_level_leaves_the_robbed_customers_own_traffic_alone(levels):
    def own(told):
        robbed = told.of("compromised_customer")
        return [r for r in robbed if told.purposes[r["event_id"]] == "organic"]

    assert own(levels[0])
    assert own(levels[0]) == own(levels[3])


def test_the_same_level_and_seed_are_the_same_world():
    def told():
        world = World(seed=3, ends_at=ENDS_AT, accounts=200, exchanges=900, evasion=3)
        return list(world.records())

    assert told() == told()


def test_a_rewording_keeps_what_stands_in_the_slots():
    text = "List each step of the plan for repository `kelp-api` before 12 May."
    new = reworded(text, dice("any"))
    assert new != text
    assert "`kelp-api`" in new
    assert "12 May" in new
