"""check_ledger: every line has one fate, and a gap is found."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ingest import ledger
from ingest.drain import writers
from ingest.drain.partitions import partition_name
from ingest.models import Batch, Event, QuarantinedLine, Source
from ingest.senders.keys import issue_key
from tests.ingest.records import a_release, a_request, an_account, ndjson, requests

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


def lose_an_event() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ingest_event WHERE event_id = 'ev-0'")


def double_an_event() -> None:
    event = Event.objects.get(event_id="ev-0")
    event.pk = None
    event.save(force_insert=True)


def lose_a_line() -> None:
    QuarantinedLine.objects.earliest("pk").delete()


def miscount() -> None:
    Batch.objects.update(duplicates=1)


@pytest.mark.parametrize(
    "damage", [lose_an_event, double_an_event, lose_a_line, miscount]
)
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


def test_each_key_has_its_own_sum(source):
    for name, count in (("edge-1", 2), ("edge-2", 3)):
        key, _ = issue_key(source=source, name=name, scopes=["ingest:write"])
        records = [a_request(event_id=f"{name}-{n}") for n in range(count)]
        batch = writers.accept([ndjson(records)], writers.Origin(source, key))
        writers.store_batch(batch.pk)
    found = check()
    by_key = {row["key"]: row["stored"] for row in found["keys"]}
    assert sorted(by_key.values()) == [2, 3]
    assert found["rows"][0]["stored"] == 5
    assert "key" not in found["rows"][0]


def test_accounts_and_releases_are_stored_and_are_no_events(deliver):
    batch = deliver(an_account(), a_release(), a_request())
    assert (batch.stored, batch.stored_events) == (3, 1)
    assert check()["exit"] == 0


def test_what_retention_took_away_is_no_gap(deliver):
    deliver(*requests(3), "bad")
    day = Event.objects.earliest("occurred_at").occurred_at.date()
    with connection.cursor() as cursor:
        assert ledger.note_dropped_events(cursor, partition_name(day)) == 3
        cursor.execute(f"TRUNCATE {partition_name(day)}")
        line = QuarantinedLine.objects.get()
        line.delete()
        ledger.note_dropped_lines(cursor, [line.batch_id])
    assert check()["exit"] == 0


def test_the_table_can_name_the_keys(source):
    key, _ = issue_key(source=source, name="edge", scopes=["ingest:write"])
    writers.accept([ndjson(requests(2))], writers.Origin(source, key))
    out = io.StringIO()
    call_command("check_ledger", "--keys", stdout=out)
    assert key.prefix in out.getvalue()
