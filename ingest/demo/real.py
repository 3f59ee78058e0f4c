"""A world composed from real traces and prompts, by the shared data folder's recipe.

Real are the arrival times, lengths, prompts and answers; invented is who sent them: the
accounts, addresses, cards and which of them belong together. Attackers send on the
same traces as honest programs; what makes them a cluster is added apart: shares of one
corpus, shared cards and clients, balancing, a joint move to the new model.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from ingest.demo import identities, internet
from ingest.demo.accounts import (
    Account,
    Record,
    Truth,
    beginnings,
    order_of,
    snapshot,
)
from ingest.demo.cast import NEWEST, Cast, key_ids, offset
from ingest.demo.clients import Stack, ja4, sdk
from ingest.demo.clock import DAY, HOUR, Rhythm, Span, moment_in, stamp
from ingest.demo.composer import Composer, Program
from ingest.demo.corpora import Ask, SharedData, SharedDataMissing
from ingest.demo.dice import Dice, around, mark

__all__ = ["RealWorld", "SharedDataMissing"]


class RealWorld:
    """`exchanges` is aimed at within a tenth; there are only so many real prompts."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        ends_at: datetime,
        days: int = 14,
        accounts: int = 1500,
        exchanges: int = 40_000,
    ) -> None:
        if ends_at.tzinfo is None:
            raise ValueError("ends_at has no time zone. Give an aware time.")
        if days < 2 or accounts < 200:
            raise ValueError("A composed world needs at least 2 days, 200 accounts.")
        self.data = SharedData(folder)
        end = float(int(ends_at.timestamp()))
        self.span = Span(end - days * DAY, end)
        self.cast = Cast(seed, self.span, accounts * 2)
        self.scale = exchanges / 40_000
        self.composer = Composer(self.data, self.cast)
        self._attackers()
        self._look_alikes()
        self._people(accounts - len(self.cast.accounts))

    def truth(self) -> list[Truth]:
        return [account.truth for account in self.cast.accounts]

    def records(self) -> Iterator[Record]:
        at = self.cast.released_at
        yield {"type": "model_release", "model": NEWEST, "released_at": stamp(at)}
        for account in self.cast.accounts:
            if account.created_at < self.span.start:
                self.composer.entries.append(snapshot(account, self.span.start))
            else:
                dice = self.cast.dice("beginnings", account.id)
                self.composer.entries += beginnings(account, dice)
        self.composer.entries.sort(key=order_of)
        for entry in self.composer.entries:
            if entry.at < self.span.end:
                yield entry.record
        self.composer.entries.clear()

    def _people(self, count: int) -> None:
        """One author, one conversation or a few questions each; never two people's."""
        chats = self.data.grouped("hh_rlhf_harmless", "conversation")[:-400]
        authors = self.data.grouped("awesome_prompts", "author")
        loose = self.data.asks("dolly_3k") + self.data.asks("arena_hard_v01")
        rng = self.cast.dice("people")
        for pile in (chats, authors, loose):
            rng.shuffle(pile)
        offices = identities.organization(self.cast.seed, "office", rng)
        bill = identities.card(rng)
        for n in range(count):
            rng = self.cast.dice("person", n)
            kind = ("corporate_vpn" if n < 60 else "family") if n < 90 else "person"
            account = self.cast.sign_up(rng, kind, f"person/{n}")
            if kind == "corporate_vpn":
                self.cast.join_organization(account, offices)
                account.card, account.routes = bill, (internet.office(rng),)
            elif kind == "family":
                account.card = identities.card(self.cast.dice("family", n // 3))
                account.routes = (internet.home(self.cast.dice("family home", n // 3)),)
            elif rng.random() < 0.4:
                account.card, account.verification = identities.card(rng), "payment"
            self._person_talks(rng, account, _share_of(n, rng, chats, authors, loose))

    def _person_talks(self, rng: Dice, account: Account, asks: list[list[Ask]]) -> None:
        rhythm = Rhythm("evening", offset(rng))
        begin = max(self.span.start, account.created_at + 600)
        adopts = self.cast.released_at + around(rng, 8, 1.0) * DAY
        for talk in asks:
            if begin >= self.span.end - HOUR:
                return
            at = moment_in(rng, rhythm, Span(begin, self.span.end))
            self.composer.converse(rng, at, account, talk, adopts)

    def _look_alikes(self) -> None:
        """The hard negatives of the recipe, each with a label of its own."""
        self._companies()
        self._benchmark_runs()
        self._red_team()
        self._class()
        self._fleet()
        self._aggregator()
        self._synthetic_data()

    def _attackers(self) -> None:
        """Three harvests at three rungs of evasion."""
        cover = self.data.asks("dolly_3k")[-900:]
        for name, corpus, size, rung in (
            ("tools", "gorilla_apibench", 14, 0),
            ("maths", "gsm8k_train", 36, 1),
            ("instructions", "alpaca_5000", 24, 2),
        ):
            asks = self.data.asks(corpus)
            rng = self.cast.dice("harvest", name)
            rng.shuffle(asks)
            wanted = round((2600, 5200, 2400)[rung] * self.scale)
            asks = asks[:wanted]
            if rung == 2:
                asks = _mixed(rng, asks, cover)
            members = [self._attacker(name, n, rung) for n in range(size)]
            self.composer.run(
                Program(
                    key=f"harvest/{name}",
                    accounts=members,
                    asks=iter(asks),
                    expected=len(asks) * 1.1,
                    system=f"You are a careful assistant. Mode {name}. Show all work.",
                    adopts_at=self.cast.released_at + 2 * HOUR,
                    balances=True,
                    again=0.1,
                )
            )

    def _attacker(self, name: str, n: int, rung: int) -> Account:
        """What members share shrinks from rung to rung."""
        rng = self.cast.dice("attacker", name, n)
        shared = self.cast.dice("attackers", name, n // (14, 8, 3)[rung])
        account = self.cast.sign_up(
            rng, "harvest", f"{name}/{n}", pool=f"{name}-1", campaign=f"harvest-{name}"
        )
        account.truth["person"] = f"operator-{name}"
        account.card = identities.card(shared)
        account.plan, account.verification = "pay_as_you_go", "payment"
        begin = self.cast.at_day(shared.uniform(-8, 3))
        account.created_at = begin + rng.uniform(0, (2, 6, 90)[rung]) * HOUR
        account.routes = (internet.proxy(rng, 300 + 50 * rung + n // (14, 9, 2)[rung]),)
        odd = Stack("aster-python/2.13.0", ja4(f"harvest {name}"), server=True)
        account.stack = odd if rung < 2 else sdk(rng)
        account.key_ids = key_ids(rng)
        return account

    def _companies(self) -> None:
        """One client of a trace, one template of a data set, one organisation."""
        templates = self.data.grouped("t0_templates", "template")
        tools = [ask.text for ask in self.data.asks("fabric_system", "pattern")]
        for n, records in enumerate(islice(templates, 40)):
            rng = self.cast.dice("company", n)
            account = self._server_account(
                rng, "program", f"company/{n}", f"company/{n}"
            )
            self.composer.run(
                Program(
                    key=f"company/{n}",
                    accounts=[account],
                    asks=_endless(rng, records),
                    expected=min(900.0, around(rng, 250, 0.7)) * self.scale,
                    # An open tool's system prompt serves many unrelated companies.
                    system=rng.choice(tools[:6]) if rng.random() < 0.4 else None,
                )
            )

    def _benchmark_runs(self) -> None:
        tasks = self.data.asks("bbh", "task")
        for n in range(3):
            rng = self.cast.dice("benchmark", n)
            account = self._server_account(rng, "benchmark", f"bench/{n}", f"lab/{n}")
            account.contract = "evaluation" if n == 0 else "standard"
            chosen = rng.sample(tasks, min(len(tasks), round(1000 * self.scale)))
            at = self.cast.released_at + rng.uniform(1, 20) * HOUR
            for ask in chosen:
                self.composer.converse(rng, at, account, [ask], adopts=0.0)
                at += around(rng, 9, 0.6)

    def _red_team(self) -> None:
        """A tester with throwaway accounts behind a VPN, whole provocations each."""
        chats = self.data.grouped("hh_rlhf_harmless", "conversation")[-400:]
        for n in range(6):
            rng = self.cast.dice("red team", n)
            account = self.cast.sign_up(rng, "red_team", f"red/{n}", pool="red-team-1")
            account.truth["person"] = f"person-{mark(self.cast.seed, 'red', length=10)}"
            account.routes = (internet.vpn(rng),)
            account.created_at = self.cast.at_day(1 + 2 * n)
            for chat in chats[n * 30 : n * 30 + 30]:
                at = account.created_at + rng.uniform(0.5, 90) * HOUR
                self.composer.converse(rng, at, account, chat, float("inf"))

    def _class(self) -> None:
        """Forty students, one address, one assignment, one evening."""
        task = self.data.asks("arena_hard_v01")[17]
        due = self.cast.at_day(12) + 20 * HOUR
        follow = self.data.asks("dolly_3k")[:400]
        for n in range(self.cast.count(40, 10)):
            rng = self.cast.dice("class", n)
            account = self.cast.sign_up(rng, "class", f"class/{n}", pool="class-1")
            account.person = identities.person(rng, "student.ostermoor.example")
            account.program, account.routes = "education", (internet.campus(0),)
            account.created_at = self.cast.at_day(4) + 9 * HOUR + rng.uniform(0, 2400)
            asks = [task, *rng.sample(follow, 1 + int(rng.random() * 6))]
            at = due - rng.uniform(0, 9) * HOUR
            self.composer.converse(rng, at, account, asks, float("inf"))

    def _fleet(self) -> None:
        """A company's agents, which say the same things over and over."""
        records = self.data.grouped("t0_templates", "template")[-1][:25]
        rng = self.cast.dice("fleet")
        members = [
            self._server_account(
                self.cast.dice("fleet", n), "agent_fleet", f"fleet/{n}", "fleet"
            )
            for n in range(12)
        ]
        asks = _endless(rng, records)
        self.composer.run(Program("fleet", members, asks, 2600 * self.scale))

    def _aggregator(self) -> None:
        """A registered reseller: many people's questions round its keys."""
        rng = self.cast.dice("aggregator")
        asks = self.data.asks("dolly_3k")[:2000] + self.data.asks("awesome_prompts")
        members = []
        for n in range(20):
            dice = self.cast.dice("aggregator", n)
            account = self._server_account(
                dice, "reseller", f"reseller/{n}", "reseller"
            )
            account.contract = "reseller"
            members.append(account)
        program = Program(
            "reseller", members, _endless(rng, asks), 2400 * self.scale, balances=True
        )
        self.composer.run(program)

    def _synthetic_data(self) -> None:
        """Makes training data inside the terms: licensed, verified, paying."""
        rng = self.cast.dice("licensed")
        members = []
        for n in range(2):
            dice = self.cast.dice("licensed", n)
            account = self._server_account(
                dice, "licensed_distiller", f"licensed/{n}", "licensed"
            )
            account.contract = "distillation_licensed"
            members.append(account)
        asks = self.data.asks("alpaca_5000")[-2400:]
        rng.shuffle(asks)
        self.composer.run(Program("licensed", members, iter(asks), 2200 * self.scale))

    def _server_account(
        self, rng: Dice, population: str, name: str, org_key: str
    ) -> Account:
        """An organisation's account on a rented server."""
        org_rng = self.cast.dice("organization", org_key)
        account = self.cast.sign_up(rng, population, name, pool=org_key)
        org = identities.organization(self.cast.seed, org_key, org_rng)
        self.cast.join_organization(account, org)
        account.created_at = self.span.start - rng.uniform(20, 300) * DAY
        account.card, account.plan = identities.card(org_rng), "enterprise"
        account.verification, account.stack = "organization", sdk(org_rng)
        account.key_ids, account.routes = key_ids(rng), (internet.cloud(rng),)
        return account


def _share_of(
    n: int,
    rng: Dice,
    chats: list[list[Ask]],
    authors: list[list[Ask]],
    loose: list[Ask],
) -> list[list[Ask]]:
    """The next person's conversations, taken off the piles."""
    if n % 5 < 2 and chats:
        return [chats.pop() for _ in range(1 + int(rng.random() * 3)) if chats]
    if n % 5 < 4 and authors:
        return [[ask] for ask in authors.pop()[:25]]
    count = min(len(loose), max(1, round(around(rng, 4, 0.8))))
    return [[loose.pop()] for _ in range(count)]


def _mixed(rng: Dice, asks: list[Ask], cover: list[Ask]) -> list[Ask]:
    """The corpus with other people's questions between."""
    mixed = asks + cover
    rng.shuffle(mixed)
    return mixed


def _endless(rng: Dice, asks: list[Ask]) -> Iterator[Ask]:
    while True:
        yield asks[int(rng.random() * len(asks))]
