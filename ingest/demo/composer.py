"""Puts real prompts on real arrival times under invented accounts."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.demo.accounts import Account, Entry
from ingest.demo.cast import NEWEST, USUAL, Cast
from ingest.demo.clients import CHAT_SYSTEM
from ingest.demo.clock import DAY
from ingest.demo.corpora import Ask, SharedData, Turn, moments
from ingest.demo.dice import Dice, around
from ingest.demo.traffic import envelope


@dataclass(slots=True)
class Program:
    """How a program talks: fixed frame, and who of its accounts takes the next call."""

    key: str
    accounts: list[Account]
    asks: Iterator[Ask]
    expected: float
    system: str | None = None
    adopts_at: float = float("inf")
    balances: bool = False
    again: float = 0.0


@dataclass(slots=True)
class Dialogue:
    """A conversation as it grows: what was asked, and hashes of what was answered."""

    id: str
    model: str
    system: str | None = None
    tokens: int = 0
    answers: list[str] = field(default_factory=list)


class Composer:
    """Collects the records of a composed world in `entries`."""

    def __init__(self, data: SharedData, cast: Cast) -> None:
        self.cast = cast
        self.entries: list[Entry] = []
        self.conversations = data.conversations()
        self.clients = data.clients()
        self.lengths = data.lengths("conv")

    def run(self, program: Program) -> None:
        """A program's calls, at the times of one real client's day, day after day."""
        span = self.cast.span
        rng = self.cast.dice("run", program.key)
        client = self.clients[int(rng.random() * len(self.clients))]
        days = round((span.end - span.start) / DAY)
        earlier: list[Ask] = []
        for day in range(days):
            expected = program.expected / days * around(rng, 1, 0.15)
            for second in moments(rng, client, expected):
                at = span.start + day * DAY + second
                account = _taker(rng, program, at)
                ask = _next_ask(rng, program, earlier) if account else None
                if account and ask:
                    moved = at > program.adopts_at and rng.random() < 0.6
                    talk = _dialogue(rng, NEWEST if moved else USUAL, program.system)
                    self.exchange(rng, at, account, talk, ask)

    def converse(
        self, rng: Dice, at: float, account: Account, asks: list[Ask], adopts: float
    ) -> None:
        """A person's conversation, with the gaps of a real one."""
        talk = _dialogue(rng, NEWEST if at > adopts else USUAL)
        trace = self._conversation_of(rng, len(asks))
        for n, ask in enumerate(asks):
            if n:
                at += max(4.0, trace[min(n, len(trace) - 1)].gap)
            if at >= self.cast.span.end or not account.is_active(at):
                return
            self.exchange(rng, at, account, talk, ask)

    def _conversation_of(self, rng: Dice, turns: int) -> list[Turn]:
        for _ in range(40):
            found = self.conversations[int(rng.random() * len(self.conversations))]
            if len(found) >= min(turns, 4):
                return found
        return max(self.conversations[:500], key=len)

    def exchange(
        self, rng: Dice, at: float, account: Account, talk: Dialogue, ask: Ask
    ) -> None:
        """One ask after what the dialogue holds already. Text and tokens agree."""
        record = envelope(rng, at, account, account.stack, talk.id)
        output = tokens(ask.answer) or rng.choice(self.lengths)[1]
        record.update(
            model=talk.model,
            turn=len(talk.answers) + 1,
            prompt=ask.text,
            input_tokens=talk.tokens + tokens(ask.text) + tokens(talk.system) + 4,
            output_tokens=output,
            finish_reason="stop",
            latency_ms=int(300 + output * 14),
        )
        if talk.system:
            record["system_prompt"] = talk.system
        if account.stack.server:
            # A program's gateway sends the answer; a chat window's hashes it itself.
            record.update({"response": ask.answer} if ask.answer else {})
        else:
            if talk.answers:
                record["prior_response_hashes"] = talk.answers[-3:]
            talk.answers.append(f"{rng.getrandbits(64):016x}")
            record["response_hash"] = talk.answers[-1]
            record["system_hash"] = CHAT_SYSTEM
        talk.tokens += tokens(ask.text) + output
        self.entries.append(Entry(at, 2, str(record["event_id"]), record))


def _dialogue(rng: Dice, model: str, system: str | None = None) -> Dialogue:
    return Dialogue(f"conv_{rng.getrandbits(64):016x}", model, system)


def _taker(rng: Dice, program: Program, at: float) -> Account | None:
    ready = [account for account in program.accounts if account.is_active(at)]
    if not ready:
        return None
    if not program.balances:
        return ready[int(rng.random() ** 2 * len(ready))]
    chosen = min(ready, key=lambda account: (account.last_used, account.id))
    chosen.last_used = at
    return chosen


def _next_ask(rng: Dice, program: Program, earlier: list[Ask]) -> Ask | None:
    if program.again and earlier and rng.random() < program.again:
        return earlier[int(rng.random() * len(earlier))]
    ask = next(program.asks, None)
    if ask is not None and program.again:
        earlier.append(ask)
    return ask


def tokens(text: str | None) -> int:
    """Four characters a token, as ordinary English goes."""
    return max(1, len(text) // 4) if text else 0
