"""After its history the demo world goes on, and answers to bans."""

import itertools
from datetime import datetime, timedelta
from itertools import takewhile

import pytest

from ingest.demo.world import World
from tests.ingest.demo.contract import ENDS_AT, complaints, moment


def world():
    return World(seed=5, ends_at=ENDS_AT, accounts=300, exchanges=9000)


def hour_of(live, minutes=60, start=ENDS_AT):
    until = start + timedelta(minutes=minutes)
    return [r for due, r in takewhile(lambda item: item[0] < until, live)]


def requests(records):
    return [r for r in records if r["type"] == "request"]


def campaign_members(told, campaign):
    return {r["account_id"] for r in told.truth() if r["campaign"] == campaign}


def test_it_goes_on_at_the_rate_asked_for():
    found = requests(hour_of(world().live(ENDS_AT, rate=1.0), minutes=40))
    assert len(found) == pytest.approx(2400, rel=0.25)


def test_it_comes_when_it_is_due_and_keeps_to_the_contract():
    live = world().live(ENDS_AT, rate=1.0)
    until = ENDS_AT + timedelta(minutes=15)
    last = ENDS_AT
    for due, record in takewhile(lambda item: item[0] < until, live):
        assert due >= last
        assert abs((moment(record) - due).total_seconds()) < 0.002
        assert not complaints(record, now=until)
        last = due


def test_a_gap_is_filled_without_a_flood():
    start, now = ENDS_AT + timedelta(hours=5), ENDS_AT + timedelta(hours=11)
    live = world().live(start, rate=2.0, hurry_from=now)
    found = requests(hour_of(live, minutes=330, start=start))
    assert 10 < len(found) < 400


def test_new_people_sign_up_who_are_innocent():
    told = world()
    before = len(told.truth())
    hour_of(told.live(ENDS_AT, rate=2.0), minutes=30)
    assert {r["population"] for r in told.truth()[before:]} == {"hobbyist"}


def test_a_banned_account_falls_silent_and_the_platform_says_so():
    told = world()
    states: dict[str, str] = {}
    live = told.live(ENDS_AT, rate=1.0, platform=lambda: states)
    spoke = requests(hour_of(live, minutes=10))
    states[spoke[-1]["account_id"]] = "banned"
    after = hour_of(live, minutes=60)
    mine = [r for r in after if r.get("account_id") == spoke[-1]["account_id"]]
    assert [(r["type"], r["status"]) for r in mine] == [("account", "banned")]


def test_a_ban_lifted_within_the_instant_and_renewed_is_one_ban():
    told = world()
    lost = sorted(campaign_members(told, "hydra"))[0]
    states = itertools.cycle([{lost: "banned"}, {}])
    live = told.live(ENDS_AT, rate=1.0, platform=lambda: next(states))
    hour_of(live, minutes=20)
    fresh = len(campaign_members(told, "hydra")) - len(
        campaign_members(world(), "hydra")
    )
    assert fresh == 1


def test_a_restored_account_speaks_again():
    told = world()
    agents = {
        r["account_id"]
        for r in told.truth()
        if r["population"] == "round_the_clock_agent"
    }
    states = dict.fromkeys(agents, "banned")
    live = told.live(ENDS_AT, rate=1.0, platform=lambda: states)
    silent = requests(hour_of(live, minutes=20))
    states.clear()
    later = requests(hour_of(live, minutes=80))
    assert not [r for r in silent if r["account_id"] in agents]
    assert [r for r in later if r["account_id"] in agents]


def banned_hydra(told):
    lost = sorted(campaign_members(told, "hydra"))[:10]
    states = dict.fromkeys(lost, "banned")
    before = {r["account_id"] for r in told.truth()}
    records = hour_of(told.live(ENDS_AT, rate=2.0, platform=lambda: states))
    fresh = campaign_members(told, "hydra") - before
    return fresh, records


def test_the_hydra_replaces_what_it_loses_within_half_an_hour():
    told = world()
    fresh, records = banned_hydra(told)
    assert len(fresh) == len(told.bans())
    for record in records:
        if record.get("kind") == "signup" and record["account_id"] in fresh:
            wait = moment(record) - ENDS_AT
            assert timedelta(minutes=2) <= wait <= timedelta(minutes=32)
    assert {r["account_id"] for r in requests(records)} & fresh


def test_a_restart_knows_the_same_replacements():
    told = world()
    fresh, records = banned_hydra(told)
    again = world()
    again.resume(told.bans())
    assert campaign_members(again, "hydra") == campaign_members(told, "hydra")
    announced = {r["event_id"] for r in records if r["type"] == "activity"}
    start = ENDS_AT + timedelta(hours=1)
    repeated = [
        r["event_id"]
        for r in hour_of(again.live(start, rate=1.0), minutes=5, start=start)
        if r["type"] == "activity"
        and r["account_id"] in fresh
        and datetime.fromisoformat(r["occurred_at"]) < start
    ]
    assert repeated
    assert set(repeated) <= announced
