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
        (["--from-data=/nowhere"], "holds the shared data"),
    ],
)
def test_what_it_cannot_do_it_says(tmp_path, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("make_demo_data", tmp_path / "w.ndjson", *options)
