"""A believable, seeded world of customers, with known answers.

    world = World(seed=7, ends_at=datetime.now(UTC))
    for record in world.records():      # contract records, in order of time
        ...
    world.truth()                       # who is who; never fed to the pipeline

    for due, record in world.live(world.ends_at, platform=lambda: {"acct_…": "banned"}):
        ...                             # the same people, going on for ever

A world is used once, first `records`, then `live`: conversations leave their marks.
The same arguments give the same bytes. Each entity rolls its own dice, so a change to
one population leaves the records of the others as they were (only volumes are scaled
to the number of exchanges asked for). `python -m ingest.demo OUT` writes one to a file.

What is simulated comes from the people who also write the detectors: what is measured
on it is an upper bound, never field precision.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ingest.demo import (
    campaigns,
    crowds,
    framing,
    honest,
    indirect,
    institutes,
    occasions,
    reasoning,
)
from ingest.demo.accounts import (
    Account,
    Entry,
    Record,
    Truth,
    beginnings,
    order_of,
    snapshot,
)
from ingest.demo.cast import EARLIER, LONG, NEWEST, SMALL, USUAL, Cast
from ingest.demo.clock import DAY, Span, stamp
from ingest.demo.evasion import DEMO, LEVELS, Evasion
from ingest.demo.live import LiveStream, Platform, enforce_ban
from ingest.demo.returnee import Returnee, come_back


class World:
    """`accounts` and `exchanges` are aimed at within a few per cent.

    `evasion` makes it a world to measure with: one level for all campaigns (0 naive to
    4; evasion.py), four more of them, more look-alikes, and an outage. There a level
    changes nothing about the innocent. Without it, it is the demo's."""

    def __init__(
        self,
        *,
        seed: int,
        ends_at: datetime,
        days: int = 21,
        accounts: int = 3000,
        exchanges: int = 150_000,
        evasion: int | Evasion | None = None,
    ) -> None:
        if ends_at.tzinfo is None:
            raise ValueError("ends_at has no time zone. Give an aware time.")
        if days < 2 or accounts < 150 or exchanges < accounts:
            raise ValueError(
                "A world needs at least 2 days, 150 accounts and one exchange each."
            )
        self.ends_at = ends_at.astimezone(UTC)
        end = float(int(ends_at.timestamp()))
        self.span = Span(end - days * DAY, end)
        self.cast = Cast(seed, self.span, accounts)
        self.measured = evasion is not None
        level = LEVELS[evasion] if isinstance(evasion, int) else evasion or DEMO
        self.hydra = self._attackers(level)
        for part, size in self.cast.cohorts("relay", self.cast.count(16, 6, 0.003), 16):
            campaigns.relay(part, size)
        self._innocents(accounts)
        if self.measured:
            robbed = self.cast.count(8, 3, 0.00019)
            indirect.stolen_keys(self.cast, robbed, level)
            occasions.befall(self.cast)
        framing.frame(self.cast, level)
        self.exchanges = exchanges
        self._scale(exchanges)

    def _attackers(self, level: Evasion) -> campaigns.Hydra:
        cast = self.cast
        count = max(cast.count(190, 24, 0.02195), level.pool_size or 0)
        each = cast.volume(125.0, 400.0)
        size = level.pool_size
        hydra = campaigns.Hydra(cast, count, level, each=each, pool_size=size)
        reasoning.campaign(cast, cast.count(20, 8, 0.00057), level)
        if self.measured:
            campaigns.more(cast, level)
            indirect.log_buying(cast, cast.count(30, 6, 0.0006), level)
        return hydra

    def _innocents(self, accounts: int) -> None:
        honest.everyone(self.cast)
        known = len(self.cast.accounts)
        if self.measured:
            crowds.everyone(self.cast)
            institutes.everyone(self.cast)
            # How many of the banned were replaced depends on the level.
            known = len(self.cast.accounts) - len(self.hydra.successors)
        honest.hobbyists(self.cast, max(1, accounts - known))

    def let_return(self, how: Returnee) -> None:
        """Two campaigns are banned and come back; before anything is asked of it."""
        come_back(self.cast, (campaigns.REASONING, campaigns.HYDRA), how)
        self._scale(self.exchanges)

    def _scale(self, exchanges: int) -> None:
        if self.measured:
            occasions.scale(self.cast, exchanges)
            return
        total = sum(s.rate(self.span, self.span) for s in self.cast.senders)
        for sender in self.cast.senders:
            sender.volume *= exchanges / total

    def truth(self) -> list[Truth]:
        return [account.truth for account in self.cast.accounts]

    def records(self) -> Iterator[Record]:
        """The whole history up to `ends_at`, a day in memory at a time."""
        for entry in self.entries():
            yield entry.record

    def entries(self) -> Iterator[Entry]:
        """The same, with what each exchange was really for."""
        yield from self._releases()
        yield from self._already_there()
        comings = self._by_day()
        pending: list[Entry] = []
        start = self.span.start
        while start < self.span.end:
            day = Span(start, min(start + DAY, self.span.end))
            for account in comings.pop(self._day_of(start), ()):
                pending += self._comings_and_goings(account, day)
            for sender in self.cast.senders:
                pending += sender.entries(day, self.span, tag=f"{self.cast.seed}")
            pending.sort(key=order_of, reverse=True)
            while pending and pending[-1].at < day.end:
                yield pending.pop()
            start = day.end

    def _releases(self) -> Iterator[Entry]:
        released = {
            SMALL: self.span.start - 290 * DAY,
            USUAL: self.span.start - 205 * DAY,
            NEWEST: self.cast.released_at,
        }
        if self.measured and self.cast.days >= LONG:
            released[EARLIER] = occasions.earlier_released_at(self.cast)
        for model, at in released.items():
            told: Record = {"type": "model_release", "model": model}
            yield Entry(at, 0, model, told | {"released_at": stamp(at)})

    def _already_there(self) -> Iterator[Entry]:
        """Accounts from before, as they stood."""
        start = self.span.start
        before = [a for a in self.cast.accounts if a.created_at < start]
        for account in sorted(before, key=lambda account: account.id):
            yield snapshot(account, start, status="active")

    def _day_of(self, at: float) -> int:
        return int((at - self.span.start) // DAY)

    def _by_day(self) -> dict[int, list[Account]]:
        """Day of the world → who signs up or leaves on it."""
        found: dict[int, list[Account]] = defaultdict(list)
        for account in self.cast.accounts:
            moments = (account.created_at, account.until)
            for day in {self._day_of(at) for at in moments if self._is_told(at)}:
                found[day].append(account)
        return found

    def _is_told(self, at: float) -> bool:
        return self.span.start <= at < self.span.end

    def _comings_and_goings(self, account: Account, day: Span) -> list[Entry]:
        entries: list[Entry] = []
        if day.start <= account.created_at < day.end:
            rng = self.cast.dice("beginnings", account.id)
            entries += beginnings(account, rng)
        if day.start <= account.until < day.end:
            entries.append(snapshot(account, account.until))
        return entries

    def live(
        self,
        after: datetime,
        *,
        rate: float = 2.0,
        hurry_from: datetime | None = None,
        platform: Platform = dict,
    ) -> Iterator[tuple[datetime, Record]]:
        """Endless records after that time, each with the moment at which it is due.

        `rate`: exchanges a second from `hurry_from` (default `after`) on; before it,
        the world goes at its own slower pace, which fills a gap without a flood. People
        get more conversations, not shorter ones. `platform` says, when asked, which
        accounts are "banned" or "restricted" now: the banned fall silent, and a banned
        hydra account is replaced within half an hour.
        """
        return LiveStream(
            self.cast, self.hydra, after.timestamp(), rate, platform
        ).records((hurry_from or after).timestamp())

    def bans(self) -> dict[str, float]:
        """What `live` has enforced: account → since when. For `resume`."""
        return {
            account.id: account.until
            for account in self.cast.accounts
            if account.status == "banned" and account.until > self.span.end
        }

    def resume(self, bans: Mapping[str, float]) -> None:
        """Bans of an earlier run (account → seconds since 1970), oldest first, before
        `live` goes on."""
        for account_id, at in sorted(bans.items(), key=lambda ban: ban[1]):
            enforce_ban(self.cast, self.hydra, account_id, at)
