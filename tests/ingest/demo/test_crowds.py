"""The look-alikes of worlds to measure with, each with the trap it sets."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

import pytest

from ingest.demo.world import World
from ingest.fingerprints import mask
from tests.ingest.demo.conftest import tell
from tests.ingest.demo.contract import ENDS_AT, complaints, moment
from tests.ingest.demo.test_campaigns import carried_over, released_at
from tests.ingest.demo.test_honest import account_values

NEWEST, USUAL = "aster-3-large", "aster-2-large"


@pytest.fixture(scope="module")
def measured():
    return tell(
        World(seed=4, ends_at=ENDS_AT, accounts=3000, exchanges=30_000, evasion=1)
    )


def within_hours(requests, hours):
    """The most accounts that send one skeleton within so many hours."""
    sent = defaultdict(list)
    for record in requests:
        sent[mask(record["prompt"])[0]].append((moment(record), record["account_id"]))
    most = 0
    for times in sent.values():
        times.sort()
        for begin, _ in times:
            end = begin + timedelta(hours=hours)
            most = max(most, len({who for at, who in times if begin <= at <= end}))
    return most


def outage(told):
    begin = released_at(told) + timedelta(hours=9)
    return begin, begin + timedelta(hours=3)


def test_every_record_keeps_to_the_contract(measured):
    wrong = Counter(c for r in measured.records for c in complaints(r, now=ENDS_AT))
    assert not wrong


def test_the_usual_model_answers_nobody_for_three_hours(measured):
    begin, end = outage(measured)
    asked = [
        r
        for r in measured.requests
        if r["model"] == USUAL and begin + timedelta(minutes=1) < moment(r) < end
    ]
    assert len(asked) > 20
    assert {r["http_status"] for r in asked} == {529}


def test_a_hundred_strangers_paste_one_work_around_within_the_outage(measured):
    begin, end = outage(measured)
    during = [r for r in measured.of("outage_migrant") if begin <= moment(r) <= end]
    assert within_hours(during, 3) >= 100
    cards = Counter(account_values(measured, "outage_migrant", "payment_fingerprint"))
    del cards[None]
    assert max(cards.values()) == 1


def test_those_who_fled_the_outage_stay_with_the_new_model(measured):
    _, end = outage(measured)
    models = Counter(
        r["model"] for r in measured.of("outage_migrant") if moment(r) > end
    )
    assert models[NEWEST] > 0.85 * models.total()


def test_a_template_goes_round_among_strangers_within_hours(measured):
    assert within_hours(measured.of("viral_template"), 6) >= 60
    homes = set(account_values(measured, "viral_template", "signup_ip"))
    assert len(homes) > 0.9 * len(measured.members("viral_template"))


def test_a_public_app_is_one_program_in_many_hands(measured):
    used = measured.of("public_app")
    for field in ("user_agent", "ja4", "system_hash", "tools_hash"):
        assert len({r[field] for r in used}) == 1
    assert len(set(account_values(measured, "public_app", "signup_ip"))) > 100
    hours = Counter(moment(r).hour // 6 for r in used)
    assert len(hours) == 4


def test_a_town_sits_behind_two_addresses(measured):
    assert len({r["client_ip"] for r in measured.of("carrier_nat")}) == 2
    devices = account_values(measured, "carrier_nat", "signup_device_id")
    assert len(set(devices)) == len(devices) == 80


def test_each_class_of_a_course_signs_up_within_the_hour_with_one_starter(measured):
    classes = measured.by_pool("course")
    assert len(classes) == 3
    for members in classes.values():
        born = [
            datetime.fromisoformat(measured.accounts[i]["created_at"]) for i in members
        ]
        assert max(born) - min(born) < timedelta(hours=1)
    tools = {r["tools_hash"] for r in measured.of("course") if "tools_hash" in r}
    assert len(tools) == 1


def test_a_library_is_one_device_and_one_address(measured):
    assert len(set(account_values(measured, "kiosk", "signup_device_id"))) == 1
    assert len({r["client_ip"] for r in measured.of("kiosk")}) == 1


def test_a_companys_key_pool_hands_over_at_every_turn_inside_it(measured):
    assert set(account_values(measured, "key_pool", "contract")) == {"standard"}
    assert len(set(account_values(measured, "key_pool", "organization_id"))) == 1
    turns = [r for r in measured.of("key_pool") if "prior_response_hashes" in r]
    assert len(carried_over(measured, "key_pool")) > 0.5 * len(turns)


def test_policy_researchers_ask_for_sensitive_questions_in_other_words(measured):
    asked = [r["prompt"].lower() for r in measured.of("policy_researcher")]
    assert any("politically sensitive" in prompt for prompt in asked)
    programs = account_values(measured, "policy_researcher", "program")
    assert set(programs) == {"research"}


def test_bought_logs_are_peoples_own_questions_and_all_of_them_are_taken(measured):
    asked = measured.of("log_buying")
    assert {measured.purposes[r["event_id"]] for r in asked} == {"harvest"}
    assert not any("tools_hash" in r for r in asked)
    assert len({mask(r["prompt"])[0] for r in asked}) > 0.5 * len(asked)


def test_stolen_keys_work_beside_their_owners(measured):
    robbed = measured.of("compromised_customer")
    taken = [r for r in robbed if measured.purposes[r["event_id"]] == "harvest"]
    assert taken
    assert {r["client_ip"] for r in taken}.isdisjoint(
        r["client_ip"] for r in robbed if r not in taken
    )
    rows = [r for r in measured.world.truth() if r.get("robbed_by")]
    assert len(rows) == 8
    assert all(row["campaign"] is None for row in rows)


def test_what_exchanges_are_for_is_told_of_attackers_and_the_robbed_only(measured):
    bad = {row["account_id"] for row in measured.world.truth() if row["campaign"]}
    bad |= measured.members("compromised_customer")
    for record in measured.requests:
        if measured.purposes[record["event_id"]] != "organic":
            assert record["account_id"] in bad
