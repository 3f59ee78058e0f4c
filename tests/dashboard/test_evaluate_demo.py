"""`manage.py evaluate_demo` compares the product's own exports with the truth."""

import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from ingest.demo.output import write_truth, write_world
from ingest.demo.world import World
from ingest.importing import imports
from ingest.models import Account, Source
from tests.factories import ClusterFactory, MembershipFactory, ScoreFactory

ENDS_AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
HALF_WAY = datetime(2026, 11, 16, 18, tzinfo=UTC)


@pytest.fixture
def ingested(db, tmp_path):
    """A small world in the database; its truth in a file apart."""
    world = World(seed=2, ends_at=ENDS_AT, days=4, accounts=160, exchanges=900)
    write_world(world.records(), tmp_path / "world.ndjson")
    write_truth(world.truth(), tmp_path / "truth.ndjson")
    source = Source.objects.create(name="demo-gateway")
    for _ in imports.import_file(str(tmp_path / "world.ndjson"), source):
        pass
    return world


def evaluated(tmp_path, capsys, *options):
    call_command("evaluate_demo", f"--truth={tmp_path / 'truth.ndjson'}", *options)
    return capsys.readouterr().out


def flag(campaign_rows):
    """A run that found exactly these accounts, half way through the history."""
    cluster = ClusterFactory(
        score=95, verdict="distillation", first_flagged_at=HALF_WAY
    )
    for row in campaign_rows:
        account = Account.objects.get(external_id=row["account_id"])
        MembershipFactory(cluster=cluster, account=account, joined_at=HALF_WAY)
        ScoreFactory(account=account, score=92, first_flagged_at=HALF_WAY)


def test_it_measures_what_was_found_and_when(ingested, tmp_path, capsys):
    flag([row for row in ingested.truth() if row["campaign"] == "hydra"])
    result = json.loads(evaluated(tmp_path, capsys, "--json"))
    campaigns = {row["campaign"]: row for row in result["campaigns"]}
    hydra, reasoning = campaigns["hydra"], campaigns["reasoning"]
    assert result["flagged"]["precision"] == 1.0
    assert 0 < result["flagged"]["recall"] < 1
    assert hydra["flagged"] == hydra["accounts"]
    assert 0 < hydra["served_before_first_flag"] < 1
    assert reasoning["flagged"] == 0
    assert reasoning["served_before_first_flag"] == 1.0


def test_an_innocent_cohort_that_was_flagged_shows(ingested, tmp_path, capsys):
    flag([row for row in ingested.truth() if row["population"] == "hackathon"])
    text = evaluated(tmp_path, capsys)
    [row] = [line for line in text.splitlines() if line.startswith("hackathon")]
    assert row.split()[1] == row.split()[2] != "0"
    assert "Simulated precision is not field precision" in text


def test_without_a_truth_file_it_says_where_one_comes_from(db, tmp_path):
    with pytest.raises(CommandError, match="make_demo_data --truth"):
        call_command("evaluate_demo", f"--truth={tmp_path / 'none.ndjson'}")


def test_a_file_that_is_no_truth_is_named(db, tmp_path):
    (tmp_path / "truth.ndjson").write_text('{"who": "knows"}\n')
    with pytest.raises(CommandError, match="no truth file"):
        call_command("evaluate_demo", f"--truth={tmp_path / 'truth.ndjson'}")
