"""The attackers: a hydra of light accounts, one of few and heavy ones, and a small one
(reasoning.py has another kind), and, between them and the innocent, a relay that
resells access without harvesting.

Their arrivals come from the same processes as honest ones. Coordination is added by
separate switches: a relay's balancing, a joint move to a new model, shared corpora,
shared cards and rented addresses (relay behaviour: detection.md 1.3).
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.accounts import Account
from ingest.demo.cast import NEWEST, USUAL, Cast, key_ids
from ingest.demo.clients import BROWSERS, Stack, browser, ja4, sdk
from ingest.demo.clock import DAY, HOUR, Rhythm
from ingest.demo.dice import Dice, around, dice, mark
from ingest.demo.evasion import DEMO, Evasion
from ingest.demo.grammars import Harvest, Script, Template
from ingest.demo.rewording import Reworded, in_words, reworded
from ingest.demo.senders import Sender, mean_turns
from ingest.demo.texts import harvest
from ingest.demo.traffic import App, Models, Spread

HYDRA, AGENTIC, MINI, REASONING = "hydra", "agentic", "mini", "reasoning"
POOL_SIZE = 38
LARGE_POOL = 565  # in worlds with attackers enough for one
ENOUGH = 500
# Of the blocks of addresses that each operator rents. The hydra's go on after those of
# the others.
FIRST_BLOCK = {HYDRA: 0, AGENTIC: 300, MINI: 400, "relay": 700, REASONING: 900}
FURTHER_BLOCKS = 1100
CATCH_ALL = "{first}{last}{number:02d}"  # how the operator's script makes mailboxes


class Loop:
    """An agentic episode: the corpus item once, then invented observations."""

    def __init__(
        self, corpus: Script, observation: Template, wording: str | None = None
    ) -> None:
        self.corpus, self.observation = corpus, observation
        self.wording = wording  # None: as it stands

    def topic(self, rng: Dice) -> str:
        return self.corpus.topic(rng)

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        if turn == 1:
            return self.corpus.line(rng, topic, turn)
        told = self.observation.following()
        return reworded(told, dice("wording", self.wording)) if self.wording else told


class Hydra:
    """Light accounts in pools of one relay operator.

    A banned account is replaced by one that has a new name, mailbox and address, and
    usually what is left of a card; in the demo within half an hour. `each` is an
    account's exchanges, `pool_size` how many accounts one balancer deals to (default:
    `POOL_SIZE`, and `LARGE_POOL` where there are so many).
    """

    def __init__(
        self,
        cast: Cast,
        count: int,
        evasion: Evasion = DEMO,
        *,
        name: str = HYDRA,
        each: float = 125.0,
        pool_size: int | None = None,
    ) -> None:
        self.cast, self.evasion, self.name, self.each = cast, evasion, name, each
        self.stack = Stack("aster-python/2.14.1", ja4(name, "t13d1412h2"), server=True)
        script = "headless" if name == HYDRA else f"headless {name}"
        self.sign_up_stack = Stack(BROWSERS[0].user_agent, ja4(script))
        self.corpus = agentic_corpus(cast)
        # Half of the mailboxes lie in two domains that the operator owns.
        marks = (1, 2) if name == HYDRA else (f"{name} 1", f"{name} 2")
        own = [f"{mark('mail', cast.seed, n, length=7)}.example" for n in marks]
        self.mail = [*own, "mailbox.example", "inbox.test"]
        if evasion.level > 3:
            self.mail = list(identities.MAIL)
        self.pools: dict[str, Sender] = {}
        self.successors: set[str] = set()  # accounts that have one
        if pool_size is None:
            pool_size = POOL_SIZE if count < ENOUGH else LARGE_POOL
        for n in range(_pools(count, pool_size)):
            self.pools[f"{name}-{n + 1}"] = self._pool(n)
        for n in range(count):
            self._recruit(f"{name}-{n % len(self.pools) + 1}", n)
        if name == HYDRA:
            self._wave_of_bans()

    def _pool(self, number: int) -> Sender:
        """One sub-pool: its own balancer and tool schema, the campaign's corpus."""
        evasion = self.evasion
        episode = agentic_episode(
            self.cast,
            self.name,
            number,
            evasion,
            None if evasion.personas else self.stack,
            self.corpus,
        )
        cover = apps.chat(apps.EVERYDAY, episode.stack)
        return self.cast.send(
            Sender(
                key=f"{self.name}/{number}",
                accounts=[],
                apps=with_cover(episode, cover, evasion),
                volume=0.0,
                rhythm=Rhythm(
                    ("product", "developer")[number % 2], (8, 2, -5)[number % 3]
                ),
                models=Models(
                    USUAL,
                    NEWEST,
                    self.cast.released_at + (0.5 + 0.4 * number) * HOUR,
                    share=0.62,
                    ramp=max(5 * HOUR, 2 * evasion.pivot_days * DAY),
                ),
                mood=0.05,
                balances=True,
                hand_over=evasion.hand_over,
                returns=evasion.returns,
            )
        )

    def _recruit(self, pool: str, number: int) -> Account:
        sender, evasion = self.pools[pool], self.evasion
        batch = number // (len(self.pools) * evasion.a_card)
        money = self.cast.dice(f"{self.name} card", pool, batch)
        rng = self.cast.dice(self.name, number)
        block = number // evasion.a_block + FIRST_BLOCK[self.name]
        if self.name == HYDRA and block >= FIRST_BLOCK[AGENTIC]:
            block += FURTHER_BLOCKS
        account = self._account(rng, pool, f"{self.name}/{number}", block)
        account.card = identities.card(money)
        # A card's accounts are signed up in one sitting; sittings go on for ten days.
        begin = self.cast.at_day(money.uniform(-9, 9))
        account.created_at = begin + money.uniform(0, 4) * HOUR + rng.uniform(0, 2400)
        account.program = "startup" if rng.random() < 0.15 else "none"
        spread_sign_up(self.cast, account, evasion, rng)
        sender.accounts.append(account)
        sender.volume += self.each
        return account

    def _account(self, rng: Dice, pool: str, name: str, block: int) -> Account:
        account = self.cast.sign_up(rng, self.name, name, pool=pool, campaign=self.name)
        account.truth["person"] = f"operator-{self.name}"
        account.routes = (internet.proxy(rng, block),)
        account.person = identities.person(rng, rng.choice(self.mail), CATCH_ALL)
        account.stack, account.key_ids = self.stack, key_ids(rng)
        account.signup_stack = self.sign_up_stack
        account.plan, account.verification = "pay_as_you_go", "payment"
        disguise(self.cast, account, self.evasion, name)
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
        """The account that takes a banned one's place, two minutes later or more."""
        pool = str(lost.truth["pool"])
        self.successors.add(lost.id)
        rng = self.cast.dice("hydra replacement", lost.id)
        account = self._account(
            rng,
            pool,
            f"hydra/for/{lost.id}",
            40 + len(self.successors) // self.evasion.a_block,
        )
        account.card = lost.card if rng.random() < 0.5 else identities.card(rng)
        slowest = self.evasion.replaced_within
        minutes = min(slowest, 2 + around(rng, slowest / 5, 0.7))
        account.created_at = banned_at + minutes * 60
        self.pools[pool].accounts.append(account)
        return account


