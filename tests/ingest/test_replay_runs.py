"""Every line that matches is mended the same way and sent once more."""

import io
import json
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.management import call_command

from ingest import tasks
from ingest.doors.errors import BadFix, NothingToDo, StillBad
from ingest.drain import writers
from ingest.mending import kept_lines, replay, replay_runs
from ingest.mending.fixing import Fix
from ingest.mending.kept_lines import Matching
from ingest.models import Batch, Event, QuarantinedLine, ReplayRun
from ingest.senders.keys import issue_key
from tests.conftest import NOW
from tests.ingest.records import a_request, ndjson, requests

WHY = "The gateway of edge-1 wrote the wrong name."
WRONG = Matching(code="missing_field")


def nameless(count: int, **told: object) -> list[dict[str, object]]:
    """Requests whose gateway calls the model by another name."""
    records = requests(count, **told)
    return [
        {**{k: v for k, v in each.items() if k != "model"}, "engine": "nova-2"}
        for each in records
    ]


def started(matching: Matching = WRONG, fix: Fix | None = None) -> ReplayRun:
    return replay_runs.start(matching, fix, asked_by="leo", reason=WHY)


def run(matching: Matching = WRONG, fix: Fix | None = None) -> ReplayRun:
    order = started(matching, fix)
    tasks.run_replays()
    writers.store_pending()
    order.refresh_from_db()
    return order


@pytest.fixture(autouse=True)
def small_portions(monkeypatch):
    monkeypatch.setattr(replay_runs, "AT_ONCE", 10)


def test_a_renamed_field_makes_every_line_valid(deliver):
    deliver(*nameless(35), "never JSON")
    fix = Fix("rename", "engine", "model")
    looked = replay_runs.preview(WRONG, fix)
    assert (looked.total, looked.looked_at, looked.good) == (35, 35, 35)
    assert not Event.objects.exists()
    order = run(fix=fix)
    assert (order.state, order.replayed, order.still_bad) == ("done", 35, 0)
    assert Event.objects.count() == 35
    assert QuarantinedLine.objects.filter(replayed_at=None).count() == 1


@pytest.mark.parametrize(
    ("fix", "good"),
    [
        (None, 0),
        (Fix("set", "model", "nova-2"), 12),
        (Fix("set", "model", 7), 0),
        (Fix("rename", "engine", "model"), 12),
        (Fix("rename", "nothing", "model"), 0),
        (Fix("remove", "engine"), 0),
    ],
)
def test_the_preview_counts_what_a_run_does_then(deliver, fix, good):
    deliver(*nameless(12))
    assert replay_runs.preview(WRONG, fix).good == good
    order = run(fix=fix)
    assert (order.replayed, order.still_bad) == (good, 12 - good)
    assert QuarantinedLine.objects.filter(replayed_at=None).count() == 12 - good
    assert Event.objects.count() == good


def test_after_the_clock_was_mended_all_of_the_senders_lines_pass(deliver, clock):
    deliver(*requests(15, occurred_at="2026-11-20T09:00:00Z"))
    matching = Matching(code="clock_skew", source="gateway", key="none")
    assert replay_runs.preview(matching, None).good == 0
    clock.shift(timedelta(days=2))
    assert replay_runs.preview(matching, None).good == 15
    assert run(matching).replayed == 15
    assert Event.objects.count() == 15


def test_what_came_meanwhile_is_stored_once(deliver):
    deliver(*nameless(5))
    deliver(*requests(5))
    run(fix=Fix("rename", "engine", "model"))
    assert Event.objects.count() == 5
    assert Batch.objects.get(way_in="replay").duplicates == 5


def test_a_run_that_was_cut_off_goes_on_and_doubles_nothing(deliver):
    deliver(*nameless(35))
    order = started(fix=Fix("rename", "engine", "model"))
    replay_runs._attempt(order.pk)
    cut = patch.object(replay, "send", side_effect=KeyboardInterrupt)
    with cut, pytest.raises(KeyboardInterrupt):
        replay_runs._attempt(order.pk)
    tasks.run_replays()
    order.refresh_from_db()
    assert (order.state, order.replayed) == ("done", 35)
    writers.store_pending()
    assert Event.objects.count() == 35


def test_a_run_that_fails_three_times_stops_and_says_why(deliver):
    deliver(*nameless(3))
    order = started()
    with patch.object(replay, "passing", side_effect=ValueError("odd line")):
        for _ in range(4):
            tasks.run_replays()
    order.refresh_from_db()
    assert (order.state, order.error) == ("failed", "ValueError: odd line")


def test_lines_kept_after_the_order_are_not_part_of_it(deliver):
    deliver(*nameless(3))
    order = started(fix=Fix("rename", "engine", "model"))
    deliver(*nameless(2, account_id="late"))
    tasks.run_replays()
    order.refresh_from_db()
    assert (order.total, order.replayed) == (3, 3)


