"""A gateway with a key, its way to the doors, and a ledger that must add up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from django.test import Client

from ingest.doors.hints import bell
from ingest.drain import writers
from ingest.ledger import ledger
from ingest.models import Batch, Source
from ingest.senders.keys import issue_key
from tests.conftest import NOW
from tests.ingest.records import ndjson

URL = "/api/v1/telemetry"


@pytest.fixture(autouse=True)
def hints(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batches that a worker was woken for; no worker runs."""
    woken: list[int] = []

    monkeypatch.setattr(bell, "ring", woken.append)
    return woken


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def source(db) -> Iterator[Source]:
    """Whatever a test does to it, afterwards every line must have one fate."""
    yield Source.objects.create(name="gateway")
    assert [row for row in ledger() if not row.adds_up] == []


@pytest.fixture
def secret(source: Source) -> str:
    return issue_key(source=source, name="test", scopes=["ingest:write"])[1]


@dataclass
class Gateway:
    """Sends as the key's holder does."""

    secret: str

    def post(
        self, body: bytes, content_type: str = "application/x-ndjson", **headers: str
    ) -> Any:
        told = {"Authorization": f"Bearer {self.secret}"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Client().post(URL, body, content_type=content_type, headers=told)

    def send(self, *records: Any, **headers: str) -> Any:
        return self.post(ndjson(records), **headers)

    def get(self, batch_id: str) -> Any:
        told = {"Authorization": f"Bearer {self.secret}"}
        return Client().get(f"/api/v1/batches/{batch_id}", headers=told)


@pytest.fixture
def gateway(secret: str) -> Gateway:
    return Gateway(secret)


@pytest.fixture
def deliver(source: Source) -> Callable[..., Batch]:
    """Accepts records and stores them, as if the worker had been there at once."""

    def accept_and_store(*records: Any, by: Source = source) -> Batch:
        batch = writers.accept([ndjson(records)], writers.Origin(by))
        return writers.store_batch(batch.pk)

    return accept_and_store
