"""The demo world keeps to the contract, to its seed and to addresses of nobody."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ingest.demo import honest
from ingest.demo.output import line
from ingest.demo.world import World
from tests.ingest.demo.contract import ENDS_AT, complaints, moment


def small(seed=1, **sizes):
    sizes = {"accounts": 200, "exchanges": 2500, "days": 5} | sizes
    return World(seed=seed, ends_at=ENDS_AT, **sizes)


def told_bytes(world):
    return b"".join(map(line, world.records()))


def test_the_same_seed_gives_the_same_bytes():
    assert told_bytes(small()) == told_bytes(small())


def test_the_same_moment_in_another_time_zone_is_the_same_world():
    elsewhere = ENDS_AT.astimezone(timezone(timedelta(hours=9)))
    world = World(seed=1, ends_at=elsewhere, accounts=200, exchanges=2500, days=5)
    assert told_bytes(world) == told_bytes(small())


def test_another_seed_gives_another_world():
    first, second = small(seed=1), small(seed=2)
    assert not {r["account_id"] for r in first.truth()} & {
        r["account_id"] for r in second.truth()
    }


def test_changing_one_population_leaves_the_accounts_of_the_others(monkeypatch):
    before = {r["account_id"]: r for r in small().truth()}
    monkeypatch.setattr(honest, "hackathon", lambda cast, count: None)
    after = {r["account_id"]: r for r in small().truth()}
    gone = {i for i, row in before.items() if row["population"] == "hackathon"}
    came = {row["population"] for i, row in after.items() if i not in before}
    assert gone
    assert {
        i: row for i, row in before.items() if i not in gone
    }.items() <= after.items()
    assert came <= {"hobbyist"}  # who fill the world up to its size


def test_counts_come_near_to_what_was_asked(told):
    assert len(told.world.truth()) == pytest.approx(900, rel=0.02)
    assert len(told.requests) == pytest.approx(30_000, rel=0.15)


def test_every_record_keeps_to_the_contract(told):
    wrong = Counter(c for r in told.records for c in complaints(r, now=ENDS_AT))
    assert not wrong


def test_records_come_in_order_of_time_and_end_with_the_world(told):
    times = [moment(r) for r in told.records if r["type"] != "model_release"]
    assert times == sorted(times)
    assert times[0] >= ENDS_AT - timedelta(days=21)
    assert times[-1] < ENDS_AT


def test_an_account_is_told_before_anything_it_does(told):
    known = set()
    for record in told.records:
        if record["type"] == "account":
            known.add(record["account_id"])
        elif record["type"] != "model_release":
            assert record["account_id"] in known


def test_ids_are_unique(told):
    ids = Counter(r["event_id"] for r in told.records if "event_id" in r)
    assert max(ids.values()) == 1


def test_mailboxes_lie_in_reserved_domains(told):
    domains = {r["email"].split("@")[1] for r in told.accounts.values()}
    endings = {domain.rsplit(".")[-1] for domain in domains}
    assert endings <= {"example", "test", "invalid"}


def test_tokens_agree_with_the_text(told):
    for record in told.requests:
        assert record["input_tokens"] >= len(record["prompt"]) // 4


def test_few_exchanges_fail_and_those_have_no_answer(told):
    failed = [r for r in told.requests if r["http_status"] != 200]
    assert 0 < len(failed) / len(told.requests) < 0.03
    assert all(r["output_tokens"] == 0 and "response_hash" not in r for r in failed)


def test_no_record_tells_who_is_who(told):
    given_away = {row["population"] for row in told.world.truth()} | {"hydra"}
    given_away -= {"evaluator", "developer", "startup", "campus", "reseller", "family"}
    for record in told.records:
        kept = {k: v for k, v in record.items() if k not in ("prompt", "contract")}
        assert not any(word in str(kept) for word in given_away)


def test_truth_names_every_account_once(told):
    ids = [row["account_id"] for row in told.world.truth()]
    assert len(ids) == len(set(ids))
    assert {r["account_id"] for r in told.requests} <= set(ids)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ends_at": datetime(2026, 11, 20)}, "no time zone"),  # noqa: DTZ001
        ({"accounts": 10}, "at least"),
        ({"days": 1}, "at least"),
        ({"exchanges": 100}, "at least"),
    ],
)
def test_a_world_that_cannot_be_says_why(wrong, sentence):
    asked = {"ends_at": datetime(2026, 11, 20, tzinfo=UTC)} | wrong
    with pytest.raises(ValueError, match=sentence):
        World(seed=1, **asked)
