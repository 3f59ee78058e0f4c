"""What the Ingest page reads of the facts."""

import io
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingest import watching
from ingest.doors.errors import NothingToDo
from ingest.doors.refusals import counts
from ingest.drain import writers
from ingest.mending import parked
from ingest.models import Batch
from ingest.rolling import rollups
from ingest.senders.keys import issue_key
from ingest.watching import Watch
from tests.conftest import NOW
from tests.ingest.records import a_request, ndjson, requests


def watch(**told: object) -> Watch:
    return Watch(timezone.now(), **told)  # type: ignore[arg-type]


def test_where_nothing_came_nothing_waits(db):
    pulse = watching.pulse(watch())
    assert (pulse.rate_1, pulse.pending, pulse.oldest_pending) == (0, 0, 0)
    assert (pulse.stored_p50, pulse.stored_p95) == (None, None)


def test_what_waits_is_counted_with_the_age_of_the_oldest(source, clock):
    writers.accept([ndjson(requests(50))], writers.Origin(source))
    clock.shift(timedelta(seconds=90))
    pulse = watching.pulse(watch())
    assert (pulse.pending, pulse.pending_records, pulse.oldest_pending) == (1, 50, 90)
    assert pulse.rate_1 == 0
    assert pulse.rate_5 == pytest.approx(50 / 300)


def test_what_is_stored_waits_to_be_summed(deliver, clock):
    deliver(*requests(7))
    clock.shift(timedelta(seconds=30))
    pulse = watching.pulse(watch())
    assert pulse.unsummed_events == 7
    rollups.refresh_stale()
    pulse = watching.pulse(watch())
    assert (pulse.unsummed_events, pulse.oldest_unsummed) == (0, 0)


def test_half_of_the_batches_are_stored_within_the_median(source, clock):
    for n, seconds in enumerate((1, 2, 9)):
        body = ndjson([a_request(event_id=f"e{n}")])
        batch = writers.accept([body], writers.Origin(source))
        clock.shift(timedelta(seconds=seconds))
        writers.store_batch(batch.pk)
    pulse = watching.pulse(watch())
    assert pulse.stored_p50 == 2
    assert pulse.stored_p95 == pytest.approx(8.3)


def test_rejects_are_counted_by_code_and_key(source):
    key, _ = issue_key(source=source, name="edge", scopes=["ingest:write"])
    body = ndjson([*requests(2), a_request(input_tokens=-1), a_request(turn=0), "bad"])
    writers.accept([body], writers.Origin(source, key))
    found = watching.rejects(watch())
    assert [(each.code, each.source, each.key, each.count) for each in found] == [
        ("number_range", "gateway", key.prefix, 2),
        ("bad_json", "gateway", key.prefix, 1),
    ]
    assert watching.rejects(watch(key="none")) == []


def test_refused_requests_are_counted_by_code_and_key(source):
    key, _ = issue_key(source=source, name="edge", scopes=["ingest:write"])
    for _ in range(3):
        counts.add(key.pk, "not_json", 400, 10)
    counts.add(None, "unknown_key", 401, 5)
    found = watching.refused(watch())
    assert [(each.code, each.key, each.count, each.size) for each in found] == [
        ("not_json", key.prefix, 3, 30),
        ("unknown_key", "", 1, 5),
    ]
    assert len(watching.refused(watch(source="gateway"))) == 1
    assert len(watching.refused(watch(key="none"))) == 1
    assert watching.refused(watch(day=date(2026, 11, 17))) == []


def test_unknown_fields_are_counted_by_name_and_key(source):
    for n in range(2):
        body = ndjson([a_request(event_id=f"{n}", odd=1, rare=n)])
        writers.accept([body], writers.Origin(source))
    found = watching.unknown_fields(watch())
    assert [(each.code, each.count) for each in found] == [("odd", 2), ("rare", 2)]


def test_each_hour_adds_up(deliver):
    same = a_request(event_id="same")
    deliver(same, same, {**same, "model": "x"}, "bad", *requests(4))
    hours = watching.by_hour(watch())
    assert len(hours) == 24
    hour, fates = hours[-1]
    assert hour == NOW
    assert fates.received == 8
    assert fates.received == fates.stored + fates.duplicates + fates.lost
    assert all(other.received == 0 for _, other in hours[:-1])


def test_a_day_is_its_24_hours(deliver, clock):
    deliver(*requests(3))
    clock.shift(timedelta(days=3))
    hours = watching.by_hour(watch(day=NOW.date()))
    assert [hour.hour for hour, _ in hours] == list(range(24))
    assert hours[12][1].received == 3
    assert watching.by_source(watch(day=NOW.date()))[0][1].received == 3
    assert watching.by_source(watch()) == []


# --- Parked batches ----------------------------------------------------------------


@pytest.fixture
def stuck(source, hints) -> Batch:
    batch = writers.accept([ndjson(requests(2))], writers.Origin(source))
    Batch.objects.update(state="parked", attempts=3, error="ValueError: odd")
    return batch


def test_the_command_lists_what_is_parked_and_tries_it_again(stuck, hints):
    out = io.StringIO()
    call_command("try_again", stdout=out)
    assert f"{stuck.batch_id}" in out.getvalue()
    assert "ValueError: odd" in out.getvalue()
    call_command("try_again", str(stuck.batch_id), stdout=out)
    assert hints[-1] == stuck.pk
    assert writers.store_batch(stuck.pk).stored == 2
    with pytest.raises(CommandError, match="not parked"):
        call_command("try_again", str(stuck.batch_id), stdout=out)


def test_all_parked_batches_are_tried_at_once(stuck):
    call_command("try_again", "--all", stdout=io.StringIO())
    assert Batch.objects.get().state == "pending"


def test_a_batch_without_its_body_cannot_be_tried(stuck):
    Batch.objects.update(payload=None)
    with pytest.raises(NothingToDo, match="is gone"):
        parked.try_again(stuck.batch_id)
