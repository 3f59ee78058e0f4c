"""A line that was not stored can be fixed and sent once more."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from ingest.mending import replay
from ingest.models import Event, QuarantinedLine
from tests.ingest.records import a_request, ndjson

AHEAD = a_request(occurred_at="2026-11-20T09:30:00Z")


def run(*arguments: str, given: bytes = b"", monkeypatch: pytest.MonkeyPatch) -> str:
    class Piped:
        buffer = io.BytesIO(given)

    monkeypatch.setattr("sys.stdin", Piped())
    out = io.StringIO()
    call_command("replay_quarantine", *arguments, stdout=out)
    return out.getvalue()


def test_a_line_ahead_of_the_clock_is_stored_when_its_time_has_come(
    deliver, clock, monkeypatch
):
    deliver(AHEAD)
    clock.shift(timedelta(days=2))
    told = run("--code", "clock_skew", monkeypatch=monkeypatch)
    assert "1 replayed, 1 stored" in told
    assert Event.objects.get().event_id == "ev-1"
    assert QuarantinedLine.objects.get().replayed_at is not None


def test_a_corrected_line_takes_the_place_of_the_bad_one(deliver, monkeypatch):
    deliver(a_request(input_tokens=-1))
    line = QuarantinedLine.objects.get()
    run(
        "--line",
        str(line.pk),
        "--fixed",
        given=ndjson([a_request()]),
        monkeypatch=monkeypatch,
    )
    assert Event.objects.get().event_id == "ev-1"


def test_a_line_is_replayed_at_most_once(deliver):
    deliver(AHEAD)
    lines = list(QuarantinedLine.objects.all())
    assert len(replay.replay(lines)) == 1
    assert replay.replay(lines) == []


def test_a_line_that_is_still_bad_waits_as_before(deliver, monkeypatch):
    deliver(a_request(input_tokens=-1))
    told = run("--code", "number_range", monkeypatch=monkeypatch)
    assert "1 lines wait as before" in told
    assert QuarantinedLine.objects.filter(replayed_at=None).count() == 1


def test_the_list_shows_what_waits(deliver, monkeypatch):
    deliver(AHEAD)
    assert "clock_skew" in run(monkeypatch=monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--line", "999999"), "No such line"),
        (("--code", "nothing"), "No such line"),
        (("--fixed", "--code", "x"), "say which"),
    ],
)
def test_a_replay_of_nothing_says_so(db, arguments, sentence, monkeypatch):
    with pytest.raises(CommandError, match=sentence):
        run(*arguments, monkeypatch=monkeypatch)
