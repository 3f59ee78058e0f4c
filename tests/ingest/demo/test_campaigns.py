"""The attackers of the demo world have the shape that they are told to have."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from ipaddress import ip_network
from itertools import pairwise
from statistics import mean, median

from tests.ingest.demo.contract import moment

NEWEST = "aster-3-large"


def released_at(told):
    found = [r for r in told.records if r.get("model") == NEWEST]
    return datetime.fromisoformat(found[0]["released_at"])


def share_on_the_newest(requests):
    return mean(r["model"] == NEWEST for r in requests)


def shared_values(told, population, name):
    members = told.members(population)
    return Counter(a[name] for i, a in told.accounts.items() if i in members)


def test_half_of_the_hydra_moves_within_a_day_of_the_release(told):
    release = released_at(told)
    first_day = [
        r
        for r in told.of("hydra")
        if release <= moment(r) < release + timedelta(hours=24)
    ]
    assert 0.4 <= share_on_the_newest(first_day) <= 0.65


def test_honest_people_take_longer_to_move(told):
    release = released_at(told)
    first_day = [
        r
        for r in told.of("hobbyist") + told.of("startup")
        if release <= moment(r) < release + timedelta(hours=24)
    ]
    assert share_on_the_newest(first_day) < 0.1


def carried_over(told, population):
    """Conversations that go on from an answer which another account got."""
    owner: dict[str, str] = {}
    carried = set()
    for record in told.of(population):
        for prior in record.get("prior_response_hashes", []):
            if owner.get(prior, record["account_id"]) != record["account_id"]:
                carried.add(record["conversation_id"])
        owner[record.get("response_hash")] = record["account_id"]
    return carried


def test_the_hydra_continues_conversations_across_accounts(told):
    assert len(carried_over(told, "hydra")) > 100


def test_a_continued_answer_was_emitted_before(told):
    emitted: dict[str, datetime] = {}
    for record in told.requests:
        for prior in record.get("prior_response_hashes", []):
            assert emitted[prior] < moment(record)
        if "response_hash" in record:
            emitted[record["response_hash"]] = moment(record)


def test_the_hydra_shares_cards_by_the_dozen(told):
    cards = shared_values(told, "hydra", "payment_fingerprint")
    assert 8 <= cards.most_common(1)[0][1] <= 14


def test_the_hydra_rents_addresses_by_the_block(told):
    members = told.members("hydra")
    blocks = Counter(
        ip_network(f"{a['signup_ip']}/24", strict=False)
        for i, a in told.accounts.items()
        if i in members
    )
    assert max(blocks.values()) <= 25
    assert max(blocks.values()) >= 10


def test_the_hydra_hides_behind_a_common_user_agent_with_a_rare_fingerprint(told):
    fingerprints = {r["ja4"] for r in told.of("hydra")}
    others = {r["ja4"] for r in told.requests} - fingerprints
    agents = {r["user_agent"] for r in told.of("hydra")}
    assert len(fingerprints) == 1
    assert not fingerprints & {
        r["ja4"] for r in told.requests if r["account_id"] not in told.members("hydra")
    }
    assert len(others) > 10
    assert agents & {r["user_agent"] for r in told.of("startup")}


def starts_by_account(told, accounts):
    seen, starts = set(), defaultdict(list)
    for record in told.requests:
        if record["account_id"] in accounts and record["conversation_id"] not in seen:
            seen.add(record["conversation_id"])
            starts[record["account_id"]].append(moment(record))
    return starts


def spread_of_gaps(starts):
    """Coefficient of variation of the other accounts' turns between two own ones."""
    order = sorted((at, who) for who, times in starts.items() for at in times)
    last: dict[str, int] = {}
    gaps = defaultdict(list)
    for turn, (_, who) in enumerate(order):
        if who in last:
            gaps[who].append(turn - last[who])
        last[who] = turn
    found = []
    for values in gaps.values():
        if len(values) >= 8:
            centre = mean(values)
            variance = mean((value - centre) ** 2 for value in values)
            found.append(variance**0.5 / centre)
    return median(found)


def test_the_hydra_deals_out_sessions_more_evenly_than_chance(told):
    pool = max(told.by_pool("hydra").values(), key=len)
    assert spread_of_gaps(starts_by_account(told, pool)) < 0.85
    people = told.members("developer")
    assert spread_of_gaps(starts_by_account(told, people)) > 1.0


def test_the_hydra_never_asks_the_same_twice(told):
    members = told.members("hydra")
    opened = Counter(
        r["prompt"]
        for r in told.requests
        if r["account_id"] in members and r.get("tools_hash") and r["turn"] == 1
    )
    retried = sum(1 for count in opened.values() if count > 1)
    assert retried / len(opened) < 0.03  # a failed try is sent again


def test_banned_accounts_of_the_hydra_are_replaced_within_half_an_hour(told):
    members = told.members("hydra")
    banned = [
        r
        for r in told.records
        if r["type"] == "account"
        and r["status"] == "banned"
        and r["account_id"] in members
    ]
    born = [datetime.fromisoformat(told.accounts[i]["created_at"]) for i in members]
    assert banned
    for record in banned:
        at = moment(record)
        waits = [(b - at).total_seconds() / 60 for b in born if b > at]
        assert 2 <= min(waits) <= 30


def test_a_banned_account_is_silent(told):
    banned = {
        r["account_id"]: moment(r)
        for r in told.records
        if r["type"] == "account" and r["status"] == "banned"
    }
    for record in told.requests:
        if record["account_id"] in banned:
            assert moment(record) < banned[record["account_id"]]


def test_the_reasoning_campaign_is_small_heavy_and_starts_together(told):
    members = told.members("reasoning")
    starts = starts_by_account(told, members)
    assert 8 <= len(members) <= 24
    heavy = mean(len(times) for times in starts.values())
    assert heavy > 3 * len(told.requests) / len(told.world.truth())
    order = sorted(at for times in starts.values() for at in times)
    within = [(b - a).total_seconds() < 60 for a, b in pairwise(order)]
    assert mean(within) > 0.8


def test_the_reasoning_campaign_elicits_and_grades(told):
    prompts = [r["prompt"].lower() for r in told.of("reasoning")]
    assert (
        mean("answer" in p and ("step" in p or "deliberation" in p) for p in prompts)
        > 0.3
    )
    assert mean("rubric" in p for p in prompts) > 0.2


def test_campaigns_keep_to_a_small_share_of_the_world(told):
    harvested = len(told.of("hydra")) + len(told.of("reasoning"))
    assert 0.1 < harvested / len(told.requests) < 0.4
