"""Campaigns that harvest through others: with stolen keys of real customers, and by
buying what a relay's users asked anyway (detection.md 5.2).
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.accounts import Account
from ingest.demo.campaigns import (
    agentic_corpus,
    agentic_episode,
    disguise,
    spread_sign_up,
)
from ingest.demo.cast import NEWEST, USUAL, Cast, key_ids
from ingest.demo.clients import Stack, ja4, sdk
from ingest.demo.clock import HOUR, Rhythm
from ingest.demo.evasion import Evasion
from ingest.demo.senders import Sender
from ingest.demo.traffic import Models

STOLEN_KEYS, LOG_BUYING = "stolen_keys", "log_buying"
ROBBED = "compromised_customer"
# Of the blocks of addresses that each operator rents.
FIRST_BLOCK = {LOG_BUYING: 500, STOLEN_KEYS: 600}
# Kinds of customers whose keys lie about in build logs and public repositories.
_CARELESS = ("startup", "batch_enterprise", "round_the_clock_agent")


def stolen_keys(cast: Cast, count: int, evasion: Evasion) -> None:
    """A corpus asked through the keys of real customers, beside their own traffic. The
    victims stay innocent; their keys are not. To be called when they have signed up."""
    careless = [a for a in cast.accounts if a.truth["population"] in _CARELESS]
    rng = cast.dice(STOLEN_KEYS)
    stack = Stack("aster-go/0.30.2", ja4(STOLEN_KEYS, "t13d1813h2"), server=True)
    stolen = [
        _as_the_thief(cast, victim, n, stack, evasion)
        for n, victim in enumerate(rng.sample(careless, min(count, len(careless))))
    ]
    episode = agentic_episode(
        cast,
        STOLEN_KEYS,
        0,
        evasion,
        None if evasion.personas else stack,
        agentic_corpus(cast),
    )
    cast.send(
        Sender(
            key=STOLEN_KEYS,
            accounts=stolen,
            apps=[(episode, 1.0)],  # the victims' own traffic is cover enough
            volume=cast.volume(150.0, 400.0) * len(stolen),
            rhythm=Rhythm("product", 6),
            models=_swift(cast, evasion),
            mood=0.1,
            balances=True,
            hand_over=evasion.hand_over,
            returns=evasion.returns,
        )
    )


def _as_the_thief(
    cast: Cast, victim: Account, n: int, stack: Stack, evasion: Evasion
) -> Account:
    """The victim's account as the thief has it: one of its keys, another machine."""
    victim.truth["population"] = ROBBED
    victim.truth["robbed_by"] = STOLEN_KEYS
    rng = cast.dice(STOLEN_KEYS, n)
    block = FIRST_BLOCK[STOLEN_KEYS] + n // evasion.a_block
    found = cast.at_day(1 + rng.uniform(0, 12))
    thief = replace(
        victim,
        created_at=max(victim.created_at, found),
        key_ids=victim.key_ids[-1:],
        routes=(internet.proxy(rng, block),),
        stack=stack,
    )
    if evasion.own_network:
        thief.routes = (internet.cloud(rng),)
    if evasion.personas:
        thief.stack = victim.stack
    return thief


def log_buying(cast: Cast, count: int, evasion: Evasion) -> None:
    """A relay whose operator sells what its users ask: all prompts are somebody's own
    questions, all answers are taken. Nothing but the pool can give it away."""
    stack = sdk(cast.dice(LOG_BUYING))
    members = [_seller(cast, n, stack, evasion) for n in range(count)]
    client = None if evasion.personas else stack
    talks = ((apps.EVERYDAY, 1.0), (apps.CODING, 0.9), (apps.STUDYING, 0.5))
    cast.send(
        Sender(
            key=LOG_BUYING,
            accounts=members,
            apps=[
                (replace(apps.chat(talk, client), purpose="harvest"), weight)
                for talk, weight in talks
            ],
            volume=cast.volume(150.0, 400.0) * count,
            rhythm=Rhythm("evening", 7),
            models=cast.honest_models(cast.dice("log buying models"), days=2),
            mood=0.1,
            balances=True,
            hand_over=evasion.hand_over,
            returns=evasion.returns,
        )
    )


def _seller(cast: Cast, n: int, stack: Stack, evasion: Evasion) -> Account:
    rng = cast.dice(LOG_BUYING, n)
    name = f"{LOG_BUYING}/{n}"
    account = cast.sign_up(
        rng, LOG_BUYING, name, pool=f"{LOG_BUYING}-1", campaign=LOG_BUYING
    )
    account.truth["person"] = f"operator-{LOG_BUYING}"
    money = cast.dice("log buying card", n // evasion.a_card)
    account.card = identities.card(money)
    account.plan, account.verification = "pay_as_you_go", "payment"
    account.created_at = cast.at_day(money.uniform(-9, 5)) + rng.uniform(0, 3) * HOUR
    block = FIRST_BLOCK[LOG_BUYING] + n // evasion.a_block
    account.routes = (internet.proxy(rng, block),)
    account.stack, account.key_ids = stack, key_ids(rng)
    spread_sign_up(cast, account, evasion, rng)
    disguise(cast, account, evasion, name)
    return account


def _swift(cast: Cast, evasion: Evasion) -> Models:
    """What a harvester does on the day of a release."""
    moves = cast.released_at + 3 * HOUR
    ramp = max(5 * HOUR, 2 * evasion.pivot_days * 24 * HOUR)
    return Models(USUAL, NEWEST, moves, share=0.62, ramp=ramp)
