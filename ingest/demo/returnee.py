"""Campaigns that are banned as a whole, and whose operators come back anew.

Each thing of theirs is new with the chance `renewed`, the same for all accounts that
share it: a card, a block of addresses, a program's tools and system prompt, each
template's wording, the client program, a mail domain, a referrer. Names, mailboxes,
devices, keys and addresses within a block are always new; hours, pace, settings and
what is asked about stay as they were.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ingest.demo import identities, internet
from ingest.demo.accounts import Account
from ingest.demo.cast import Cast, key_ids
from ingest.demo.clients import Stack, ja4
from ingest.demo.clock import DAY, HOUR, Span
from ingest.demo.dice import Dice, dice, mark
from ingest.demo.grammars import Script
from ingest.demo.internet import Route
from ingest.demo.rewording import reworded
from ingest.demo.senders import Sender
from ingest.demo.traffic import App

BANNED_AFTER, LEAST_BACK = 14.0, 5.0  # days into the world; days in which it is back
SIGN_UP = 2 * DAY  # how long it takes until all new accounts are there
# Of the blocks of addresses to rent; no campaign begins there (campaigns.py).
FRESH_BLOCKS = 5000
AGAIN = "_again"  # what the truth calls the campaign when it is back
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Returnee:
    """`renewed`: 0 to 1; `away`: days between the ban and the return."""

    renewed: float
    away: float = 30.0

    def check(self, span: Span) -> None:
        if not 0 <= self.renewed <= 1:
            raise ValueError("A returnee renews a share from 0 to 1.")
        needed = BANNED_AFTER + self.away + LEAST_BACK
        if span.end - span.start < needed * DAY:
            raise ValueError(
                f"A returnee needs a world of {needed:.0f} days or more: banned after "
                f"{BANNED_AFTER:.0f}, away {self.away:.0f}."
            )


def come_back(cast: Cast, campaigns: Sequence[str], how: Returnee) -> None:
    """Bans these campaigns and sends them again; to be called when all have signed up.

    Accounts that would have signed up after the ban never do."""
    how.check(cast.span)
    banned_at = cast.span.start + BANNED_AFTER * DAY
    for campaign in campaigns:
        senders = [s for s in cast.senders if runs(s, campaign)]
        kept = [sender for sender in senders if ban(cast, sender, banned_at)]
        back = Back(cast, campaign, how.renewed, banned_at + how.away * DAY)
        for sender in kept:
            cast.send(back.sender(sender))


def runs(sender: Sender, campaign: str) -> bool:
    return sender.accounts[0].truth["campaign"] == campaign


def ban(cast: Cast, sender: Sender, at: float) -> bool:
    """Whether anybody is left to have been banned."""
    late = {account.id for account in sender.accounts if account.created_at >= at}
    sender.accounts = [a for a in sender.accounts if a.id not in late]
    cast.accounts = [a for a in cast.accounts if a.id not in late]
    if not sender.accounts:
        cast.senders.remove(sender)
    for account in sender.accounts:
        account.until, account.status = min(account.until, at), "banned"
    return bool(sender.accounts)


@dataclass(frozen=True, slots=True)
class Back:
    """One operator on the way back."""

    cast: Cast
    campaign: str
    renewed: float
    at: float

    def kept(self, kind: str, thing: T, anew: Callable[[Dice], T]) -> T:
        """The thing, or another in its place: the same one for all who ask."""
        names = ("returnee", self.campaign, kind, thing)
        if thing is None or self.cast.dice(*names).random() >= self.renewed:
            return thing
        return anew(self.cast.dice(*names, "new"))

    def sender(self, old: Sender) -> Sender:
        begun = min(account.created_at for account in old.accounts)
        span = max(account.created_at for account in old.accounts) - begun + HOUR
        accounts = []
        for account in old.accounts:
            late = (account.created_at - begun) / span * SIGN_UP
            accounts.append(self.account(account, self.at + late))
        return self.cast_sender(old, accounts)

    def cast_sender(self, old: Sender, accounts: list[Account]) -> Sender:
        apps = [(self.app(app, n), weight) for n, (app, weight) in enumerate(old.apps)]
        return replace(old, key=f"{old.key} again", accounts=accounts, apps=apps)

    def account(self, old: Account, at: float) -> Account:
        rng = self.cast.dice("returnee", old.id)
        account = self.cast.sign_up(
            rng,
            str(old.truth["population"]),
            f"{old.id} again",
            pool=old.truth["pool"],
            campaign=f"{self.campaign}{AGAIN}",
        )
        account.truth["person"] = old.truth["person"]
        account.created_at = at
        account.person.email = self.mailbox(account.person.email, old.person.email)
        account.routes = tuple(self.route(route, rng) for route in old.routes)
        account.card = self.kept("card", old.card, identities.card)
        account.stack = self.stack("stack", old.stack)
        account.signup_stack = self.stack("sign-up stack", old.signup_stack)
        account.referrer = self.kept("referrer", old.referrer, token)
        account.tools_hash = self.kept("tools", old.tools_hash, token)
        account.key_ids = key_ids(rng, len(old.key_ids))
        account.plan, account.program = old.plan, old.program
        account.verification, account.share = old.verification, old.share
        account.hours = old.hours
        return account

    def mailbox(self, name: str, old: str) -> str:
        """A new name in the old manner: its shape, and its domain unless renewed."""
        domain = old.split("@")[1]
        own = domain not in identities.MAIL
        there = self.kept("mail", domain, new_domain) if own else domain
        return f"{in_manner(name.split('@')[0], old.split('@')[0])}@{there}"

    def route(self, old: Route, rng: Dice) -> Route:
        block, _, _ = old.ip.rpartition(":" if ":" in old.ip else ".")
        there = self.kept("block", block, lambda anew: str(anew.getrandbits(11)))
        if there != block:
            return internet.proxy(rng, FRESH_BLOCKS + int(there))
        dot = ":" if ":" in old.ip else "."
        return old._replace(ip=f"{block}{dot}{1 + int(rng.random() * 254)}")

    def stack(self, kind: str, old: Stack) -> Stack:
        def another(rng: Dice) -> Stack:
            name = f"wren-http/{1 + int(rng.random() * 9)}.{int(rng.random() * 40)}"
            return Stack(name, ja4(f"{kind} {self.campaign} again"), server=old.server)

        return self.kept(kind, old, another)

    def app(self, old: App, number: int) -> App:
        return replace(
            old,
            script=PartlyReworded(old.script, self.renewed, f"{self.campaign}{number}"),
            stack=old.stack and self.stack("stack", old.stack),
            system_hash=self.kept("system", old.system_hash, token),
            tools_hash=self.kept("tools", old.tools_hash, token),
        )


def token(rng: Dice) -> str | None:
    return f"{rng.getrandbits(64):016x}"


def new_domain(rng: Dice) -> str:
    return f"{mark('mail', rng.getrandbits(64), length=7)}.example"


def in_manner(name: str, old: str) -> str:
    """`maren.abernel` as `inesbrandvold07` was made: letters together, two digits."""
    letters = "".join(c for c in name if c.isalpha() or (c == "." and "." in old))
    digits = sum(c.isdigit() for c in old)
    return letters + f"{sum(map(ord, name)) % 10**digits:0{digits}d}" * bool(digits)


class PartlyReworded:
    """A script some of whose templates are in other words, the same every time."""

    def __init__(self, script: Script, renewed: float, seed: str) -> None:
        self.script, self.renewed, self.seed = script, renewed, seed

    def topic(self, rng: Dice) -> str:
        return self.script.topic(rng)

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        text = self.script.line(rng, topic, turn)
        template = topic if turn == 1 else "further"
        if dice("returnee", self.seed, template).random() >= self.renewed:
            return text
        return reworded(text, dice("returnee wording", self.seed, template))
