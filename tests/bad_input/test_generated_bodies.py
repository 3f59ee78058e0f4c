"""Promise I9: ten thousand made-up requests to each door that takes telemetry.

No answer of 500 or more, none that takes over a second, no memory that grows, every
refusal with a code, and whatever was taken can be stored. The seed is in the message.
"""

import gc
import io
import json
import random
import re
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from google.rpc import status_pb2  # type: ignore[import-untyped]

from ingest.drain import writers
from ingest.ledger import ledger
from ingest.models import Batch
from ingest.senders import keys
from tests.bad_input.made_up import MAKE, PROTOBUF, MadeUp

REQUESTS = 10_000
WARM_UP = 500
GROWTH_KIB = 64 * 1024
SLOW = 1.0
ANSWERS = {200, 202}


@pytest.fixture
def one_connection(transactional_db):
    """A server closes its connection after a request; here it lasts.

    Requests commit, as they do in life: rows that count them are changed ten thousand
    times, and within one transaction each change would make the next one slower.
    """
    moments = (request_started, request_finished)
    for moment in moments:
        moment.disconnect(close_old_connections)
    yield
    for moment in moments:
        moment.connect(close_old_connections)


@pytest.fixture
def known_keys(monkeypatch):
    """Each token is looked up once: a body changes nothing about its key, and the
    question would be a third of all there is to do."""
    monkeypatch.setattr(keys, "_find", cache(keys._find))


@pytest.fixture
def token(one_connection, known_keys, source) -> str:
    return keys.issue_key(source=source, name="k", scopes=["ingest:write"])[1]


class Door:
    """The application, asked without a server in between."""

    def __init__(self, path: str, token: str) -> None:
        self.application, self.path, self.token = get_wsgi_application(), path, token

    def ask(self, made: MadeUp) -> tuple[int, str, bytes]:
        """(status, content type, body)."""
        told: list[tuple[int, str]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            told.append((int(status[:3]), dict(headers).get("Content-Type", "")))

        answer: Any = self.application(self.environ(made), start)  # type: ignore[arg-type]
        body = b"".join(answer)
        answer.close()
        return *told[0], body

    def environ(self, made: MadeUp) -> dict[str, object]:
        path, body, method = self.path, made.body, "POST"
        if not made.content_type:  # a batch is asked for by its address
            path, body, method = f"{path}{quote(body)}", b"", "GET"
        return {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {self.token}",
            "CONTENT_TYPE": made.content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            **made.environ,
        }


def resident_kib() -> int:
    gc.collect()
    text = Path("/proc/self/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) if found else 0


def seconds_for(door: Door, made: MadeUp) -> float:
    begun = time.monotonic()
    door.ask(made)
    return time.monotonic() - begun


def fault_of(made: MadeUp, status: int, content_type: str, body: bytes) -> str:
    """What is wrong with an answer, or nothing."""
    if status >= 500:
        return f"a {status}"
    if status in ANSWERS or status == 204 or made.environ.get("REQUEST_METHOD"):
        return ""
    if content_type == PROTOBUF:
        return "" if status_pb2.Status.FromString(body).code else "no code"
    return "" if body and json.loads(body).get("code") else "no code"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", MAKE)
def test_whatever_is_sent_gets_an_answer_with_a_code(path, token, settings):
    settings.INGEST_ROWS_PER_MINUTE = 0
    seed = random.randrange(2**32)
    dice, door, seen = random.Random(seed), Door(path, token), Counter[int]()
    before = 0
    for number in range(REQUESTS):
        if number == WARM_UP:
            before = resident_kib()
        made = MAKE[path](dice)
        begun = time.monotonic()
        status, content_type, body = door.ask(made)
        if time.monotonic() - begun > SLOW:  # a busy machine, or a hang?
            quickest = min(seconds_for(door, made) for _ in range(3))
            assert quickest < SLOW, (quickest, seed, number, made)
        fault = fault_of(made, status, content_type, body)
        assert not fault, (fault, seed, number, made, body[:500])
        seen[status] += 1
    grown = resident_kib() - before
    assert grown <= GROWTH_KIB, (grown, seed)
    assert len(seen) > 1, seen  # the doors open and close
    check_what_was_taken()


def check_what_was_taken() -> None:
    while writers.store_pending():
        pass
    assert not Batch.objects.exclude(state="stored").exists()
    assert all(row.adds_up for row in ledger())
