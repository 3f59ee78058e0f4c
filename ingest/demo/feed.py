"""Feeds a demo world to a Stillwatch over HTTP, as a provider's gateway would.

Progress goes out as JSON lines, one event each, so that a launcher can show it:
`{"progress": 0…1, "text": …}`, then `{"ready": "/cases/C-1/"}`, then live silence.
What was fed is remembered in a file, so that a second start goes on where the first one
stopped; record ids are the same, so a batch sent twice counts once.
"""

import gzip
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from ingest.demo.accounts import Record
from ingest.demo.output import line, merge_truth
from ingest.demo.world import World

BATCH = 2000
TRIES = 10
LONGEST_WAIT = 30.0
# A stop of a night is not replayed: the world only catches up on its last hour.
GAP = timedelta(hours=1)
LOOK_EVERY = 3  # posts between two looks at the platform


class FeedRefused(Exception):
    """The server will not take the feed. The text says what to change."""


@dataclass(slots=True)
class Position:
    """What was fed so far; `lines` counts records of the history."""

    seed: int
    accounts: int
    events: int
    ends_at: str
    lines: int = 0
    finished: bool = False
    live_until: str | None = None
    bans: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Position | None":
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise FeedRefused(
                f"{path} is not readable ({error}). Delete it to feed a new world."
            ) from None

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)


@dataclass(slots=True)
class Server:
    """The few addresses of a Stillwatch that a feeder talks to."""

    client: httpx.Client
    key: str
    sleep: Callable[[float], None] = time.sleep

    def send(
        self, records: Iterable[Record], idempotency_key: str
    ) -> dict[str, object]:
        """One batch, tried again while the server is busy or away.

        Raises FeedRefused when it says no, or after `TRIES` tries.
        """
        text = b"".join(map(line, records))
        # No time stamp in the header: the same records are the same body.
        body = gzip.compress(text, compresslevel=3, mtime=0)
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": idempotency_key,
        }
        for attempt in range(TRIES):
            wait = min(LONGEST_WAIT, 0.5 * 2**attempt)
            try:
                answer = self.client.post(
                    "/api/v1/telemetry", content=body, headers=headers
                )
            except httpx.TransportError:
                self.sleep(wait)
                continue
            if answer.status_code == 202:
                report: dict[str, object] = answer.json()
                return report
            if answer.status_code != 429 and answer.status_code < 500:
                raise FeedRefused(_why(answer))
            self.sleep(_asked_to_wait(answer, wait))
        raise FeedRefused(
            f"{self.client.base_url} did not take a batch in {TRIES} tries. "
            "Check that the server is up, then start the feed again."
        )

    def status(self) -> dict[str, object]:
        """Cases so far; empty while the server is busy."""
        return self._look("/demo/status") or {}

    def platform(self) -> dict[str, str] | None:
        """What the pretend platform did to accounts: id → "banned" or "restricted".
        None while the server is busy."""
        listed = self._look("/demo/platform/accounts.json")
        if listed is None:
            return None
        states: dict[str, str] = {}
        for state in ("restricted", "banned"):
            ids = listed.get(state)
            if isinstance(ids, list):
                states.update((str(account_id), state) for account_id in ids)
        return states

    def _look(self, path: str) -> dict[str, object] | None:
        try:
            answer = self.client.get(path)
        except httpx.TransportError:
            return None
        if answer.status_code == 404:
            raise FeedRefused(
                f"{path} is not there. Start the server with STILLWATCH_DEMO=1."
            )
        if answer.status_code != 200:
            return None
        found = answer.json()
        return found if isinstance(found, dict) else None


def _asked_to_wait(answer: httpx.Response, otherwise: float) -> float:
    """Retry-After in seconds, as far as a demo should wait."""
    try:
        return min(LONGEST_WAIT, max(0.0, float(answer.headers["Retry-After"])))
    except (KeyError, ValueError):
        return otherwise


def _why(answer: httpx.Response) -> str:
    hints = {
        401: "Check the ingest key in --key-file.",
        403: "Give this ingest key the right to send telemetry.",
        404: "Check --url.",
        413: "Raise the server's limit of a batch.",
    }
    hint = hints.get(answer.status_code, answer.text[:300])
    return f"{answer.request.url} answered {answer.status_code}. {hint}"


