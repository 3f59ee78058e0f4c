"""Accounts composed from published traces and prompts go through the API to cases."""

import itertools
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from celery import current_app
from django.core.management import call_command
from django.test import Client

from ingest.demo.feed import BATCH, Server
from ingest.demo.output import write_truth
from ingest.demo.real import RealWorld
from ingest.models import Event, Source
from ingest.senders.keys import issue_key
from investigations.models import Case
from tests.ingest.demo import shared_folder

ENDS_AT = datetime(2026, 11, 18, 12, tzinfo=UTC)


def through_django(request):
    """The sender's own bytes and headers, answered by the application."""
    headers = dict(request.headers)
    answer = Client(headers=headers).post(
        request.url.path, request.content, content_type=headers["content-type"]
    )
    return httpx.Response(answer.status_code, content=answer.content)


@pytest.fixture
def server(db, monkeypatch):
    """A gateway's way in: the real API, without a network between."""
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)
    source = Source.objects.create(name="composed")
    _, secret = issue_key(source=source, name="test", scopes=["ingest:write"])
    transport = httpx.MockTransport(through_django)
    client = httpx.Client(base_url="http://localhost", transport=transport)
    return Server(client, secret, sleep=lambda seconds: None)


@pytest.fixture
def folder(tmp_path):
    """The published data where they are at hand, else rows of nobody."""
    named = os.environ.get("STILLWATCH_SHARED_DATA")
    if named:
        return Path(named)
    return shared_folder.fill(tmp_path / "shared")


def test_composed_accounts_become_cases(server, folder, tmp_path, capsys):
    world = RealWorld(folder, seed=3, ends_at=ENDS_AT, accounts=400, exchanges=8000)
    records, sent, events = world.records(), 0, 0
    while batch := list(itertools.islice(records, BATCH)):
        report = server.send(batch, f"composed-{sent}")
        assert report["accepted"] == report["received"] == len(batch)
        sent += len(batch)
        events += sum("event_id" in record for record in batch)
    call_command("detect", "--as-of=2026-11-18T12:00:00Z")
    truth = tmp_path / "truth.ndjson"
    write_truth(world.truth(), truth)
    capsys.readouterr()
    call_command("evaluate_demo", f"--truth={truth}", "--json")
    result = json.loads(capsys.readouterr().out)
    assert Event.objects.count() == events
    assert Case.objects.exists()
    assert result["proposed_bans"]["right"] > 0
    assert result["proposed_bans"]["precision"] == 1.0
    assert result["cohorts_in_bans"] == []