def test_a_line_keeps_its_source_and_its_key(source):
    key, _ = issue_key(source=source, name="edge", scopes=["ingest:write"])
    writers.accept(
        [ndjson([*nameless(2), a_request(event_id="good")])],
        writers.Origin(source, key),
    )
    writers.store_pending()
    order = run(Matching(key=key.prefix), Fix("rename", "engine", "model"))
    batch = Batch.objects.get(pk=order.batch_ids[0])
    assert (batch.key, batch.source, batch.stored) == (key, source, 2)
    assert QuarantinedLine.objects.filter(replay_batch_id=batch.pk).count() == 2


@pytest.mark.parametrize(
    ("matching", "count"),
    [
        (Matching(), 4),
        (Matching(code="bad_json"), 1),
        (Matching(fate="conflict"), 1),
        (Matching(field="model"), 2),
        (Matching(source="gateway"), 4),
        (Matching(source="elsewhere"), 0),
        (Matching(key="none"), 4),
        (Matching(key="abc"), 0),
        (Matching(day=NOW.date()), 4),
        (Matching(day=NOW.date() + timedelta(days=1)), 0),
    ],
)
def test_lines_are_found_by_what_one_knows_of_them(deliver, matching, count):
    same = a_request(event_id="same")
    deliver(same, {**same, "model": "other"}, "bad", *nameless(2))
    assert matching.count() == count
    assert Matching.from_json(json.loads(json.dumps(matching.as_json()))) == matching
    assert sum(n for *_, n in kept_lines.counts(matching)) == count
    assert kept_lines.waiting_conflicts() == 1


def test_a_discarded_line_waits_no_more_and_stays_counted(deliver):
    deliver(*nameless(1))
    line = QuarantinedLine.objects.get()
    replay.discard(line)
    assert Matching().count() == 0
    with pytest.raises(NothingToDo):
        replay.discard(line)
    with pytest.raises(NothingToDo):
        replay.replace(line, ndjson([a_request()]))


def test_a_correction_that_is_still_wrong_changes_nothing(deliver):
    deliver(*nameless(1))
    line = QuarantinedLine.objects.get()
    for fixed in (b"", b"{", b"{}", ndjson([{**a_request(), "model": 7}])):
        with pytest.raises(StillBad):
            replay.replace(line, fixed)
    assert Batch.objects.count() == 1
    assert Matching().count() == 1


@pytest.mark.parametrize(
    ("kind", "field", "value", "made"),
    [
        ("set", "model", "nova-2", Fix("set", "model", "nova-2")),
        ("set", " turn ", " 7 ", Fix("set", "turn", 7)),
        ("set", "stream", "true", Fix("set", "stream", True)),
        ("set", "x", "", Fix("set", "x", "")),
        ("set", "x", "NaN", Fix("set", "x", "NaN")),
        ("rename", "a", "b", Fix("rename", "a", "b")),
        ("remove", "a", "ignored", Fix("remove", "a")),
    ],
)
def test_a_fix_is_read_as_it_is_typed(kind, field, value, made):
    assert Fix.typed(kind, field, value) == made


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("burn", "a", "b"),
        ("set", "", "b"),
        ("set", "a" * 129, "b"),
        ("set", "a", "b" * 5000),
        ("rename", "a", ""),
        ("rename", "a", "a"),
    ],
)
def test_a_fix_that_makes_no_sense_is_refused(kind, field, value):
    with pytest.raises(BadFix):
        Fix.typed(kind, field, value)


@pytest.mark.parametrize("bad", [1, 100, 9_999])
def test_poison_is_contained_and_mended(source, monkeypatch, bad):
    """I6: good lines are stored, each bad one is kept where it stood, and mended."""
    monkeypatch.setattr(replay_runs, "AT_ONCE", 2_000)
    records = requests(10_000)
    for n in range(bad):
        records[n * 10_000 // bad]["input_tokens"] = -1
    body = ndjson(records)
    batch = writers.accept([body], writers.Origin(source))
    writers.store_pending()
    assert Event.objects.count() == 10_000 - bad
    for line in QuarantinedLine.objects.order_by("pk"):
        raw = bytes(line.raw)
        assert line.byte_offset is not None
        assert body[line.byte_offset :].startswith(raw + b"\n")
        assert body.count(b"\n", 0, line.byte_offset) == line.line - 1
        assert (line.field, line.code) == ("input_tokens", "number_range")
    batch.refresh_from_db()
    assert batch.refused == bad
    order = run(Matching(code="number_range"), Fix("set", "input_tokens", 5))
    assert order.replayed == bad
    assert Event.objects.count() == 10_000


def test_the_command_takes_lines_up_by_what_they_have_in_common(deliver):
    deliver(*nameless(3))
    out = io.StringIO()
    call_command(
        "replay_quarantine",
        "--code=missing_field",
        "--rename=engine=model",
        "--dry-run",
        stdout=out,
    )
    assert "3 of 3 lines would now be accepted" in out.getvalue()
    call_command(
        "replay_quarantine",
        "--code=missing_field",
        "--rename=engine=model",
        stdout=out,
    )
    assert Event.objects.count() == 3
