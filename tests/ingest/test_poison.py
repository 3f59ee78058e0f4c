"""I7: a batch that takes its worker down is parked after three attempts.

A real worker process does the work here, and another one takes over whenever it dies,
as whoever looks after the worker sees to.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from ingest.drain import writers
from ingest.ledger import ledger
from ingest.mending import parked
from ingest.models import Batch, Event, Source
from tests.database import database_url
from tests.ingest.records import a_request, ndjson

ROOT = Path(__file__).resolve().parents[2]
# What the poison does to whoever stores it.
DEADLY = {
    "a crash in C": "os.kill(os.getpid(), signal.SIGSEGV)",
    "out of memory": "os.kill(os.getpid(), signal.SIGKILL)",
    "a hang": "time.sleep(3600)",
    "a hang that holds the interpreter": "re.match(r'(a+)+$', 'a' * 40 + 'b')",
    "memory": "raise MemoryError('no room for it')",
}
# The worker's door for the timetable, over and over.
WORKER = """
import django; django.setup()
import os, re, signal, time
from datetime import timedelta
from ingest import tasks
from ingest.drain import writers
from ingest.models import Batch
stored = writers._store_together
def store_or_die(pks):
    if Batch.objects.filter(pk__in=pks, source__name="poison").exists():
        {deed}
    return stored(pks)
writers._store_together = store_or_die
writers.LEASE = timedelta(seconds=1)
while True:
    tasks.sweep_batches()
    time.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def clock() -> None:
    """The worker's clock is the real one, and so is the test's."""


def worker(deed: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER.format(deed=deed)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "STILLWATCH_SECRET_KEY": settings.SECRET_KEY,
            "STILLWATCH_HASH_KEY": settings.HASH_KEY,
            "STILLWATCH_INGEST_STORING_SECONDS": "3",
        },
    )


def look_after(deed: str, done: Callable[[], bool], seconds: float = 120) -> int:
    """Keeps a worker running until it is done; says how often one died."""
    deaths, deadline = 0, time.monotonic() + seconds
    process = worker(deed)
    try:
        while not done():
            assert time.monotonic() < deadline, "the work never ended"
            if process.poll() is not None:
                deaths += 1
                process = worker(deed)
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    return deaths


def sent(source: Source, name: str) -> None:
    records = [a_request(event_id=f"{name}-{n}") for n in range(10)]
    writers.accept([ndjson(records)], writers.Origin(source))


@pytest.mark.parametrize("how", DEADLY)
@pytest.mark.django_db(transaction=True)
def test_poison_is_parked_and_all_else_is_stored(how):
    good = Source.objects.create(name="gateway")
    poison = Source.objects.create(name="poison")
    for n in range(10):
        sent(good, f"before-{n}")
    sent(poison, "poison")
    for n in range(10):
        sent(good, f"after-{n}")
    died = look_after(
        DEADLY[how], lambda: not Batch.objects.filter(state="pending").exists()
    )
    batch = Batch.objects.get(source=poison)
    assert (batch.state, batch.attempts) == ("parked", 3)
    assert "no room for it" in batch.error if how == "memory" else died >= 3
    assert batch.error
    assert Event.objects.filter(source=good).count() == 200
    assert not Event.objects.filter(source=poison).exists()
    assert all(row.adds_up for row in ledger())
    parked.try_again(batch.batch_id)
    assert writers.store_batch(batch.pk).stored == 10
    connection.close()
