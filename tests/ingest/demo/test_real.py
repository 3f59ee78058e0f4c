"""Worlds composed from published traces and prompts."""

import os
from collections import Counter
from pathlib import Path

import pytest

from ingest.demo.corpora import Window, moments
from ingest.demo.dice import dice
from ingest.demo.output import line
from ingest.demo.real import RealWorld, SharedDataMissing
from tests.ingest.demo import shared_folder
from tests.ingest.demo.contract import ENDS_AT, complaints, moment


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shared_folder.fill(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def composed(folder):
    world = RealWorld(folder, seed=3, ends_at=ENDS_AT, accounts=400, exchanges=8000)
    return world, list(world.records())


def composed_bytes(folder):
    world = RealWorld(folder, seed=3, ends_at=ENDS_AT, accounts=400, exchanges=8000)
    return b"".join(map(line, world.records()))


def test_a_composed_world_repeats_itself(folder):
    assert composed_bytes(folder) == composed_bytes(folder)


def test_composed_records_keep_to_the_contract(composed):
    _, records = composed
    wrong = Counter(c for r in records for c in complaints(r, now=ENDS_AT))
    assert not wrong
    times = [moment(r) for r in records if r["type"] != "model_release"]
    assert times == sorted(times)


def test_attackers_and_hard_negatives_are_there(composed):
    world, _ = composed
    rows = world.truth()
    assert len({r["campaign"] for r in rows if r["campaign"]}) == 3
    assert {r["population"] for r in rows} >= {
        "person",
        "program",
        "benchmark",
        "class",
        "reseller",
        "red_team",
        "agent_fleet",
        "licensed_distiller",
        "corporate_vpn",
        "family",
    }


def test_attackers_share_one_corpus_without_overlap(composed):
    world, records = composed
    members = {
        r["account_id"] for r in world.truth() if r["campaign"] == "harvest-tools"
    }
    asked = Counter(
        r["prompt"]
        for r in records
        if r["type"] == "request" and r["account_id"] in members
    )
    assert len(asked) > 50
    assert sum(count > 1 for count in asked.values()) < 0.25 * len(asked)


def test_no_prompt_author_is_split_over_two_people(composed):
    world, records = composed
    people = {r["account_id"] for r in world.truth() if r["population"] == "person"}
    owners: dict[str, set[str]] = {}
    for record in records:
        if record.get("account_id") in people and "prompt" in record:
            owners.setdefault(record["prompt"], set()).add(record["account_id"])
    assert all(len(who) == 1 for who in owners.values())


def test_answers_and_output_tokens_agree(composed):
    _, records = composed
    for record in records:
        if "response" in record:
            assert record["output_tokens"] == max(1, len(record["response"]) // 4)


def test_a_clients_day_keeps_its_rates():
    day = [Window(n * 600.0, 0.001 * (1 + n % 2), "gamma", 0.4) for n in range(144)]
    found = moments(dice("clients", 1), day, 3000)
    assert len(found) == pytest.approx(3000, rel=0.1)
    busy = sum(1 for at in found if int(at // 600) % 2)
    assert busy / len(found) == pytest.approx(2 / 3, abs=0.05)


def test_a_folder_without_the_data_is_named(tmp_path):
    with pytest.raises(SharedDataMissing, match="prompts/ and traces/"):
        RealWorld(tmp_path, seed=1, ends_at=ENDS_AT)


def test_a_missing_file_is_named(folder, tmp_path):
    for name in ("prompts", "traces"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "prompts").unlink()
    (tmp_path / "prompts").mkdir()
    with pytest.raises(SharedDataMissing, match=r"jsonl\.gz is missing"):
        RealWorld(tmp_path, seed=1, ends_at=ENDS_AT)


@pytest.mark.shared_data
def test_the_real_folder_composes_to_the_asked_size():
    where = os.environ.get("STILLWATCH_SHARED_DATA")
    if not where or not Path(where).is_dir():
        pytest.skip("STILLWATCH_SHARED_DATA names no folder.")
    world = RealWorld(Path(where), seed=1, ends_at=ENDS_AT)
    records = list(world.records())
    requests = [r for r in records if r["type"] == "request"]
    assert len(requests) == pytest.approx(40_000, rel=0.15)
    assert len(world.truth()) == pytest.approx(1500, rel=0.05)
    assert max(moment(r) for r in requests) < ENDS_AT
