"""`manage.py make_demo_data` writes worlds to files."""

import gzip
import json

import pytest
from django.core.management import CommandError, call_command

SMALL = ["--accounts=200", "--events=2500", "--days=5"]
ENDS_AT = "--ends-at=2026-11-20T15:30:00Z"


def test_it_writes_a_world_and_its_truth(tmp_path, capsys):
    out, truth = tmp_path / "world.ndjson", tmp_path / "truth.ndjson"
    call_command("make_demo_data", out, *SMALL, ENDS_AT, f"--truth={truth}")
    records = [json.loads(text) for text in out.read_text().splitlines()]
    assert f"{len(records)} records" in capsys.readouterr().out
    told = {json.loads(text)["account_id"] for text in truth.read_text().splitlines()}
    assert {r["account_id"] for r in records if "account_id" in r} == told


def rows_of(path):
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_it_tells_what_each_exchange_was_for_in_a_file_apart(tmp_path):
    out, told = tmp_path / "world.ndjson", tmp_path / "exchanges.ndjson"
    call_command(
        "make_demo_data",
        out,
        *SMALL,
        ENDS_AT,
        "--evasion=2",
        f"--truth-exchanges={told}",
    )
    requests = [r["event_id"] for r in rows_of(out) if r["type"] == "request"]
    assert [row["event_id"] for row in rows_of(told)] == requests
    purposes = {row["purpose"] for row in rows_of(told)}
    assert purposes == {"organic", "harvest", "camouflage"}


def test_innocents_are_framed_where_that_is_asked_for(tmp_path):
    out, truth = tmp_path / "world.ndjson", tmp_path / "truth.ndjson"
    framed = ["--evasion=1", "--frame", f"--truth={truth}"]
    call_command("make_demo_data", out, *SMALL, ENDS_AT, *framed)
    assert any("framed_by" in row for row in rows_of(truth))


def test_a_size_gives_way_to_what_is_asked_for_beside_it(tmp_path):
    truth = tmp_path / "truth.ndjson"
    asked = ["--size=S", *SMALL, ENDS_AT, f"--truth={truth}"]
    call_command("make_demo_data", tmp_path / "world.ndjson", *asked)
    assert len(rows_of(truth)) == pytest.approx(200, abs=5)


def test_the_same_gzipped_world_is_the_same_file(tmp_path):
    first, second = tmp_path / "a" / "w.ndjson.gz", tmp_path / "b" / "w.ndjson.gz"
    for out in (first, second):
        call_command("make_demo_data", out, *SMALL, ENDS_AT)
    assert first.read_bytes() == second.read_bytes()
    assert gzip.decompress(first.read_bytes())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--ends-at=yesterday"], "no time with an offset"),
        (["--ends-at=2026-11-20T15:30:00"], "no time with an offset"),
        (["--accounts=3"], "at least"),
        (["--frame"], "need --evasion"),
        (["--pool-size=500"], "need --evasion"),
        (["--from-data=/nowhere"], "holds the shared data"),
    ],
)
def test_what_it_cannot_do_it_says(tmp_path, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("make_demo_data", tmp_path / "w.ndjson", *options)
