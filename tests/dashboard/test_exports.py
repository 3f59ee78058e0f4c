"""export_accounts and export_clusters: the contract's rows as files."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import polars as pl
import pytest
from django.core.management import CommandError, call_command

from dashboard import exports
from tests.factories import (
    AccountFactory,
    ClusterFactory,
    ExposureFactory,
    MembershipFactory,
    ScoreFactory,
)

pytestmark = pytest.mark.django_db
REASON = {
    "signal": "steady_cadence",
    "points": 18.0,
    "value": 0.1,
    "baseline": None,
    "sentence": "700 requests about 9 s apart.",
}
ACCOUNT = {
    "account_id": "acct-1",
    "score": 81.25,
    "band": "review",
    "cluster_id": None,
    "cluster_score": None,
    "status": "active",
    "first_flagged_at": "2026-11-10T00:00:00Z",
    "reasons": [REASON],
}


@pytest.fixture
def one_account():
    return ScoreFactory(
        account__external_id="acct-1",
        score=81.25,
        band="review",
        first_flagged_at=datetime(2026, 11, 10, tzinfo=UTC),
        reasons=[{**REASON, "family": "time", "rows": {}}],
    )


@pytest.fixture
def one_cluster():
    member = MembershipFactory(account__external_id="acct-1", cluster__score=97.0)
    cluster = member.cluster
    cluster.proposed_ban = [member.account.pk]
    cluster.size = 1
    cluster.save()
    ExposureFactory(cluster=cluster, exchanges=5, input_tokens=6, output_tokens=7)
    return cluster


def export(noun: str, path):
    out = StringIO()
    call_command(f"export_{noun}", path, stdout=out)
    return out.getvalue()


def ndjson(path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def table(path) -> list[dict[str, str]]:
    with path.open(newline="") as source:
        return list(csv.DictReader(source))


def test_accounts_as_ndjson(one_account, tmp_path):
    said = export("accounts", tmp_path / "a.ndjson")
    assert ndjson(tmp_path / "a.ndjson") == [ACCOUNT]
    assert said.startswith("Wrote 1 accounts")


def test_accounts_as_csv_carry_lists_as_json(one_account, tmp_path):
    export("accounts", tmp_path / "a.csv")
    [row] = table(tmp_path / "a.csv")
    assert list(row) == list(ACCOUNT)
    assert json.loads(row["reasons"]) == [REASON]
    assert row["score"] == "81.25"
    assert row["cluster_id"] == ""
    assert row["first_flagged_at"] == "2026-11-10T00:00:00Z"


def test_accounts_as_parquet_keep_their_types(one_account, tmp_path):
    AccountFactory(external_id="acct-2")
    export("accounts", tmp_path / "a.parquet")
    frame = pl.read_parquet(tmp_path / "a.parquet")
    assert dict(frame.schema) == exports.ACCOUNT_SCHEMA
    first, second = frame.sort("account_id").to_dicts()
    assert first == {**ACCOUNT, "first_flagged_at": datetime(2026, 11, 10, tzinfo=UTC)}
    assert (second["score"], second["reasons"]) == (0.0, [])


def test_clusters_as_ndjson(one_cluster, tmp_path):
    export("clusters", tmp_path / "c.ndjson")
    assert ndjson(tmp_path / "c.ndjson") == [
        {
            "cluster_id": one_cluster.ref,
            "score": 97.0,
            "band": "none",
            "verdict": "insufficient_evidence",
            "size": 1,
            "members": ["acct-1"],
            "proposed_ban": ["acct-1"],
            "exposure": {"exchanges": 5, "input_tokens": 6, "output_tokens": 7},
            "first_flagged_at": None,
        }
    ]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_clusters_in_the_other_formats(one_cluster, tmp_path, ending):
    path = tmp_path / f"c.{ending}"
    export("clusters", path)
    if ending == "csv":
        [row] = table(path)
        assert json.loads(row["members"]) == ["acct-1"]
        assert json.loads(row["exposure"])["exchanges"] == 5
    else:
        frame = pl.read_parquet(path)
        assert dict(frame.schema) == exports.CLUSTER_SCHEMA
        assert frame["members"].to_list() == [["acct-1"]]


def test_clusters_of_an_earlier_run_stay_out(tmp_path):
    ClusterFactory(live=False)
    export("clusters", tmp_path / "c.ndjson")
    assert ndjson(tmp_path / "c.ndjson") == []


@pytest.mark.parametrize("ending", exports.WRITERS)
def test_an_empty_installation_gives_a_file_without_rows(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    export("accounts", path)
    if ending == ".parquet":
        assert dict(pl.read_parquet(path).schema) == exports.ACCOUNT_SCHEMA
    else:
        assert len(path.read_text().splitlines()) == (1 if ending == ".csv" else 0)


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.ndjson.gz"])
def test_an_unknown_ending_names_the_known_ones_and_writes_nothing(tmp_path, name):
    with pytest.raises(CommandError, match=r"\.ndjson, \.csv, \.parquet"):
        export("accounts", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="cannot be written"):
        export("accounts", tmp_path / "no" / "a.csv")


def test_a_failed_export_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_text("before")

    def rows():
        yield {"account_id": "x"}
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        exports.write(path, rows(), exports.ACCOUNT_SCHEMA)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "=cmd|' /C calc'!A0",
    "'quoted",
    '=HYPERLINK("http://x","y")',
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_runs_nothing_and_the_text_comes_back(tmp_path, text):
    AccountFactory(external_id=text)
    export("accounts", tmp_path / "a.csv")
    [row] = table(tmp_path / "a.csv")
    assert row["account_id"] == "'" + text


@pytest.mark.parametrize("text", ["acct-1", "a=b", "1-2", "o'neil", "ana@corp"])
def test_ordinary_text_is_left_alone(tmp_path, text):
    AccountFactory(external_id=text)
    export("accounts", tmp_path / "a.csv")
    assert table(tmp_path / "a.csv")[0]["account_id"] == text


def test_what_only_json_can_carry_survives(tmp_path):
    odd = 'a\u2028b,"c"\n💥 e\u0301'
    AccountFactory(external_id=odd)
    for ending in (".ndjson", ".csv", ".parquet"):
        export("accounts", tmp_path / f"a{ending}")
    lines = (tmp_path / "a.ndjson").read_text().split("\n")
    assert json.loads(lines[0])["account_id"] == odd
    assert table(tmp_path / "a.csv")[0]["account_id"] == odd
    assert pl.read_parquet(tmp_path / "a.parquet")["account_id"].to_list() == [odd]


def test_many_accounts_cost_one_query(tmp_path, django_assert_max_num_queries):
    for _ in range(30):
        ScoreFactory()
    with django_assert_max_num_queries(3):
        export("accounts", tmp_path / "a.ndjson")
