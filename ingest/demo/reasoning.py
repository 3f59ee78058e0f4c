"""A campaign that wants the reasoning behind finished answers: few accounts and heavy,
in waves, and others that grade.

What it shares with the other attackers (disguises, sign-ups, cover) is in campaigns.py.
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.accounts import Account
from ingest.demo.campaigns import (
    FIRST_BLOCK,
    REASONING,
    disguise,
    spread_sign_up,
    with_cover,
)
from ingest.demo.cast import NEWEST, USUAL, Cast, key_ids
from ingest.demo.clients import Stack, ja4
from ingest.demo.clock import DAY, HOUR, Rhythm
from ingest.demo.evasion import DEMO, Evasion
from ingest.demo.grammars import Harvest, Template
from ingest.demo.rewording import in_words
from ingest.demo.senders import Sender
from ingest.demo.texts import harvest
from ingest.demo.traffic import App, Models, Spread


def campaign(cast: Cast, count: int, evasion: Evasion = DEMO) -> None:
    """Few and heavy: the finished answer is given, the reasoning behind it is wanted;
    others grade. All start at the same signal; eight accounts share a card."""
    a_card = min(8, evasion.a_card)
    stack = Stack("hoopoe-http/2.32.3", ja4("reasoning", "t13d1715h1"), server=True)
    members = [_reasoner(cast, n, a_card, stack, evasion) for n in range(count)]
    cast.send(
        Sender(
            key=REASONING,
            accounts=members,
            apps=_reasoning_apps(cast, None if evasion.personas else stack, evasion),
            volume=cast.volume(430.0, 200.0) * count,
            rhythm=Rhythm("office", 8),
            models=Models(USUAL, NEWEST, cast.released_at + 30 * HOUR, 0.5, 3 * DAY),
            mood=0.1,
            waves=not evasion.personas,
            balances=evasion.personas,
        )
    )


def _reasoner(
    cast: Cast, n: int, a_card: int, stack: Stack, evasion: Evasion
) -> Account:
    rng = cast.dice("reasoning", n)
    money = cast.dice("reasoning card", n // a_card)
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
    account.created_at = cast.at_day(money.uniform(-6, 4)) + rng.uniform(0, 30) * HOUR
    account.routes = (internet.proxy(rng, FIRST_BLOCK[REASONING] + n // 6),)
    account.stack, account.key_ids = stack, key_ids(rng)
    spread_sign_up(cast, account, evasion, rng)
    disguise(cast, account, evasion, f"reasoning/{n}")
    return account


def _reasoning_apps(
    cast: Cast, stack: Stack | None, evasion: Evasion
) -> list[tuple[App, float]]:
    seed = str(cast.seed)
    elicit = _elicitation(seed, stack, evasion)
    grade = replace(
        elicit,
        script=in_words(
            Harvest([Template(*harvest.RUBRIC, seed=seed)], again=0.1),
            evasion.wordings,
            seed,
        ),
        answer=Spread(70, 0.3, 200),
        temperature=0.0,
        max_tokens=256,
    )
    if evasion is DEMO:
        return [(elicit, 0.6), (grade, 0.4)]
    rewrites = [Template(f, s, seed=seed) for f, s in harvest.REWRITES]
    soften = replace(
        elicit,
        script=in_words(Harvest(rewrites), evasion.wordings, seed),
        answer=Spread(190, 0.4, 600),
        max_tokens=1024,
    )
    tasks = [(elicit, 0.45), (grade, 0.35), (soften, 0.2)]
    if not evasion.cover:
        return tasks
    (_, one), (cover, other) = with_cover(
        elicit, apps.chat(apps.EVERYDAY, stack), evasion
    )
    return [(task, share * one) for task, share in tasks] + [(cover, other)]


def _elicitation(seed: str, stack: Stack | None, evasion: Evasion) -> App:
    return App(
        in_words(
            Harvest([Template(f, s, seed=seed) for f, s in harvest.REASONING]),
            evasion.wordings,
            seed,
        ),
        turns=Spread(4, 0.4, 10),
        pace=Spread(6, 0.6, 120),
        answer=Spread(1300, 0.4, 4000),
        single=True,
        stack=stack,
        temperature=0.6,
        max_tokens=4096,
        jitters=evasion.jitters,
        purpose="harvest",
    )
