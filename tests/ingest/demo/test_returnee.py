"""Operators who are banned and come back, as the simulator tells of them."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.demo.returnee import Returnee, in_manner
from ingest.demo.world import World

ENDS_AT = datetime(2026, 11, 20, tzinfo=UTC)
DAYS = 30
BANNED_AT = (ENDS_AT - timedelta(days=DAYS - 14)).isoformat()
Shown = dict[str, dict[str, set[Any]]]  # campaign → field → values


def told(renewed: float) -> Shown:
    """What each campaign showed in a small world with operators who come back."""
    world = World(seed=3, ends_at=ENDS_AT, days=DAYS, accounts=300, exchanges=6000)
    world.let_return(Returnee(renewed, away=8))
    of = {row["account_id"]: row["campaign"] or "" for row in world.truth()}
    shown: Shown = defaultdict(lambda: defaultdict(set))
    for record in world.records():
        if record["type"] == "model_release":
            continue
        campaign = of[str(record["account_id"])]
        for name, value in record.items():
            if isinstance(value, str | float | int):
                shown[campaign][name].add(value)
        shown[campaign]["block"].add(str(record.get("client_ip")).rpartition(".")[0])
        at = record.get("occurred_at", record.get("created_at"))
        shown[campaign]["at"].add(at)
    return shown


@pytest.fixture(scope="module")
def all_kept() -> Shown:
    return told(0.0)


@pytest.fixture(scope="module")
def all_new() -> Shown:
    return told(1.0)


@pytest.mark.parametrize("campaign", ["reasoning", "hydra"])
def test_the_banned_fall_silent_and_others_take_their_place(all_kept, campaign):
    old, new = all_kept[campaign], all_kept[f"{campaign}_again"]
    back_at = datetime.fromisoformat(BANNED_AT) + timedelta(days=8)

    assert max(old["occurred_at"]) < BANNED_AT + "~"
    assert min(new["occurred_at"]) >= back_at.isoformat()[:16]
    assert not old["account_id"] & new["account_id"]
    assert "banned" in old["status"]
    assert "banned" not in new["status"]


def test_who_renews_nothing_shows_the_old_cards_blocks_and_programs(all_kept):
    old, new = all_kept["hydra"], all_kept["hydra_again"]

    for name in ("payment_fingerprint", "block", "tools_hash", "user_agent", "ja4"):
        assert new[name] <= old[name], name
    assert not old["email"] & new["email"]


def test_who_renews_everything_shows_none_of_them(all_new):
    old, new = all_new["hydra"], all_new["hydra_again"]

    for name in ("payment_fingerprint", "tools_hash", "system_hash", "prompt"):
        assert not old[name] & new[name], name
    assert old["temperature"] == new["temperature"]


def test_some_cards_are_new_and_some_are_not():
    shown = told(0.5)
    old = shown["hydra"]["payment_fingerprint"]
    new = shown["hydra_again"]["payment_fingerprint"]

    assert new & old
    assert new - old


def test_a_mailbox_is_named_in_the_old_manner():
    assert in_manner("ines.brandvold", "marenabernel07").isalnum()
    assert in_manner("ines.brandvold", "maren.abernel") == "ines.brandvold"


@pytest.mark.parametrize(
    ("how", "sentence"),
    [(Returnee(1.5), "from 0 to 1"), (Returnee(0.3), "49 days or more")],
)
def test_a_return_that_cannot_be_says_why(how, sentence):
    world = World(seed=1, ends_at=ENDS_AT, days=DAYS, accounts=200, exchanges=2000)
    with pytest.raises(ValueError, match=sentence):
        world.let_return(how)
