"""A platform of our own: a real web server that answers as a test tells it to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Reply:
    """`after` is how many seconds the receiver thinks before it answers."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)
        return message


class Receiver:
    """Keeps what arrived. `replies` are given in turn, then 200 for ever.

    `applied` is what a platform makes of it that keeps to the contract: each delivery
    key once, and nothing older than what was applied before.
    """

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.received: list[Received] = []
        self.applied: dict[str, tuple[int, str]] = {}
        self.lock = threading.Lock()
        self.url = ""

    def take(self, arrived: Received) -> Reply:
        with self.lock:
            self.received.append(arrived)
            reply = self.replies.pop(0) if self.replies else Reply()
            if reply.status < 300:
                self.apply(arrived.message)
        return reply

    def apply(self, message: dict[str, Any]) -> None:
        data = message["data"]
        newest, _ = self.applied.get(data["account_id"], (0, ""))
        if data["sequence"] > newest:
            self.applied[data["account_id"]] = (data["sequence"], data["action"])

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self.received]

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """Every message, as the reference implementation accepts it."""
        return [Webhook(secret).verify(r.body, r.headers) for r in self.received]


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            names = {name.lower(): value for name, value in self.headers.items()}
            reply = receiver.take(Received(names, body))
            time.sleep(reply.after)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *args: object) -> None:
            """The other end may hang up on us; that is what is being tested."""

    server = Server(("127.0.0.1", 0), Door)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
