"""check_ledger: every line has one fate, and a gap is found."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest import writers
from ingest.models import Batch, EventKey, QuarantinedLine, Source
from tests.ingest.records import a_request, ndjson, requests

Found = dict[str, Any]


def check() -> Found:
    out = io.StringIO()
    try:
        call_command("check_ledger", "--json", stdout=out)
    except CommandError as error:
        assert error.returncode == 1
        return {**json.loads(out.getvalue()), "exit": 1}
    return {**json.loads(out.getvalue()), "exit": 0}


def test_every_fate_is_counted_by_source_and_day(deliver):
    deliver(
        *requests(4),
        a_request(event_id="ev-0"),
        a_request(event_id="ev-1", input_tokens=7),
        a_request(event_id="ahead", occurred_at="2026-12-24T00:00:00Z"),
        "bad",
    )
    found = check()
    (row,) = found["rows"]
    assert (row["source"], row["day"], found["exit"]) == ("gateway", "2026-11-18", 0)
    fates = ("received", "stored", "duplicate", "conflict", "quarantined", "refused")
    assert [row[fate] for fate in fates] == [8, 4, 1, 1, 1, 1]
    assert found["totals"]["received"] == 8


def test_what_waits_is_shown_and_is_no_gap(source):
    writers.accept([ndjson(requests(4))], writers.Origin(source))
    found = check()
    assert (found["rows"][0]["pending"], found["exit"]) == (4, 0)


def lose_a_record() -> None:
    EventKey.objects.earliest("digest").delete()


def lose_a_line() -> None:
    QuarantinedLine.objects.earliest("pk").delete()


def miscount() -> None:
    Batch.objects.update(duplicates=1)


@pytest.mark.parametrize("damage", [lose_a_record, lose_a_line, miscount])
def test_a_gap_is_found(db, damage):
    origin = writers.Origin(Source.objects.create(name="damaged"))
    batch = writers.accept([ndjson([*requests(2), "bad"])], origin)
    writers.store_batch(batch.pk)
    assert check()["exit"] == 0
    damage()
    found = check()
    assert (found["exit"], found["adds_up"]) == (1, False)


def test_the_table_names_every_fate(deliver):
    deliver(*requests(2))
    out = io.StringIO()
    call_command("check_ledger", stdout=out)
    assert "gateway" in out.getvalue()
    assert "quarantined" in out.getvalue()
