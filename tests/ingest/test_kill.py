"""A worker killed in the middle of storing: nothing lost, nothing doubled."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from ingest.drain import writers
from ingest.ledger import ledger
from ingest.models import Batch, Event, Source
from tests.database import database_url
from tests.ingest.records import ndjson, requests
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]

# Copies the events, says so, and never comes to the commit.
VICTIM = """
import django; django.setup()
import time
from ingest.drain import copying, writers
copied = copying.copy
def copy_and_stop(statement, blocks):
    copied(statement, blocks)
    if statement.startswith("COPY ingest_event ("):
        print("copied", flush=True)
        time.sleep(60)
copying.copy = copy_and_stop
writers.store_pending()
"""


def open_transactions() -> int:
    """Of others than this connection, in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        count: int = cursor.fetchone()[0]
        return count


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_before_its_commit_leaves_the_batch_to_the_next(clock):
    origin = writers.Origin(Source.objects.create(name="gateway"))
    batch = writers.accept([ndjson(requests(100))], origin)
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "STILLWATCH_SECRET_KEY": settings.SECRET_KEY,
            "STILLWATCH_HASH_KEY": settings.HASH_KEY,
        },
    )
    with victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"copied\n"
        victim.send_signal(signal.SIGKILL)
    # PostgreSQL holds what the dead one had locked until it looks at the connection.
    wait_until(lambda: not open_transactions())
    assert Event.objects.count() == 0
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == ("pending", 1)
    assert batch.claimed_at is not None
    clock.move_to(batch.claimed_at + writers.LEASE + timedelta(seconds=1))
    assert writers.store_pending() == 1
    assert Event.objects.count() == 100
    assert not Batch.objects.exclude(state="stored").exists()
    assert all(row.adds_up for row in ledger())
