"""Bodies that drip, lie about their length or hide another request: against the very
server that `./run` starts (promises.md 31, 32)."""

import os
import re
import runpy
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.doors import arriving
from ingest.doors.errors import TooSlow
from ingest.models import Batch
from ingest.senders.keys import issue_key
from tests.database import database_url
from tests.factories import SourceFactory
from tests.ingest.records import a_request, ndjson
from tests.waiting import listens, wait_until

ROOT = Path(__file__).resolve().parents[2]


# --- The pace --------------------------------------------------------------------


NOBODY = (None, 0)


class Slow:
    """A sender of `pieces`, each after a pause."""

    def __init__(self, *pieces: bytes, pause: float = 0.0) -> None:
        self.pieces, self.pause = list(pieces), pause

    def read(self, size: int, /) -> bytes:
        time.sleep(self.pause)
        return self.pieces.pop(0) if self.pieces else b""


@pytest.fixture(autouse=True)
def clock():
    """Time really passes here."""


@pytest.fixture
def impatient(settings):
    settings.INGEST_BODY_GRACE = 0.05
    settings.INGEST_BODY_PACE = 10


def test_a_body_is_read_as_it_comes():
    assert arriving.read(Slow(b"ab", b"", b"never"), 10, NOBODY) == b"ab"


def test_no_more_is_read_than_is_wanted():
    assert arriving.read(Slow(b"ab", b"cd", b"ef"), 4, NOBODY) == b"abcd"


def test_a_sender_without_a_pace_is_given_up(impatient):
    with pytest.raises(TooSlow, match="1 bytes"):
        arriving.read(Slow(b"a", b"b", pause=0.2), 10, NOBODY)


def test_who_keeps_the_pace_may_take_longer(impatient):
    pieces = [b"0123456789"] * 4
    assert arriving.read(Slow(*pieces, pause=0.1), 100, NOBODY) == b"".join(pieces)


def test_what_breaks_the_read_is_raised():
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise OSError("reset by peer")

    with pytest.raises(OSError, match="reset by peer"):
        arriving.read(Broken(), 10, NOBODY)


# --- The server --------------------------------------------------------------------


@dataclass
class Server:
    """The web server as `./run` starts it, and a key that it knows."""

    port: int
    secret: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def head(self, *headers: str) -> bytes:
        lines = [
            "POST /api/v1/telemetry HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.secret}",
            "Content-Type: application/x-ndjson",
            *headers,
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def answers(self, sent: bytes) -> tuple[list[int], bool]:
        """The statuses of what came back, and whether the server hung up."""
        with self.connect() as connection:
            connection.sendall(sent)
            return everything(connection)


def everything(
    connection: socket.socket, patience: float = 20
) -> tuple[list[int], bool]:
    got, hung_up = b"", False
    connection.settimeout(patience)
    try:
        while piece := connection.recv(65536):
            got += piece
        hung_up = True
    except ConnectionResetError:
        hung_up = True
    except TimeoutError:
        pass
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)], hung_up


@pytest.fixture
def server(transactional_db, tmp_path) -> Iterator[Server]:
    _, secret = issue_key(source=SourceFactory(), name="k", scopes=["ingest:write"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = runpy.run_path(str(ROOT / "run"), run_name="launcher")["web_words"](port)
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "STILLWATCH_VAR": str(tmp_path),
        "STILLWATCH_BASE_URL": f"http://127.0.0.1:{port}",
        "STILLWATCH_BODY_GRACE_SECONDS": "1",
        "STILLWATCH_TEST_DATABASE": "1",
        "BROKER_URL": "memory://",
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: listens(port), "The web server does not listen.")
        yield Server(port, secret)
    finally:
        process.terminate()
        process.wait(20)


BODY = ndjson([a_request()])


def test_a_drip_is_cut_off_and_frees_its_place(server):
    began = time.monotonic()
    with ExitStack() as open_still:
        dripping = [open_still.enter_context(server.connect()) for _ in range(6)]
        for connection in dripping:
            connection.sendall(server.head("Content-Length: 100000") + b"{")
        told = [everything(connection) for connection in dripping]
    # Four are read at a time; those that wait for their turn are cut off before it.
    assert all(hung_up for _, hung_up in told)
    assert (
        sorted(status for statuses, _ in told for status in statuses)[2:] == [408] * 4
    )
    assert time.monotonic() - began < 30
    # Each of the places is free again.
    whole = server.head(f"Content-Length: {len(BODY)}", "Connection: close") + BODY
    assert [server.answers(whole) for _ in range(6)] == [([202], True)] * 6
    assert Batch.objects.count() == 6


NEXT = b"GET /health/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_no_request_hides_inside_another(server):
    """400 and hung up; never an answer to what stood behind."""
    for headers in (
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 6",),
        ("Content-Length: +5",),
        ("Content-Length: -1",),
        ("Content-Length: 0x5",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
    ):
        told = server.answers(server.head(*headers) + b"0\r\n\r\n" + NEXT)
        assert told == ([400], True), headers
    short = server.head(f"Content-Length: {len(BODY) + 9}") + BODY
    with server.connect() as connection:
        connection.sendall(short)
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection) == ([400], True)
    assert not Batch.objects.exists()


def test_4_lines_in_chunks_that_break_off_are_not_taken_for_all_of_them(server):
    """Without this a repeat with the same Idempotency-Key would be refused for ever."""
    chunked = server.head("Transfer-Encoding: chunked", "Idempotency-Key: k")
    with server.connect() as connection:
        connection.sendall(chunked + b"%x\r\n%s\r\n" % (len(BODY), BODY))
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection) == ([411], True)
    assert not Batch.objects.exists()
    whole = server.head(
        f"Content-Length: {len(BODY)}", "Idempotency-Key: k", "Connection: close"
    )
    assert server.answers(whole + BODY) == ([202], True)
