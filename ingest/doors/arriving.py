"""Reads a body while it comes in, and cuts off a sender who takes for ever.

A read cannot be interrupted, neither in WSGI nor in the server below it, and the
server has no time limit for bodies. So one thread a process looks at the reads under
way; where one falls behind the pace that any line keeps, it shuts the receiving side
of the sender's connections that bring less than that. The read ends there, and the
answer still goes out. WSGI tells the sender's address and not its port: another slow
connection from the same address ends with it.

Only for senders that connect to us themselves, on Linux. A proxy in front has to have
a time limit of its own for bodies, and most of them take the whole in first.
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings

from ingest.doors.errors import TooSlow
from ingest.records import normalise

PIECE: Final = 64 * 1024
# How often the reads are looked at, in seconds.
LOOK: Final = 1.0
_DESCRIPTORS: Final = Path("/proc/self/fd")
# Where `tcpi_bytes_received` stands in Linux's `struct tcp_info` (since 4.1).
_RECEIVED_AT: Final = 128


# The sender's address, and the port it connected to.
Ends = tuple[str | None, int]


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class _Arrival:
    """One body on its way, of which `size` bytes have been read."""

    ends: Ends
    begun: float
    size: int = 0
    is_cut: bool = False

    def is_slow(self) -> bool:
        earned = settings.INGEST_BODY_GRACE + self.size / settings.INGEST_BODY_PACE
        return time.monotonic() - self.begun > earned


def ends_of(meta: Mapping[str, object]) -> Ends:
    """Of the connection that a request came by; `meta` is the WSGI environment."""
    port = str(meta.get("SERVER_PORT", ""))
    address = normalise.address(str(meta.get("REMOTE_ADDR") or ""))
    return address, int(port) if port.isascii() and port.isdigit() else 0


def read(stream: Stream, most: int, ends: Ends) -> bytes:
    """Up to `most` bytes. Raises TooSlow, and whatever the stream raises.

    The sender has INGEST_BODY_GRACE seconds to begin with, and a second more for each
    INGEST_BODY_PACE bytes that have come.
    """
    pieces: list[bytes] = []
    with _watch.over(ends) as arrival:
        while arrival.size < most and (
            piece := stream.read(min(PIECE, most - arrival.size))
        ):
            pieces.append(piece)
            arrival.size += len(piece)
            if arrival.is_slow():
                arrival.is_cut = True
                break
    if arrival.is_cut:
        raise TooSlow(arrival.size)
    return b"".join(pieces)


class _Watch:
    """The reads under way, and the thread that looks at them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._known: dict[int, _Arrival] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, ends: Ends) -> Iterator[_Arrival]:
        arrival = _Arrival(ends, time.monotonic())
        with self._lock:
            self._known[id(arrival)] = arrival
            # Started with the first, and again in a process that was forked.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="ingest-bodies", daemon=True
                )
                self._thread.start()
        self._busy.set()
        try:
            yield arrival
        finally:
            with self._lock:
                del self._known[id(arrival)]
                if not self._known:
                    self._busy.clear()

    def _run(self) -> None:
        while self._busy.wait():
            time.sleep(LOOK)
            with self._lock:
                slow = [each for each in self._known.values() if each.is_slow()]
            if slow and not settings.PROXY_COUNT:
                self._cut(slow)

    def _cut(self, slow: list[_Arrival]) -> None:
        for arrival in slow:
            arrival.is_cut = True
        with _connections({each.ends for each in slow}) as found:
            before = [_received(each) for each in found]
            time.sleep(LOOK)
            for connection, earlier in zip(found, before, strict=True):
                if _received(connection) - earlier < settings.INGEST_BODY_PACE * LOOK:
                    _stop_receiving(connection)


_watch: Final = _Watch()


@contextmanager
def _connections(wanted: set[Ends]) -> Iterator[list[socket.socket]]:
    """This process's connections with these ends, each opened once more."""
    found: list[socket.socket] = []
    try:
        for entry in _DESCRIPTORS.iterdir() if _DESCRIPTORS.is_dir() else ():
            connection = _opened(int(entry.name))
            if connection is None:
                continue
            if _ends(connection) in wanted:
                found.append(connection)
            else:
                connection.close()
        yield found
    finally:
        for connection in found:
            connection.close()


def _opened(descriptor: int) -> socket.socket | None:
    try:
        copy = os.dup(descriptor)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None


def _ends(connection: socket.socket) -> Ends | None:
    """Which connection it is, where it is one that was made to a port of ours."""
    if connection.family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    try:
        peer, own = connection.getpeername(), connection.getsockname()
    except OSError:
        return None
    return normalise.address(str(peer[0])), int(own[1])


def _received(connection: socket.socket) -> int:
    try:
        told = connection.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_AT + 8
        )
    except OSError:
        return 0
    if len(told) < _RECEIVED_AT + 8:
        return 0
    return int(struct.unpack_from("Q", told, _RECEIVED_AT)[0])


def _stop_receiving(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        return  # it is gone already
