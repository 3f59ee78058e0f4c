"""A file's part is stored in the call that reads it, once, and kept where it fails."""

import pytest
from django.db import OperationalError
from psycopg.errors import DeadlockDetected

from ingest.doors.errors import IngestRefused
from ingest.drain import storing, writers
from ingest.models import Batch, Event, EventKey, QuarantinedLine
from tests.ingest.records import a_request, an_account, ndjson, requests


@pytest.fixture
def import_part(source):
    origin = writers.Origin(source, way_in="file")

    def read_and_store(*records, **told):
        return writers.import_batch([ndjson(records)], origin, **told)

    return read_and_store


def test_a_part_is_stored_when_the_call_returns(import_part):
    batch = import_part(*requests(5), an_account())
    assert (batch.state, batch.stored, batch.stored_events) == ("stored", 6, 5)
    assert Batch.objects.get().payload is None
    assert Event.objects.count() == 5


def test_a_part_imported_again_adds_nothing(import_part):
    import_part(*requests(5))
    again = import_part(*requests(7))
    assert (again.stored, again.duplicates) == (2, 5)
    assert Event.objects.count() == 7


def test_bad_lines_are_kept_beside_the_good_ones(import_part):
    batch = import_part(a_request(), "no json", a_request(event_id="2", turn=0))
    assert (batch.stored, batch.refused) == (1, 2)
    assert list(QuarantinedLine.objects.values_list("line", flat=True)) == [2, 3]


def test_what_is_no_telemetry_at_all_is_refused(import_part):
    with pytest.raises(IngestRefused):
        import_part("no json")
    assert not Batch.objects.exists()
    assert import_part("no json", keep_noise=True).refused == 1


def test_the_same_idempotency_key_gives_the_first_batch_again(source):
    origin = writers.Origin(source, way_in="file", idempotency_key="part 1")
    body = ndjson(requests(3))
    first = writers.import_batch([body], origin)
    assert writers.import_batch([body], origin) == first
    assert Batch.objects.get().duplicates == 0


def test_a_part_that_cannot_be_stored_waits_as_a_batch(import_part, monkeypatch):
    def die(*args):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(storing, "_note_stored", die)
    batch = import_part(*requests(5))
    assert (batch.state, batch.error) == ("pending", "RuntimeError: out of memory")
    assert batch.payload
    assert (Event.objects.count(), EventKey.objects.count()) == (0, 0)


def deadlocked(*args, **told):
    raise OperationalError("deadlock detected") from DeadlockDetected()


def test_a_part_that_lost_a_deadlock_is_stored_all_the_same(import_part, monkeypatch):
    """Two processes that import files make the same accounts in another order."""
    really, tries = storing.store, iter([deadlocked, deadlocked])
    monkeypatch.setattr(storing, "store", lambda *args: next(tries, really)(*args))
    batch = import_part(*requests(5))

    assert (batch.state, batch.stored) == ("stored", 5)
    assert Event.objects.count() == 5


def test_a_database_that_deadlocks_for_ever_is_no_endless_loop(
    import_part, monkeypatch
):
    monkeypatch.setattr(storing, "store", deadlocked)
    with pytest.raises(OperationalError):
        import_part(*requests(5))

    assert not Batch.objects.exists()
