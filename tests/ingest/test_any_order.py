"""The same events end in the same rows: in any order, any portions, at any pace.

Promise I8, and I12 as far as rows go.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from ingest.models import Account, Batch, Event, EventKey
from ingest.rolling import days, rollups, sightings
from tests.ingest.orders import LEAP_DAY, everything, forget_everything, skewed_traffic
from tests.ingest.records import Record, a_request

ORDERS = 50
FIRST = "2028-01-10T00:00:00Z"
Deliver = Callable[..., Batch]


@pytest.fixture(autouse=True)
def full_soon(monkeypatch, clock):
    """Little is kept of each kind, so that much has to go."""
    for module in (days, sightings):
        monkeypatch.setattr(module, "VALUES_KEPT", 5)
        monkeypatch.setattr(module, "SKELETONS_SHOWN", 3)
    monkeypatch.setattr(days, "HASHES_KEPT", 6)
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", 30)
    clock.move_to(LEAP_DAY)


def anything(rng: random.Random) -> None:
    """A worker comes by, or is killed on the way; somebody marks a day to be sure."""
    some = Account.objects.order_by("?").first()
    if some is not None and rng.random() < 0.3:
        rollups.mark([(some.pk, LEAP_DAY.date())])
    step: Callable[[], Any] = rng.choice(
        [
            rollups.refresh_stale,
            rollups.keep_up,
            rollups._add_sums,
            rollups._add_details,
            rollups.settle,
            lambda: rollups._make_again(2),
            lambda: None,
        ]
    )
    step()


def deliver_all(deliver: Deliver, records: list[Record], rng: random.Random) -> None:
    """In a random order and random portions, with anything in between."""
    records = rng.sample(records, len(records))
    while records:
        size = rng.randrange(1, 120)
        deliver(*records[:size])
        records = records[size:]
        anything(rng)


def test_fifty_random_orders_make_identical_rows(deliver):
    records = skewed_traffic(random.Random(0), 250)
    results = set()
    for seed in range(ORDERS):
        forget_everything()
        deliver_all(deliver, records, random.Random(seed))
        rollups.refresh_stale()
        results.add(everything())
    assert len(results) == 1


@pytest.mark.parametrize("seed", range(5))
def test_what_was_taken_back_was_never_there(deliver, seed):
    rng = random.Random(seed)
    traffic = skewed_traffic(rng, 200)
    good, bad = traffic[80:], traffic[:80]
    # When an account was first seen is not the rollups' to take back.
    good += [
        a_request(event_id=f"first-{n}", account_id=f"acct-{n}", occurred_at=FIRST)
        for n in range(3)
    ]
    deliver_all(deliver, good, rng)
    rollups.refresh_stale()
    never = everything()
    taken = [deliver(*bad[at : at + 20]).pk for at in range(0, 80, 20)]
    anything(rng)
    rollups.mark_batches(taken)
    for model in (Event, EventKey):
        model._default_manager.filter(batch_id__in=taken).delete()
    anything(rng)
    Batch.objects.filter(pk__in=taken).delete()
    rollups.refresh_stale()
    assert everything() == never


def test_all_days_made_again_are_what_they_were(deliver):
    deliver_all(deliver, skewed_traffic(random.Random(3), 250), random.Random(3))
    rollups.refresh_stale()
    before = everything()
    rollups.mark_batches(Batch.objects.values_list("pk", flat=True))
    rollups.refresh_stale()
    assert everything() == before