@dataclass(slots=True)
class Feeder:
    """Feeds one world. `say` gets each progress event as a dictionary."""

    server: Server
    position: Position
    state_file: Path
    truth_file: Path
    say: Callable[[dict[str, object]], None]
    rate: float = 2.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    found: bool = False

    def run(self) -> None:
        """Never returns by itself: history, the first case, then live until killed."""
        world = self.begin()
        if not self.position.finished:
            self.feed_history(world)
        self.await_case()
        for _ in self.feed_live(world):
            pass

    def begin(self) -> World:
        """The world as the position describes it; its truth goes to the file apart."""
        position = self.position
        world = World(
            seed=position.seed,
            ends_at=datetime.fromisoformat(position.ends_at),
            accounts=position.accounts,
            exchanges=position.events,
        )
        world.resume(position.bans)
        merge_truth(world.truth(), self.truth_file)
        return world

    def feed_history(self, world: World) -> None:
        """The rest of the history, in batches; the position moves after each answer."""
        # About one record in twenty is no exchange.
        expected = self.position.events * 1.06
        fed = self.position.lines
        history = itertools.islice(world.records(), fed, None)
        while batch := list(itertools.islice(history, BATCH)):
            # Batches are cut at the same places after a restart: same key, same body.
            key = f"demo-{self.position.seed}-{self.position.ends_at}-{fed}"
            report = self.server.send(batch, key)
            self._warn_about(report)
            fed += len(batch)
            self.position.lines = fed
            self.position.write(self.state_file)
            text = f"Feeding the demo world: {fed:,} records"
            self._progress(min(0.9, 0.9 * fed / expected), text)
        self.position.finished = True
        self.position.write(self.state_file)

    def await_case(self, patience: float = 900.0) -> None:
        """Waits for detection to open the first case; says where it is."""
        waited = 0.0
        while waited < patience:
            pending = self._look_for_case()
            if self.found:
                return
            text = "Looking for clusters"
            if pending:
                text = f"Working through the records: {pending} batches to go"
            self._progress(min(0.99, 0.9 + waited / 1000), text)
            self.sleep(1.0)
            waited += 1.0
        self.say({"progress": 0.99, "text": "No case yet. Going on live."})

    def _look_for_case(self) -> object:
        """Says so, once, when there is a case; returns how much work is pending."""
        status = self.server.status()
        if status.get("first_case") and not self.found:
            self.found = True
            self.say({"ready": status["first_case"]})
        return status.get("batches_pending")

    def feed_live(self, world: World) -> Iterator[int]:
        """The world as it happens, a post every second. Yields how many were sent."""
        begun = self.now()
        last = self.position.live_until or self.position.ends_at
        after = max(datetime.fromisoformat(last), begun - GAP)
        # Until the first look, the platform stands where the last run left it.
        states: dict[str, str] = dict.fromkeys(self.position.bans, "banned")
        stream = world.live(
            after, rate=self.rate, hurry_from=begun, platform=lambda: states
        )
        upcoming = next(stream)
        for number in itertools.count():
            known = self.server.platform() if number % LOOK_EVERY == 0 else None
            if not self.found:
                self._look_for_case()
            # No answer is not an empty one: nobody is let go because a poll failed.
            states = states if known is None else known
            now = self.now()
            due: list[Record] = []
            while upcoming[0] <= now and len(due) < BATCH:
                due.append(upcoming[1])
                upcoming = next(stream)
            if due:
                self._send_live(world, due, min(now, upcoming[0]))
            yield len(due)
            self.sleep(1.0)

    def _send_live(self, world: World, due: list[Record], until: datetime) -> None:
        moment = until.isoformat()
        self._warn_about(self.server.send(due, f"demo-live-{moment}-{len(due)}"))
        self.position.live_until = moment
        self.position.bans = world.bans()
        self.position.write(self.state_file)
        if any(record["type"] == "account" for record in due):
            merge_truth(world.truth(), self.truth_file)

    def _progress(self, share: float, text: str) -> None:
        self.say({"progress": round(share, 3), "text": text})

    def _warn_about(self, report: dict[str, object]) -> None:
        if report.get("rejected"):
            errors = json.dumps(report.get("errors"))[:300]
            self.say({"text": f"{report['rejected']} records refused: {errors}"})
