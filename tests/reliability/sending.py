"""A gateway that retries, and remembers every event a 2xx answered for."""

import gzip
import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

Event = dict[str, Any]
TELEMETRY = "/api/v1/telemetry"
SENDERS = 16
ANSWER_WITHIN = 15.0  # seconds; a web server killed while it answers never will
MODELS = ("nova-2", "nova-2-mini", "nova-1")


@dataclass
class Ledger:
    """What the senders were told: event ids by 2xx answers, and every status."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    unfit: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: str, seconds: float) -> None:
        with self.lock:
            self.answers[status] += 1
            self.seconds.append(seconds)

    def keep(self, ids: Iterable[str]) -> None:
        with self.lock:
            self.acknowledged.update(ids)

    def complain(self, what: str) -> None:
        with self.lock:
            self.unfit.append(what)


def made_events(prefix: str, count: int, day: date, dice: random.Random) -> list[Event]:
    """Events of one UTC day; their ids begin with the prefix."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    accounts = [f"acct-{dice.randrange(400)}" for _ in range(120)]
    return [
        made_event(f"{prefix}-{n}", midnight, dice.choice(accounts), dice)
        for n in range(count)
    ]


def made_event(
    event_id: str, midnight: datetime, account: str, dice: random.Random
) -> Event:
    at = midnight + timedelta(seconds=dice.randrange(86_400))
    common = {
        "event_id": event_id,
        "occurred_at": at.isoformat(),
        "account_id": account,
        "client_ip": f"203.0.113.{dice.randrange(256)}",
    }
    if dice.random() < 0.05:
        return {"type": "activity", "kind": "login", **common}
    request = {
        "type": "request",
        "model": dice.choice(MODELS),
        "input_tokens": dice.randrange(2000),
        "output_tokens": dice.randrange(2000),
        **common,
    }
    if dice.random() < 0.3:
        request["prompt"] = f"Write {dice.randrange(50)} lines about {event_id}."
    return request


@dataclass
class Parcel:
    """One request to be sent, not before `at` (seconds after the start)."""

    events: Sequence[Event]
    at: float
    promise: str | None = None


def parcels(events: list[Event], *, over: float, dice: random.Random) -> list[Parcel]:
    """The events shuffled and cut into parcels; one in five is sent twice, some
    with another cut, all within `over` seconds."""
    shuffled = dice.sample(events, len(events))
    made: list[Parcel] = []
    while shuffled:
        size = dice.choice((1, 2, 5, 10, 20, 50, 100, 200))
        part, shuffled = shuffled[:size], shuffled[size:]
        promise = f"{part[0]['event_id']}-once" if dice.random() < 0.3 else None
        made.append(Parcel(part, dice.uniform(0, over), promise))
        if dice.random() < 0.2:
            made.append(Parcel(part, dice.uniform(0, over), promise))
        if dice.random() < 0.1:
            again = dice.sample(events, min(size, len(events)))
            made.append(Parcel(again, dice.uniform(0, over)))
    return sorted(made, key=lambda parcel: parcel.at)


class Sender:
    """One connection; whatever happens, each parcel is sent until a 2xx answers."""

    def __init__(self, gateway: "Gateway", seed: int) -> None:
        self.gateway = gateway
        self.dice = random.Random(seed)
        self.line: http.client.HTTPConnection | None = None

    def deliver(self, parcel: Parcel) -> None:
        waiting = [parcel]
        while waiting:
            if time.monotonic() > self.gateway.deadline:
                raise TimeoutError("A parcel was refused until the trial's end.")
            parcel = waiting.pop(0)
            if not self.attempt(parcel):
                time.sleep(self.dice.uniform(0.1, 0.6))
                waiting += self.repacked(parcel)

    def repacked(self, parcel: Parcel) -> list[Parcel]:
        """A retry: as it was, or the same events cut in two."""
        if len(parcel.events) < 2 or self.dice.random() < 0.5:
            return [parcel]
        cut = self.dice.randrange(1, len(parcel.events))
        return [Parcel(parcel.events[:cut], 0), Parcel(parcel.events[cut:], 0)]

    def attempt(self, parcel: Parcel) -> bool:
        begun = time.monotonic()
        try:
            status, answer = self.post(parcel)
        except (OSError, http.client.HTTPException) as error:
            self.hang_up()
            self.gateway.ledger.note(type(error).__name__, time.monotonic() - begun)
            return False
        self.gateway.ledger.note(str(status), time.monotonic() - begun)
        if status == 202:
            self.check_answer(parcel, answer)
            self.gateway.ledger.keep(each["event_id"] for each in parcel.events)
            return True
        return False

    def post(self, parcel: Parcel) -> tuple[int, bytes]:
        if self.line is None:
            self.line = http.client.HTTPConnection(
                "127.0.0.1", self.gateway.port, timeout=ANSWER_WITHIN
            )
        body = "".join(json.dumps(each) + "\n" for each in parcel.events).encode()
        headers = {
            "Authorization": f"Bearer {self.gateway.key}",
            "Content-Type": "application/x-ndjson",
        }
        if parcel.promise is not None:
            # The same promise must come with the same bytes.
            headers["Idempotency-Key"] = parcel.promise + sha256(body).hexdigest()[:8]
        if self.dice.random() < 0.5:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        self.line.request("POST", TELEMETRY, body, headers)
        answer = self.line.getresponse()
        told = answer.read()
        if answer.status == 503 and not answer.headers.get("Retry-After"):
            self.gateway.ledger.complain("503 without Retry-After")
        return answer.status, told

    def check_answer(self, parcel: Parcel, answer: bytes) -> None:
        told = json.loads(answer)
        if (told["accepted"], told["rejected"]) != (len(parcel.events), 0):
            self.gateway.ledger.complain(f"202 with {answer[:300]!r}")

    def hang_up(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None


class Gateway:
    """Sixteen senders who share a pile of parcels and one ledger."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key
        self.ledger = Ledger()
        self.deadline = 0.0
        self._pile: list[Parcel] = []
        self._lock = threading.Lock()
        self._begun = 0.0
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    def start(self, pile: Sequence[Parcel], *, seed: int, patience: float) -> None:
        self._pile = sorted(pile, key=lambda parcel: parcel.at, reverse=True)
        self._begun = time.monotonic()
        self.deadline = self._begun + patience
        self._threads = [
            threading.Thread(target=self._run, args=(seed * 100 + n,), daemon=True)
            for n in range(SENDERS)
        ]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Waits until every parcel was answered; raises what a sender raised."""
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _run(self, seed: int) -> None:
        sender = Sender(self, seed)
        try:
            while (parcel := self._next()) is not None:
                time.sleep(max(0.0, self._begun + parcel.at - time.monotonic()))
                sender.deliver(parcel)
        except BaseException as error:  # noqa: BLE001 - raised again by `finish`
            self._failures.append(error)
        finally:
            sender.hang_up()

    def _next(self) -> Parcel | None:
        with self._lock:
            return self._pile.pop() if self._pile else None