def _pools(count: int, pool_size: int) -> int:
    """How many pools; large ones are never smaller than asked for."""
    if pool_size >= ENOUGH:
        return max(1, count // pool_size)
    return max(1, round(count / pool_size))


def agentic_corpus(cast: Cast) -> list[Template]:
    return [Template(f, s, seed=f"{cast.seed}") for f, s in harvest.AGENTIC]


def agentic_episode(
    cast: Cast,
    name: str,
    number: int,
    evasion: Evasion,
    stack: Stack | None,
    corpus: list[Template],
) -> App:
    """The program of one campaign's pool: five of the corpus's templates in a wording
    of the campaign's own (the hydra's is the plain one), and a tool schema."""
    rng = cast.dice(f"{name} pool", number)
    private: Script = Harvest(rng.sample(corpus, 5))
    if name != HYDRA:
        private = Reworded(private, 1, name)
    return App(
        Loop(
            in_words(private, evasion.wordings, f"{cast.seed}"),
            Template(*harvest.OBSERVATION, seed="observation"),
            None if name == HYDRA else name,
        ),
        turns=Spread(5, 0.6, 24),
        pace=Spread(9, 1.0, 900),
        answer=Spread(520, 0.6, 4096),
        stack=stack,
        system_hash=mark("system", cast.seed, name, number),
        system_tokens=900,
        tools_hash=mark("tools", cast.seed, name, number),
        tool_count=6,
        temperature=1.0,
        max_tokens=4096,
        jitters=evasion.jitters,
        purpose="harvest",
    )


def with_cover(app: App, cover: App, evasion: Evasion) -> list[tuple[App, float]]:
    """The two such that `evasion.cover` of the exchanges are cover; a conversation of
    either has as many turns as it has."""
    cover = replace(cover, purpose="camouflage")
    if not evasion.cover:
        return [(app, 1.0)]
    if evasion is DEMO:
        return [(app, 1.0), (cover, 0.22)]
    odds = evasion.cover / (1 - evasion.cover)
    return [(app, 1.0), (cover, odds * mean_turns(app.turns) / mean_turns(cover.turns))]


def spread_sign_up(cast: Cast, account: Account, evasion: Evasion, rng: Dice) -> None:
    """When it signed up, where that is not left to the sitting."""
    if evasion.aged:
        account.created_at = cast.span.start - rng.uniform(60, 380) * DAY
    elif evasion.sign_up_days:
        account.created_at = cast.at_day(rng.uniform(-2, evasion.sign_up_days - 2))


def disguise(cast: Cast, account: Account, evasion: Evasion, name: str) -> None:
    """What makes one account unlike the next."""
    rng = cast.dice("disguise", name)
    if evasion.own_network:
        account.routes = (internet.home(rng),)
    if evasion.personas:
        account.stack, account.signup_stack = sdk(rng), browser(rng)
        begin = int(rng.random() * 24)
        length = 9 + int(rng.random() * 6)
        account.hours = frozenset((begin + n) % 24 for n in range(length))
        account.person = identities.person(rng, rng.choice(identities.MAIL))
    if evasion.shares:
        account.share = min(6.0, around(rng, 1.0, evasion.shares))
        if rng.random() < evasion.spare:
            account.share = 0.03
    if evasion.own_tools:
        account.tools_hash = mark("tools", cast.seed, name)


def more(cast: Cast, evasion: Evasion) -> None:
    """Campaigns of other sizes: few heavy accounts over five ways of access, and one
    that is small in everything."""
    heavy = replace(evasion, a_card=min(3, evasion.a_card))
    count = cast.count(20, 10, 0.00076)
    each = cast.volume(600.0, 2900.0)
    Hydra(cast, count, heavy, name=AGENTIC, each=each, pool_size=max(4, count // 5))
    if cast.size >= 2000:
        Hydra(cast, 40, evasion, name=MINI, each=375.0, pool_size=40)


def relay(cast: Cast, count: int) -> None:
    """A grey-market relay: breaks the terms, balances like the hydra, but its traffic
    is its buyers' own. A resale pool, not a distillation campaign."""
    stack = sdk(cast.dice("relay"))
    block = FIRST_BLOCK["relay"] + (4000 + 60 * cast.place if cast.place else 0)
    members = []
    for n in range(count):
        rng = cast.dice("relay", n)
        money = cast.dice("relay card", n // 4)
        account = cast.sign_up(rng, "relay_resale", f"relay/{n}", pool="relay-1")
        account.card = identities.card(money)
        account.plan, account.verification = "pay_as_you_go", "payment"
        account.routes = (internet.proxy(rng, block + n // 8),)
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
