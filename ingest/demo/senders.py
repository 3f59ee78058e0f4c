"""Who begins conversations, when, and on which of the accounts."""

from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from ingest.demo.accounts import SETTLING, Account, Entry, activity
from ingest.demo.clock import DAY, HOUR, Rhythm, Span, moment_in, weight_of
from ingest.demo.dice import Dice, dice, poisson
from ingest.demo.traffic import (
    App,
    Conversation,
    Models,
    Spread,
    exchange,
    new_conversation,
    turned_away,
)

_last_used, _id = attrgetter("last_used"), attrgetter("id")


@dataclass(frozen=True, slots=True)
class Burst:
    """A time in which the sender does `share` of everything it does."""

    span: Span
    share: float


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nobody gets an answer from `model`."""

    span: Span
    model: str

    def stops(self, model: str, at: float) -> bool:
        return model == self.model and self.span.start <= at < self.span.end


@lru_cache(maxsize=1024)
def mean_turns(turns: Spread) -> float:
    """Average of the whole numbers that `turns` gives."""
    rng = dice("mean turns", turns)
    return sum(max(1, round(turns.draw(rng))) for _ in range(4000)) / 4000


@dataclass(slots=True)
class Sender:
    """One source of traffic over one or many accounts.

    A person owns one account and keeps to it. A relay owns many: it starts each
    conversation on the least recently used one (`balances`), where accounts have
    shares on the one whose share is the longest overdue, moves it with probability
    `hand_over` a turn, and again when it went on after a pause longer than the hour for
    which relays remember. In `waves` every account starts within two minutes of the
    same signal.

    Beside its `volume` it begins the conversations of `once`, each at its moment.
    """

    key: str
    accounts: list[Account]
    apps: list[tuple[App, float]]
    volume: float
    rhythm: Rhythm
    models: Models
    bursts: tuple[Burst, ...] = ()
    mood: float = 0.7
    balances: bool = False
    hand_over: float = 0.0
    returns: float = 0.0
    waves: bool = False
    logs_in: bool = False
    once: tuple[tuple[float, App], ...] = ()
    outage: Outage | None = None

    def rate(self, span: Span, whole: Span) -> float:
        """Exchanges to expect in the span, of `volume` in the whole."""
        return self.volume * sum(share for _, share in self._parts(span, whole))

    def _parts(self, span: Span, whole: Span) -> list[tuple[Span, float]]:
        """The span's ordinary time and its bursts, each with its share of `volume`."""
        alive = self._alive(span)
        base = 1.0 - sum(burst.share for burst in self.bursts)
        length = whole.end - whole.start
        parts = [(alive, base * weight_of(self.rhythm, alive) / length)]
        for burst in self.bursts:
            overlap = burst.span.overlap(alive)
            if overlap > 0:
                begin = max(alive.start, burst.span.start)
                share = burst.share * overlap / (burst.span.end - burst.span.start)
                parts.append((Span(begin, begin + overlap), share))
        return [part for part in parts if part[1] > 0]

    def _alive(self, span: Span) -> Span:
        """The part of the span in which there is an account to send from."""
        born = min(account.created_at for account in self.accounts) + SETTLING
        dead = max(account.until for account in self.accounts)
        start = max(span.start, born)
        return Span(start, max(start, min(span.end, dead)))

    def entries(
        self, span: Span, whole: Span, *, tag: str, factor: float = 1.0
    ) -> list[Entry]:
        """All records of the conversations that begin in the span."""
        out: list[Entry] = []
        for at, app in self.once:
            if span.start <= at < span.end and self.accounts[0].is_active(at):
                rng = dice(tag, self.key, "once", at)
                self._converse(rng, at, self.accounts[0], out, app)
        parts = self._parts(span, whole)
        expected = self.volume * factor * sum(share for _, share in parts)
        if expected <= 0:
            return out
        rng = dice(tag, self.key, span.start)
        if self.mood > 0 and span.end - span.start > 3600:
            # People have busy days and days off.
            expected *= rng.gammavariate(1 / self.mood, self.mood)
        per_start = self._mean_turns() * (len(self.accounts) if self.waves else 1)
        for at in self._starts(rng, parts, poisson(rng, expected / per_start)):
            self._begin(rng, at, out)
        return out

    def _mean_turns(self) -> float:
        weights = sum(weight for _, weight in self.apps)
        return sum(mean_turns(app.turns) * w for app, w in self.apps) / weights

    def _starts(
        self, rng: Dice, parts: list[tuple[Span, float]], count: int
    ) -> list[float]:
        spans = [span for span, _ in parts]
        drawn = rng.choices(spans, [share for _, share in parts], k=count)
        starts = [moment_in(rng, self.rhythm, span) for span in drawn]
        return sorted(starts)

    def _begin(self, rng: Dice, at: float, out: list[Entry]) -> None:
        if not self.waves:
            account = self.choose(rng, at)
            if account:
                self._converse(rng, at, account, out)
            return
        for account in self.accounts:
            begin = at + rng.uniform(0, 110)
            if account.is_active(begin):
                self._converse(rng, begin, account, out)

    def choose(self, rng: Dice, at: float) -> Account | None:
        """The account that takes the next conversation."""
        if len(self.accounts) == 1:
            only = self.accounts[0]
            return only if only.is_active(at) else None
        ready = self._ready(at)
        if not ready:
            return None
        if not self.balances:
            # Colleagues share work unevenly: the first account does most of it.
            return ready[int(rng.random() ** 2 * len(ready))]
        if all(account.share == 1.0 for account in ready):
            earliest = min(map(_last_used, ready))
            return min((a for a in ready if a.last_used == earliest), key=_id)
        waits = [account.overdue(at) for account in ready]
        longest = max(waits)
        due = (a for a, wait in zip(ready, waits, strict=True) if wait == longest)
        return max(due, key=_id)

    def _ready(self, at: float) -> list[Account]:
        """The accounts that are active and awake."""
        # Without a call for each: pools have hundreds of accounts, and all are looked
        # at for each conversation.
        born, hour = at - SETTLING, int(at % DAY // HOUR)
        return [
            account
            for account in self.accounts
            if account.created_at <= born
            and at < account.until
            and (account.hours is None or hour in account.hours)
        ]

    def _app(self, rng: Dice) -> App:
        weights = [weight for _, weight in self.apps]
        return rng.choices(self.apps, weights)[0][0]

    def _converse(
        self,
        rng: Dice,
        at: float,
        account: Account,
        out: list[Entry],
        app: App | None = None,
    ) -> None:
        app = app or self._app(rng)
        model = self.models.pick(rng, at)
        talk = new_conversation(rng, app, model)
        talk.answers += [told for when, told in app.goes_on_from or () if when < at]
        turns = max(1, round(app.turns.draw(rng)))
        if self.logs_in and rng.random() < 0.3:
            out.append(activity(account, "login", at))
            at += rng.uniform(4, 40)
        for _ in range(turns - 1):
            if self._is_stopped(rng, at, account, talk, out):
                return
            at += exchange(rng, at, account, talk, out) + app.pace.draw(rng)
            if app.single:
                talk = new_conversation(rng, app, model)
            away = rng.random() < self.returns
            if away:
                at += rng.uniform(3700, 9000)
            moves = self.balances and (away or rng.random() < self.hand_over)
            stays = account.is_active(at) and not moves
            following = account if stays else self.choose(rng, at)
            if following is None:
                return
            if following is not account:
                # The next account's gateway sees a conversation it has not met.
                talk.id = f"conv_{rng.getrandbits(64):016x}"
                account = following
        if not self._is_stopped(rng, at, account, talk, out):
            exchange(rng, at, account, talk, out)

    def _is_stopped(
        self,
        rng: Dice,
        at: float,
        account: Account,
        talk: Conversation,
        out: list[Entry],
    ) -> bool:
        """Whether the model is away; if so, the try shows."""
        if self.outage is None or not self.outage.stops(talk.model, at):
            return False
        turned_away(rng, at, account, talk, out)
        return True
