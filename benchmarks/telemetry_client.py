"""Senders that cost little: requests made beforehand, a socket for each thread."""

import gzip
import json
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from benchmarks import events
from ingest import fingerprints

TEXTS: Final = ("none", "fingerprints", "prompts")
PROMPT_BYTES: Final = 300
POOL: Final = 2_000
WORDS: Final = (
    *("write", "explain", "compare", "translate", "list", "story", "table", "city"),
    *("river", "function", "python", "rate", "limit", "history", "causes", "short"),
    *("formal", "step", "answer", "the", "a", "of", "for", "to", "in", "with"),
)


@dataclass(frozen=True, slots=True)
class Post:
    """A whole request as bytes, and how many events are in it."""

    request: bytes
    events: int


@dataclass(frozen=True, slots=True)
class Answer:
    """When it came (monotonic), how long it took, and what it said."""

    at: float
    seconds: float
    status: int
    events: int
    batch_id: str
    retry_after: str


def made_posts(
    count: int, key: str, *, batch: int, texts: str, seed: int, hash_key: bytes = b""
) -> Iterator[Post]:
    """Requests of `batch` events each, gzip, that hold `count` events in all."""
    added = text_column(texts, seed, hash_key)
    for start in range(0, count, events.PIECE):
        rows = min(events.PIECE, count - start)
        frame = events.piece(
            rows, seed=seed * 1_000_003 + start, at=start / count, days=1
        )
        frame = frame.drop("prompt_fingerprint")
        if added is not None:
            dice = random.Random(seed + start)
            chosen = pl.Series(added.name, dice.choices(added.to_list(), k=rows))
            frame = frame.with_columns(chosen)
        for piece in frame.iter_slices(batch):
            yield post(piece.write_ndjson().encode(), len(piece), key)


def text_column(texts: str, seed: int, key: bytes) -> pl.Series | None:
    """A pool of prompts of 300 bytes, or of what a gateway makes of them."""
    if texts == "none":
        return None
    dice = random.Random(seed)
    prompts = [made_prompt(dice) for _ in range(POOL)]
    if texts == "prompts":
        return pl.Series("prompt", prompts)
    made = fingerprints.fingerprint_many(prompts, key)
    return pl.Series("prompt_fingerprint", [str(each) for each in made])


def made_prompt(dice: random.Random) -> str:
    text = ""
    while len(text) < PROMPT_BYTES:
        text += f"{dice.choice(WORDS)} " if dice.random() < 0.9 else f"{dice.random()} "
    return text[:PROMPT_BYTES]


def post(body: bytes, count: int, key: str) -> Post:
    packed = gzip.compress(body, 6)
    head = (
        "POST /api/v1/telemetry HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/x-ndjson\r\n"
        f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    )
    return Post(head.encode() + packed, count)


@dataclass
class Load:
    """Posts that threads send in turn, `rate` events a second in all (0: at once).

    An answer that is no 2xx is noted and, with `insist`, the post is sent again.
    """

    port: int
    posts: deque[Post]
    rate: float
    senders: int
    until: float
    insist: bool = True
    answers: list[Answer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _due: float = 0.0
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> "Load":
        self._due = time.monotonic()
        self._threads = [
            threading.Thread(target=self._send, daemon=True)
            for _ in range(self.senders)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def join(self) -> list[Answer]:
        for thread in self._threads:
            thread.join()
        return self.answers

    def _next(self) -> Post | None:
        """The next post, at its time; None when time or posts are over."""
        with self._lock:
            if not self.posts or time.monotonic() >= self.until:
                return None
            post, due = self.posts.popleft(), self._due
            if self.rate:
                self._due += post.events / self.rate
        time.sleep(max(0.0, due - time.monotonic()))
        return post

    def _send(self) -> None:
        line = Line(self.port)
        while (post := self._next()) is not None:
            answer = line.ask(post)
            self.answers.append(answer)
            while answer.status != 202 and self.insist:
                time.sleep(float(answer.retry_after or 0.5))
                answer = line.ask(post)
                self.answers.append(answer)
        line.close()


class Line:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None

    def ask(self, post: Post) -> Answer:
        begun = time.monotonic()
        try:
            head, body = self._exchange(post.request)
        except OSError:
            self.close()
            now = time.monotonic()
            return Answer(now, now - begun, 0, post.events, "", "")
        now = time.monotonic()
        status = int(head.split(b" ", 2)[1])
        batch_id = json.loads(body)["batch_id"] if status == 202 else ""
        wait = header(head, b"retry-after")
        return Answer(now, now - begun, status, post.events, batch_id, wait)

    def _exchange(self, request: bytes) -> tuple[bytes, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), 60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._some()
        head, _, body = got.partition(b"\r\n\r\n")
        while len(body) < int(header(head, b"content-length") or 0):
            body += self._some()
        return head, body

    def _some(self) -> bytes:
        assert self._socket is not None
        piece = self._socket.recv(65_536)
        if not piece:
            raise ConnectionResetError
        return piece

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def header(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n")[1:]:
        told, _, value = line.partition(b":")
        if told.strip().lower() == name:
            return value.strip().decode()
    return ""


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
