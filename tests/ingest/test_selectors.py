"""What the pages may ask of the facts."""

from datetime import timedelta

from django.utils import timezone

from ingest import selectors
from ingest.models import Account
from tests.ingest.records import a_request


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


def test_facts_changed_when_a_batch_was_last_stored(deliver, clock):
    assert selectors.facts_changed_at() is None
    deliver(a_request())
    clock.shift(timedelta(minutes=5))
    deliver(a_request(event_id="2"))
    assert selectors.facts_changed_at() == timezone.now()
