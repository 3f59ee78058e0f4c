"""A noisy key does not make the others wait (promises.md I11)."""

import pytest

from ingest.drain import writers
from ingest.models import Batch, IngestKey, Source
from ingest.senders import keys
from tests.ingest.records import a_request, ndjson


@pytest.fixture
def send(source: Source):
    """Sends one record with the key of this name; nobody stores it yet."""

    def accept(name: str, event_id: str, **told: object) -> Batch:
        key = source.keys.filter(name=name).first()
        if key is None and name:
            key, _ = keys.issue_key(source=source, name=name, scopes=["ingest:write"])
        body = ndjson([a_request(event_id=event_id, **told)])
        return writers.accept([body], writers.Origin(source, key))

    return accept


def stored() -> list[str]:
    """Who sent what is stored, in the order it came."""
    done = Batch.objects.filter(state="stored").order_by("pk")
    return [batch.key.name if batch.key else "" for batch in done]


def test_each_key_has_its_turn_however_many_batches_another_sent(send):
    for n in range(20):
        send("noisy", f"noisy-{n}")
    send("quiet", "quiet")
    send("", "file")
    writers.store_pending(3)
    assert stored() == ["noisy", "quiet", ""]


def test_where_memory_is_short_the_quiet_key_is_not_the_one_to_wait(send, monkeypatch):
    for n in range(5):
        send("noisy", f"noisy-{n}", user_agent="x" * 1000)
    send("quiet", "quiet")
    size = Batch.objects.earliest("pk").byte_count
    monkeypatch.setattr(writers, "MERGED_BYTES", size * 2)
    writers.store_pending(2)
    assert "quiet" in stored()


def test_one_keys_batches_are_stored_in_the_order_they_came(send):
    first = send("one", "1")
    second = send("one", "2")
    writers.store_pending(1)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("stored", "pending")


def test_everything_is_stored_in_the_end(send):
    for n in range(7):
        send(f"key-{n % 3}", f"{n}")
    assert writers.store_pending() == 7
    assert IngestKey.objects.count() == 3
