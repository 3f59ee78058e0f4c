"""The world after its history: the same people go on, at a pace that moves a page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush

from ingest.demo import honest
from ingest.demo.accounts import Account, Entry, Record, beginnings, order_of, snapshot
from ingest.demo.campaigns import HYDRA, Hydra
from ingest.demo.cast import Cast
from ingest.demo.clock import Span
from ingest.demo.dice import poisson

Platform = Callable[[], Mapping[str, str]]

# Conversations are begun this long before the first record, so that the stream starts
# in the middle of things and not in silence.
RUN_UP = 15 * 60.0
STEP = 60.0
# Sign-ups of strangers for each exchange: a demo shows new faces that are innocent too.
NEWCOMERS = 0.004


def enforce_ban(cast: Cast, hydra: Hydra, account_id: str, at: float) -> list[Account]:
    """Silences the account from then on. Returns who signs up in its place."""
    account = cast.find(account_id)
    if account is None or account.until <= at:
        return []
    account.until, account.status = at, "banned"
    if account.truth["campaign"] != HYDRA or hydra.has_replaced(account):
        return []
    return [hydra.replace(account, at)]


@dataclass(slots=True)
class LiveStream:
    cast: Cast
    hydra: Hydra
    after: float
    rate: float
    platform: Platform
    heap: list[tuple[float, int, str, int, Entry]] = field(default_factory=list)
    pushed: int = 0
    states: dict[str, str] = field(default_factory=dict)
    newcomers: int = 0
    looked: float = 0.0

    def records(self, hurry_from: float) -> Iterator[tuple[datetime, Record]]:
        self._catch_up_on_bans()
        at = self.after - RUN_UP
        while True:
            window = Span(at, at + STEP)
            self._fill(window, hurried=at + RUN_UP >= hurry_from)
            while self.heap and self.heap[0][0] < window.end:
                self._note_changes(self.heap[0][0])
                entry = heappop(self.heap)[-1]
                if not self._is_silenced(entry):
                    yield datetime.fromtimestamp(entry.at, UTC), entry.record
            at = window.end

    def _fill(self, window: Span, *, hurried: bool) -> None:
        """Everything that begins in this window, in time with the rate asked for."""
        whole, senders = self.cast.span, self.cast.senders
        natural = sum(sender.rate(window, whole) for sender in senders)
        factor = self.rate * STEP / natural if hurried and natural else 1.0
        tag = f"{self.cast.seed}/live/{self.after}"
        for sender in senders:
            for entry in sender.entries(window, whole, tag=tag, factor=factor):
                if entry.at >= self.after:
                    self._push(entry)
        if window.start >= self.after:
            self._welcome(window, natural * factor)

    def _welcome(self, window: Span, exchanges: float) -> None:
        rng = self.cast.dice("newcomers", self.after, window.start)
        for _ in range(poisson(rng, exchanges * NEWCOMERS)):
            self.newcomers += 1
            sender = honest.hobbyist(self.cast, f"{self.after}/{self.newcomers}")
            account = sender.accounts[0]
            account.created_at = rng.uniform(window.start, window.end)
            self._announce(account)

    def _announce(self, account: Account) -> None:
        dice = self.cast.dice("beginnings", account.id)
        for entry in beginnings(account, dice):
            self._push(entry)

    def _push(self, entry: Entry) -> None:
        # Numbered, since a status may change twice within one instant.
        self.pushed += 1
        heappush(self.heap, (*order_of(entry), self.pushed, entry))

    def _catch_up_on_bans(self) -> None:
        """After a restart: what was enforced before is known, and whoever signed up
        since is announced once more, under the same ids."""
        for account in self.cast.accounts:
            if account.status == "banned" and account.until > self.cast.span.end:
                self.states[account.id] = "banned"
            if account.created_at > self.cast.span.end:
                self._announce(account)

    def _note_changes(self, now: float) -> None:
        """Asks the platform once for each moment, so that its answers cannot hold the
        clock."""
        if now <= self.looked:
            return
        self.looked = now
        wanted = self.platform()
        for account_id in [*wanted, *(set(self.states) - set(wanted))]:
            state = wanted.get(account_id, "active")
            if state == self.states.get(account_id, "active"):
                continue
            self.states[account_id] = state
            self._change(account_id, state, now)

    def _change(self, account_id: str, state: str, now: float) -> None:
        account = self.cast.find(account_id)
        if account is None:
            return
        if state == "banned":
            for successor in enforce_ban(self.cast, self.hydra, account_id, now):
                self._announce(successor)
        else:
            account.until, account.status = float("inf"), state
        self._push(snapshot(account, now))

    def _is_silenced(self, entry: Entry) -> bool:
        account = self.cast.find(str(entry.record.get("account_id")))
        return entry.rank > 0 and account is not None and account.until <= entry.at
