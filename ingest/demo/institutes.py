"""Innocent organisations of worlds to measure with, beside those of `companies.py`: a
company that deals its product's requests out to accounts of its own, and researchers
of censorship (detection.md 5.1).
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.cast import Cast, key_ids, offset
from ingest.demo.clients import sdk
from ingest.demo.clock import DAY, Rhythm
from ingest.demo.dice import around, mark
from ingest.demo.grammars import Job, Template
from ingest.demo.honest import in_cohorts
from ingest.demo.senders import Sender
from ingest.demo.texts import crowds
from ingest.demo.traffic import App, Spread


def everyone(cast: Cast) -> None:
    in_cohorts(cast, key_pool, 20, 4, 0.0006)
    policy_researchers(cast, cast.count(6, 3, 0.0002))


def key_pool(cast: Cast, count: int) -> None:
    """One company's assistant over a pool of its own accounts: each request takes the
    next one, so conversations change accounts at every turn. No contract says so."""
    shared = cast.dice("key pool")
    org = identities.organization(cast.seed, "key pool", shared)
    bill, stack, members = identities.card(shared), sdk(shared), []
    for n in range(count):
        rng = cast.dice("key pool", n)
        account = cast.sign_up(rng, "key_pool", f"key-pool/{n}", pool="key-pool-1")
        cast.join_organization(account, org)
        account.created_at = cast.span.start - rng.uniform(30, 200) * DAY
        account.card, account.plan = bill, "team"
        account.verification, account.stack = "organization", stack
        account.key_ids = key_ids(rng, 2)
        account.routes = (internet.cloud(cast.dice("key pool host", n % 3)),)
        members.append(account)
    cast.send(
        Sender(
            key="key pool",
            accounts=members,
            apps=[(_assistant(cast), 1.0)],
            volume=110.0 * count,
            rhythm=Rhythm("product", offset(shared)),
            models=cast.honest_models(shared, days=4),
            mood=0.1,
            balances=True,
            hand_over=1.0,
        )
    )


def _assistant(cast: Cast) -> App:
    return replace(
        apps.CHAT_WINDOW,
        stack=None,
        system_hash=mark("system", cast.seed, "key pool"),
        system_tokens=1300,
        tools_hash=mark("tools", cast.seed, "key pool"),
        tool_count=5,
        temperature=0.4,
        max_tokens=1024,
        images=0.0,
    )


def policy_researchers(cast: Cast, count: int) -> None:
    """People who study what is left out, by having sensitive questions reworded. Three
    share an institute, its network and its grant's card."""
    asking = App(
        Job([Template(f, s, seed="sensitive") for f, s in crowds.SENSITIVE]),
        turns=Spread(2.5, 0.6, 12),
        pace=Spread(70, 0.9, 2400),
        answer=Spread(300, 0.5, 1800),
        system_hash=apps.CHAT_WINDOW.system_hash,
        system_tokens=apps.CHAT_WINDOW.system_tokens,
        stream=True,
    )
    for n in range(count):
        rng = cast.dice("policy", n)
        institute = cast.dice("institute", n // 3)
        org = identities.organization(cast.seed, f"institute/{n // 3}", institute)
        account = cast.sign_up(
            rng, "policy_researcher", f"policy/{n}", pool=f"institute-{n // 3 + 1}"
        )
        cast.join_organization(account, org)
        account.card, account.plan = identities.card(institute), "pay_as_you_go"
        account.program, account.verification = "research", "organization"
        account.routes = (internet.home(institute), account.routes[0])
        sender = cast.send_own(account, asking, min(160.0, around(rng, 50, 0.5)), rng)
        sender.apps = [(asking, 1.0), (apps.chat(apps.STUDYING), 0.7)]
        sender.rhythm = Rhythm("office", 1)
