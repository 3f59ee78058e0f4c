"""The attackers: a hydra of light accounts, a small heavy campaign, and, between them
and the innocent, a relay that resells access without harvesting.

Their arrivals come from the same processes as honest ones. Coordination is added by
separate switches: a relay's balancing, a joint move to a new model, shared corpora,
shared cards and rented addresses (relay behaviour: detection.md 1.3).
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.accounts import Account
from ingest.demo.cast import NEWEST, USUAL, Cast, key_ids
from ingest.demo.clients import BROWSERS, Stack, ja4, sdk
from ingest.demo.clock import DAY, HOUR, Rhythm
from ingest.demo.dice import Dice, around, mark
from ingest.demo.grammars import Harvest, Template
from ingest.demo.senders import Sender
from ingest.demo.texts import harvest
from ingest.demo.traffic import App, Models, Spread

HYDRA, REASONING = "hydra", "reasoning"
CARDS, BLOCKS = 12, 25  # accounts a card, accounts a rented /24
POOL_SIZE = 38
CATCH_ALL = "{first}{last}{number:02d}"  # how the operator's script makes mailboxes


class Loop:
    """An agentic episode: the corpus item once, then invented observations."""

    def __init__(self, corpus: Harvest, observation: Template) -> None:
        self.corpus, self.observation = corpus, observation

    def topic(self, rng: Dice) -> str:
        return self.corpus.topic(rng)

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        if turn == 1:
            return self.corpus.line(rng, topic, turn)
        return self.observation.following()


class Hydra:
    """Light accounts in pools of one relay operator.

    A banned account is replaced within half an hour by one that has a new name, mailbox
    and address, and usually what is left of a card.
    """

    def __init__(self, cast: Cast, count: int) -> None:
        self.cast = cast
        self.stack = Stack(
            "aster-python/2.14.1", ja4("hydra", "t13d1412h2"), server=True
        )
        self.sign_up_stack = Stack(BROWSERS[0].user_agent, ja4("headless"))
        corpus = [Template(f, s, seed=f"{cast.seed}") for f, s in harvest.AGENTIC]
        self.corpus = corpus
        # Half of the mailboxes lie in two domains that the operator owns.
        own = [f"{mark('mail', cast.seed, n, length=7)}.example" for n in (1, 2)]
        self.mail = [*own, "mailbox.example", "inbox.test"]
        self.pools: dict[str, Sender] = {}
        self.successors: set[str] = set()  # accounts that have one
        for n in range(max(1, round(count / POOL_SIZE))):
            self.pools[f"hydra-{n + 1}"] = self._pool(n)
        for n in range(count):
            self._recruit(f"hydra-{n % len(self.pools) + 1}", n)
        self._wave_of_bans()

    def _pool(self, number: int) -> Sender:
        """One sub-pool: its own balancer and tool schema, the campaign's corpus."""
        rng = self.cast.dice("hydra pool", number)
        private = Harvest(rng.sample(self.corpus, 5))
        episode = App(
            Loop(private, Template(*harvest.OBSERVATION, seed="observation")),
            turns=Spread(5, 0.6, 24),
            pace=Spread(9, 1.0, 900),
            answer=Spread(520, 0.6, 4096),
            stack=self.stack,
            system_hash=mark("system", self.cast.seed, "hydra", number),
            system_tokens=900,
            tools_hash=mark("tools", self.cast.seed, "hydra", number),
            tool_count=6,
            temperature=1.0,
            max_tokens=4096,
        )
        cover = apps.chat(apps.EVERYDAY, self.stack)
        return self.cast.send(
            Sender(
                key=f"hydra/{number}",
                accounts=[],
                apps=[(episode, 1.0), (cover, 0.22)],
                volume=0.0,
                rhythm=Rhythm(
                    ("product", "developer")[number % 2], (8, 2, -5)[number % 3]
                ),
                models=Models(
                    USUAL,
                    NEWEST,
                    self.cast.released_at + (0.5 + 0.4 * number) * HOUR,
                    share=0.62,
                    ramp=5 * HOUR,
                ),
                mood=0.05,
                balances=True,
                hand_over=0.02,
                returns=0.03,
            )
        )

    def _recruit(self, pool: str, number: int) -> Account:
        sender = self.pools[pool]
        batch = number // (len(self.pools) * CARDS)
        money = self.cast.dice("hydra card", pool, batch)
        rng = self.cast.dice("hydra", number)
        account = self._account(rng, pool, f"hydra/{number}", number // BLOCKS)
        account.card = identities.card(money)
        # A card's accounts are signed up in one sitting; sittings go on for ten days.
        begin = self.cast.at_day(money.uniform(-9, 9))
        account.created_at = begin + money.uniform(0, 4) * HOUR + rng.uniform(0, 2400)
        account.program = "startup" if rng.random() < 0.15 else "none"
        sender.accounts.append(account)
        sender.volume += 125.0
        return account

    def _account(self, rng: Dice, pool: str, name: str, block: int) -> Account:
        account = self.cast.sign_up(rng, "hydra", name, pool=pool, campaign=HYDRA)
        account.truth["person"] = "operator-hydra"
        account.routes = (internet.proxy(rng, block),)
        account.person = identities.person(rng, rng.choice(self.mail), CATCH_ALL)
        account.stack, account.key_ids = self.stack, key_ids(rng)
        account.signup_stack = self.sign_up_stack
        account.plan, account.verification = "pay_as_you_go", "payment"
        return account

    def _wave_of_bans(self) -> None:
        """The provider's own earlier sweep, before anybody saw a cluster."""
        at = self.cast.at_day(13.3)
        rng = self.cast.dice("hydra sweep")
        known = [a for p in self.pools.values() for a in p.accounts]
        known = [account for account in known if account.created_at < at - DAY]
        for account in rng.sample(known, min(len(known) // 4, self.cast.count(9))):
            account.until = at + rng.uniform(0, 120)
            account.status = "banned"
            self.replace(account, account.until)

    def has_replaced(self, lost: Account) -> bool:
        return lost.id in self.successors

    def replace(self, lost: Account, banned_at: float) -> Account:
        """The account that takes a banned one's place two to thirty minutes later."""
        pool = str(lost.truth["pool"])
        self.successors.add(lost.id)
        rng = self.cast.dice("hydra replacement", lost.id)
        account = self._account(
            rng, pool, f"hydra/for/{lost.id}", 40 + len(self.successors) // BLOCKS
        )
        account.card = lost.card if rng.random() < 0.5 else identities.card(rng)
        account.created_at = banned_at + min(30.0, 2 + around(rng, 6, 0.7)) * 60
        self.pools[pool].accounts.append(account)
        return account


def reasoning(cast: Cast, count: int) -> None:
    """Few and heavy: the finished answer is given, the reasoning behind it is wanted;
    others grade. All start at the same signal; eight accounts share a card."""
    stack = Stack("hoopoe-http/2.32.3", ja4("reasoning", "t13d1715h1"), server=True)
    members = []
    for n in range(count):
        rng = cast.dice("reasoning", n)
        money = cast.dice("reasoning card", n // 8)
        account = cast.sign_up(
            rng,
            REASONING,
            f"reasoning/{n}",
            pool=f"reasoning-{n // 8 + 1}",
            campaign=REASONING,
        )
        account.truth["person"] = "operator-reasoning"
        account.card = identities.card(money)
        account.plan, account.verification = "pay_as_you_go", "payment"
        account.program = "research" if n % 5 == 0 else "none"
        account.created_at = (
            cast.at_day(money.uniform(-6, 4)) + rng.uniform(0, 30) * HOUR
        )
        account.routes = (internet.proxy(rng, 900 + n // 6),)
        account.stack, account.key_ids = stack, key_ids(rng)
        members.append(account)
    cast.send(
        Sender(
            key=REASONING,
            accounts=members,
            apps=_reasoning_apps(cast, stack),
            volume=430.0 * count,
            rhythm=Rhythm("office", 8),
            models=Models(USUAL, NEWEST, cast.released_at + 30 * HOUR, 0.5, 3 * DAY),
            mood=0.1,
            waves=True,
        )
    )


def _reasoning_apps(cast: Cast, stack: Stack) -> list[tuple[App, float]]:
    elicit = App(
        Harvest([Template(f, s, seed=str(cast.seed)) for f, s in harvest.REASONING]),
        turns=Spread(4, 0.4, 10),
        pace=Spread(6, 0.6, 120),
        answer=Spread(1300, 0.4, 4000),
        single=True,
        stack=stack,
        temperature=0.6,
        max_tokens=4096,
    )
    grade = replace(
        elicit,
        script=Harvest([Template(*harvest.RUBRIC, seed=str(cast.seed))], again=0.1),
        answer=Spread(70, 0.3, 200),
        temperature=0.0,
        max_tokens=256,
    )
    return [(elicit, 0.6), (grade, 0.4)]


def relay(cast: Cast, count: int) -> None:
    """A grey-market relay: breaks the terms, balances like the hydra, but its traffic
    is its buyers' own. A resale pool, not a distillation campaign."""
    stack = sdk(cast.dice("relay"))
    members = []
    for n in range(count):
        rng = cast.dice("relay", n)
        money = cast.dice("relay card", n // 4)
        account = cast.sign_up(rng, "relay_resale", f"relay/{n}", pool="relay-1")
        account.card = identities.card(money)
        account.plan, account.verification = "pay_as_you_go", "payment"
        account.routes = (internet.proxy(rng, 700 + n // 8),)
        account.stack, account.key_ids = stack, key_ids(rng)
        members.append(account)
    cast.send(
        Sender(
            key="relay",
            accounts=members,
            apps=[
                (apps.chat(apps.EVERYDAY, stack), 1.0),
                (apps.chat(apps.STUDYING, stack), 0.6),
                (apps.chat(apps.CODING, stack), 0.7),
            ],
            volume=140.0 * count,
            rhythm=Rhythm("evening", 8),
            models=cast.honest_models(cast.dice("relay models"), days=2),
            mood=0.1,
            balances=True,
            hand_over=0.03,
            returns=0.04,
        )
    )
