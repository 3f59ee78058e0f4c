"""The cast of a world: who signs up, and the sizes that everything is scaled to."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ingest.demo import identities, internet
from ingest.demo.accounts import Account, Truth
from ingest.demo.clients import browser
from ingest.demo.clock import DAY, HOUR, Rhythm, Span, moment_in
from ingest.demo.dice import Dice, around, dice, mark
from ingest.demo.senders import Sender
from ingest.demo.traffic import App, Models

USUAL, SMALL, NEWEST = "aster-2-large", "aster-2-mini", "aster-3-large"
EARLIER = "aster-2.5-large"  # in worlds that are long enough for two releases
# Days before the end at which the newest model came out; in worlds of `LONG` days and
# more, the parts of the world that have gone by when the two models come out.
RELEASED_BEFORE_END = 6.4
LONG = 42
RELEASED_AT = {EARLIER: 20 / 60, NEWEST: 41 / 60}
# Hours from the newest release until the usual model fails, and for how long it does.
OUTAGE_AFTER, OUTAGE_LASTS = 9, 3
OFFSETS = (-8, -6, -5, -3, 0, 1, 1, 2, 3, 5, 8, 9)


@dataclass(slots=True)
class Cast:
    """Accounts and senders of one world. `size` is the number of accounts asked for.

    `place` numbers cohorts of one kind (`within`): a second campus has dice, names and
    networks of its own, and signs up in the same world."""

    seed: int | str
    span: Span
    size: int
    accounts: list[Account] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    _by_id: dict[str, Account] = field(default_factory=dict)
    place: int = 0

    @property
    def days(self) -> float:
        return (self.span.end - self.span.start) / DAY

    @property
    def released_at(self) -> float:
        if self.days >= LONG:
            return self.span.start + RELEASED_AT[NEWEST] * self.days * DAY
        return self.span.end - min(RELEASED_BEFORE_END, self.days / 3) * DAY

    @property
    def outage(self) -> Span:
        """When the usual model is away, in worlds to measure with."""
        begin = self.released_at + OUTAGE_AFTER * HOUR
        return Span(begin, begin + OUTAGE_LASTS * HOUR)

    def dice(self, *names: object) -> Dice:
        return dice(self.seed, *names)

    def count(self, per_3000: float, least: int = 1, share: float | None = None) -> int:
        """A population's size in this world, given its size among 3,000 and its share
        of those that a larger world has beyond them (default: the same)."""
        first = per_3000 * min(self.size, 3000) / 3000
        beyond = per_3000 / 3000 if share is None else share
        return max(least, round(first + beyond * max(0, self.size - 3000)))

    def volume(self, small: float, large: float) -> float:
        """Exchanges an account: `small` among 3,000, near `large` among a million."""
        return large + (small - large) * min(1.0, 3000 / self.size)

    def within(self, place: int) -> "Cast":
        """The same world, for the place-th cohort of a kind."""
        if not place:
            return self
        return replace(self, seed=f"{self.seed}/{place}", place=place)

    def cohorts(
        self, kind: str, total: int, usual: int
    ) -> Iterator[tuple["Cast", int]]:
        """`total` people in cohorts of unequal sizes; one cohort among 3,000.

        `usual` is a cohort's size in that world. A larger world has more cohorts, and
        larger ones: both grow with the square root of its size."""
        rng = self.dice("cohorts", kind)
        usual = round(usual * math.sqrt(max(1.0, self.size / 3000)))
        place = 0
        while total > 1.5 * usual:
            size = max(3, round(around(rng, 0.8 * usual, 0.7)))
            size = min(size, round(0.6 * total))
            yield self.within(place), size
            total, place = total - size, place + 1
        if total:
            yield self.within(place), total

    def at_day(self, day: float) -> float:
        """A moment `day` days into a world of 21; scaled in a shorter one."""
        return self.span.start + day / 21 * (self.span.end - self.span.start)

    def on_day(self, day: float, hour: float) -> float:
        """The same, at a given hour of that day in UTC."""
        return self.at_day(day) // DAY * DAY + hour * HOUR

    def sign_up(
        self,
        rng: Dice,
        population: str,
        name: str,
        *,
        pool: str | None = None,
        campaign: str | None = None,
    ) -> Account:
        """An ordinary account of one person at home; callers change what differs."""
        if pool and self.place:
            pool = f"{pool}/{self.place}"
        truth = Truth(
            account_id=f"acct_{mark('account', self.seed, name, length=14)}",
            population=population,
            campaign=campaign,
            pool=pool,
            person=f"person-{mark('person', self.seed, name, length=10)}",
            organization=None,
        )
        at_desk = browser(rng)
        account = Account(
            truth=truth,
            created_at=self.joined(rng),
            person=identities.person(rng),
            routes=(internet.home(rng),),
            stack=at_desk,
            signup_stack=at_desk,
            key_ids=(),
            device_id=identities.device(rng),
        )
        self.accounts.append(account)
        self._by_id[account.id] = account
        return account

    def find(self, account_id: str) -> Account | None:
        return self._by_id.get(account_id)

    def joined(self, rng: Dice) -> float:
        """Four in five came in the year before, the others during these weeks."""
        if rng.random() < 0.8:
            return self.span.start - DAY * min(360.0, around(rng, 90, 0.9) + 0.5)
        return moment_in(rng, Rhythm("evening", 1), self.span)

    def join_organization(self, account: Account, org: identities.Organization) -> None:
        account.organization = org
        account.truth["organization"] = org.id
        account.person.email = account.person.email.split("@")[0] + "@" + org.domain

    def send(self, sender: Sender) -> Sender:
        if self.place:
            sender.key = f"{sender.key}/{self.place}"
        self.senders.append(sender)
        return sender

    def send_own(self, account: Account, app: App, volume: float, rng: Dice) -> Sender:
        """One person's traffic from one account, in the evenings of where they live."""
        return self.send(
            Sender(
                key=account.id,
                accounts=[account],
                apps=[(app, 1.0)],
                volume=volume,
                rhythm=Rhythm("evening", offset(rng)),
                models=self.honest_models(rng),
                logs_in=not (app.stack or account.stack).server,
            )
        )

    def honest_models(self, rng: Dice, *, days: float = 9.0) -> Models:
        """Most wait a week or two before they try a new model, many never do."""
        usual = USUAL if rng.random() < 0.7 else SMALL
        adopts = self.released_at + around(rng, days, 1.0) * DAY
        return Models(usual, NEWEST, adopts, share=rng.uniform(0.3, 1.0), ramp=2 * DAY)


def offset(rng: Dice) -> int:
    """Hours east of Greenwich where somebody lives."""
    return OFFSETS[int(rng.random() * len(OFFSETS))]


def key_ids(rng: Dice, count: int = 1) -> tuple[str, ...]:
    return tuple(f"key_{rng.getrandbits(64):016x}" for _ in range(count))


def pays(account: Account, rng: Dice, chance: float = 1.0) -> None:
    if rng.random() < chance:
        account.card = account.card or identities.card(rng)
        account.plan, account.verification = "pay_as_you_go", "payment"
