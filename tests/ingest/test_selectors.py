"""What the pages may ask of the facts."""

from datetime import timedelta

from django.utils import timezone

from ingest import selectors, writers
from ingest.models import Account, Batch
from tests.ingest.records import a_request, ndjson, requests


def test_recent_events_come_newest_first(deliver):
    deliver(
        *(
            a_request(event_id=f"{hour}", occurred_at=f"2026-11-18T0{hour}:00:00Z")
            for hour in (3, 1, 2)
        ),
        a_request(event_id="other", account_id="acct-2"),
    )
    events = selectors.recent_events(Account.objects.get(external_id="acct-1"), 2)
    assert [event.event_id for event in events] == ["3", "2"]


def test_lag_is_nothing_when_nothing_waits(db):
    lag = selectors.ingest_lag()
    assert (lag.pending_batches, lag.oldest_batch_age, lag.stale_days) == (0, 0, 0)


def test_lag_tells_how_long_the_oldest_batch_has_waited(source, clock):
    writers.accept([ndjson(requests(50))], writers.Origin(source))
    clock.shift(timedelta(seconds=90))
    lag = selectors.ingest_lag()
    assert (lag.pending_batches, lag.oldest_batch_age) == (1, 90)
    assert lag.events_per_minute == 10


def test_parked_batches_are_counted_apart(source):
    writers.accept([ndjson(requests(1))], writers.Origin(source))
    Batch.objects.update(state="parked")
    lag = selectors.ingest_lag()
    assert (lag.pending_batches, lag.parked_batches) == (0, 1)


def test_rejects_are_counted_by_code_and_source(deliver):
    deliver(*requests(2), a_request(input_tokens=-1), a_request(turn=0), "bad")
    since = timezone.now() - timedelta(hours=1)
    assert selectors.rejects_by_code(since) == [
        ("number_range", "gateway", 2),
        ("bad_json", "gateway", 1),
    ]


def test_facts_changed_when_a_batch_was_last_stored(deliver, clock):
    assert selectors.facts_changed_at() is None
    deliver(a_request())
    clock.shift(timedelta(minutes=5))
    deliver(a_request(event_id="2"))
    assert selectors.facts_changed_at() == timezone.now()
