"""A PostgreSQL that misbehaves on the wire: it refuses, is silent, or breaks off."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import connections

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
Serve = Callable[[socket.socket], None]


def error(sqlstate: str, *, fatal: bool) -> bytes:
    """An ErrorResponse, as section 53.7 of PostgreSQL's manual has it."""
    severity = b"FATAL" if fatal else b"ERROR"
    fields = b"S%s\0V%s\0C%s\0Mfrom the wire\0\0"
    body = fields % (severity, severity, sqlstate.encode())
    return b"E" + struct.pack("!I", len(body) + 4) + body


READY_IN_FAILED_TRANSACTION = b"Z\0\0\0\5E"


def refusing(sqlstate: str) -> Serve:
    """Nobody gets in: too many connections, no disk, still starting."""

    def serve(client: socket.socket) -> None:
        while _is_request_for_encryption(client.recv(4096)):
            client.sendall(b"N")
        client.sendall(error(sqlstate, fatal=True))

    return serve


def _is_request_for_encryption(packet: bytes) -> bool:
    return len(packet) == 8 and struct.unpack("!II", packet)[1] in {
        SSL_REQUEST,
        GSS_REQUEST,
    }


def silent(client: socket.socket) -> None:
    """Connects and never says a word."""
    with suppress(OSError):
        while client.recv(4096):
            pass


def answering(statement: bytes, answer: bytes) -> Serve:
    """The real one, but that it gives this answer to one statement, or hangs up."""

    def serve(client: socket.socket) -> None:
        with _real() as server:
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            while sent := client.recv(1 << 20):
                if statement not in sent:
                    server.sendall(sent)
                elif answer:
                    client.sendall(answer)
                else:
                    return

    return serve


def breaking_after(statement: bytes) -> Serve:
    """The real one, which carries a statement out and hangs up without an answer."""

    def serve(client: socket.socket) -> None:
        with _real() as server:
            quiet = threading.Event()
            threading.Thread(
                target=_copy, args=(server, client, quiet), daemon=True
            ).start()
            while sent := client.recv(1 << 20):
                if statement in sent:
                    quiet.set()
                server.sendall(sent)
                if quiet.is_set():
                    quiet.wait(0.3)
                    threading.Event().wait(0.3)
                    return

    return serve


def _copy(
    source: socket.socket, target: socket.socket, quiet: threading.Event | None = None
) -> None:
    with suppress(OSError):
        while got := source.recv(1 << 20):
            if quiet is None or not quiet.is_set():
                target.sendall(got)


REAL: dict[str, str] = {}


@contextmanager
def _real() -> Iterator[socket.socket]:
    host, port = str(REAL["HOST"]), int(REAL["PORT"] or 5432)
    if host.startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
    else:
        server = socket.create_connection((host, port))
    with server:
        try:
            yield server
        finally:
            # Else it would stay open for as long as the other thread reads from it.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


@contextmanager
def postgres(monkeypatch: pytest.MonkeyPatch, serve: Serve | None) -> Iterator[None]:
    """New connections of this process go to one that serves so; None: to nobody."""
    settings = connections.settings["default"]
    REAL.update({name: settings[name] for name in ("HOST", "PORT")})
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    if serve is None:
        listener.close()
    else:
        threading.Thread(target=_accept, args=(listener, serve), daemon=True).start()
    with monkeypatch.context() as patch:
        patch.setitem(settings, "HOST", "127.0.0.1")
        patch.setitem(settings, "PORT", str(port))
        try:
            yield
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _accept(listener: socket.socket, serve: Serve) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, serve), daemon=True).start()


def _serve(client: socket.socket, serve: Serve) -> None:
    with client, suppress(OSError):
        serve(client)
