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

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ingest.demo import campaigns, honest
from ingest.demo.accounts import Entry, Record, Truth, beginnings, order_of, snapshot
from ingest.demo.cast import NEWEST, SMALL, USUAL, Cast
from ingest.demo.clock import DAY, Span, stamp
from ingest.demo.live import LiveStream, Platform, enforce_ban


class World:
    """`accounts` and `exchanges` are aimed at within a few per cent."""

    def __init__(
        self,
        *,
        seed: int,
        ends_at: datetime,
        days: int = 21,
        accounts: int = 3000,
        exchanges: int = 150_000,
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
        self.hydra = campaigns.Hydra(self.cast, self.cast.count(190, 24))
        campaigns.reasoning(self.cast, self.cast.count(20, 8))
        campaigns.relay(self.cast, self.cast.count(16, 6))
        honest.everyone(self.cast)
        honest.hobbyists(self.cast, max(1, accounts - len(self.cast.accounts)))
        self._scale(exchanges)

    def _scale(self, exchanges: int) -> None:
        total = sum(s.rate(self.span, self.span) for s in self.cast.senders)
        for sender in self.cast.senders:
            sender.volume *= exchanges / total

    def truth(self) -> list[Truth]:
        return [account.truth for account in self.cast.accounts]

    def records(self) -> Iterator[Record]:
        """The whole history up to `ends_at`, a day in memory at a time."""
        yield from self._releases()
        pending = self._account_entries()
        start = self.span.start
        while start < self.span.end:
            day = Span(start, min(start + DAY, self.span.end))
            for sender in self.cast.senders:
                pending += sender.entries(day, self.span, tag=f"{self.cast.seed}")
            pending.sort(key=order_of)
            cut = 0
            for entry in pending:
                if entry.at >= day.end:
                    break
                cut += 1
                yield entry.record
            pending = pending[cut:]
            start = day.end

    def _releases(self) -> Iterator[Record]:
        released = {
            SMALL: self.span.start - 290 * DAY,
            USUAL: self.span.start - 205 * DAY,
            NEWEST: self.cast.released_at,
        }
        for model, at in released.items():
            yield {"type": "model_release", "model": model, "released_at": stamp(at)}

    def _account_entries(self) -> list[Entry]:
        """Accounts from before as they stood; the others as they come and go."""
        entries: list[Entry] = []
        for account in self.cast.accounts:
            if account.created_at < self.span.start:
                entries.append(snapshot(account, self.span.start, status="active"))
            else:
                rng = self.cast.dice("beginnings", account.id)
                entries += beginnings(account, rng)
            if account.until < self.span.end:
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
