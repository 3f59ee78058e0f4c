"""Innocent organisations. Colleagues share cards, networks, templates and programs, and
some of them share these with other organisations as well (detection.md 5.1).

Sizes and volumes are meant as in `honest.py`.
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.cast import NEWEST, SMALL, USUAL, Cast, key_ids, offset
from ingest.demo.clients import Stack, sdk
from ingest.demo.clock import DAY, HOUR, Rhythm, Span
from ingest.demo.dice import around, mark
from ingest.demo.grammars import Harvest, Job, Template
from ingest.demo.senders import Burst, Sender
from ingest.demo.texts import harvest, study
from ingest.demo.traffic import App, Models, Spread


def startups(cast: Cast, count: int) -> None:
    """A product in production with a template or three; one in five keeps production,
    staging and development as separate organisations on one card."""
    for n in range(count):
        rng = cast.dice("startup", n)
        org = identities.organization(cast.seed, f"startup/{n}", rng)
        app = apps.company_app(rng, org.name, sdk(rng))
        bill, split = identities.card(rng), rng.random() < 0.2
        volume = min(1500.0, around(rng, 260, 0.8))
        stages = ("prod", "stage", "dev")[: 1 + int(rng.random() * 3)]
        born = cast.joined(rng)
        for stage, share in zip(stages, (1.0, 0.12, 0.06), strict=False):
            account = cast.sign_up(
                rng, "startup", f"startup/{n}/{stage}", pool=f"startup-{n}"
            )
            account.created_at = min(
                born + rng.uniform(0, 5) * DAY, cast.span.end - 2 * DAY
            )
            owner = (
                identities.organization(cast.seed, f"startup/{n}/{stage}", rng)
                if split and stage != "prod"
                else org
            )
            cast.join_organization(account, replace(owner, name=org.name))
            account.card, account.plan = bill, "pay_as_you_go"
            account.program = "startup" if rng.random() < 0.3 else "none"
            account.verification, account.stack = "payment", sdk(rng)
            account.key_ids = key_ids(rng, 1 + int(rng.random() * 3))
            account.routes = (internet.cloud(rng),)
            sender = cast.send_own(account, app, volume * share, rng)
            sender.rhythm = Rhythm("product", offset(rng))
            sender.mood = 0.1
            if rng.random() < 0.15:
                reading = replace(app, operation="embeddings", max_tokens=None)
                sender.apps = [(app, 1.0), (reading, 0.4)]


def agency(cast: Cast, count: int) -> None:
    """A white-label agency: one program, one tool schema and one card under the names
    of its clients, each an organisation of its own. The hardest innocent of all."""
    shared = cast.dice("agency")
    bill = identities.card(shared)
    tools = mark("tools", cast.seed, "agency")
    product = "Harbourlight Concierge" + (f" {cast.place}" if cast.place else "")
    for n in range(count):
        rng = cast.dice("agency", n)
        org = identities.organization(cast.seed, f"agency/{n}", rng)
        account = cast.sign_up(
            rng, "white_label_agency", f"agency/{n}", pool="agency-1"
        )
        cast.join_organization(account, org)
        account.created_at = cast.span.start - rng.uniform(20, 300) * DAY
        account.card, account.plan = bill, "team"
        account.verification, account.stack = "organization", sdk(shared)
        account.key_ids = key_ids(rng)
        account.routes = (internet.cloud(rng),)
        app = apps.company_app(cast.dice("agency app"), product, account.stack)
        app = replace(app, tools_hash=tools, tool_count=4)
        sender = cast.send_own(account, app, min(900.0, around(rng, 190, 1.0)), rng)
        sender.rhythm, sender.mood = Rhythm("product", offset(rng)), 0.15


def corporate_vpn(cast: Cast, count: int) -> None:
    """A company's staff behind two addresses, on the company's card, in its hours."""
    rng = cast.dice("office")
    org = identities.organization(cast.seed, "office", rng)
    bill = identities.card(rng)
    for n in range(count):
        rng = cast.dice("office", n)
        account = cast.sign_up(rng, "corporate_vpn", f"office/{n}", pool="office-1")
        cast.join_organization(account, org)
        account.card, account.plan = bill, "enterprise"
        account.verification = "organization"
        account.routes = (internet.office(rng, cast.place),)
        coding = rng.random() < 0.3
        app = apps.chat(apps.CODING) if coding else apps.CHAT_WINDOW
        sender = cast.send_own(account, app, min(220.0, around(rng, 34, 0.8)), rng)
        sender.rhythm = Rhythm("office", offset(cast.dice("office site", n % 3)))


def reseller(cast: Cast, count: int) -> None:
    """A registered aggregator: a hundred end users' requests go round its keys, so its
    accounts balance and continue each other's conversations, with permission."""
    rng = cast.dice("reseller")
    org = identities.organization(cast.seed, "reseller", rng)
    bill, stack, members = identities.card(rng), sdk(rng), []
    for n in range(count):
        rng = cast.dice("reseller", n)
        account = cast.sign_up(rng, "reseller", f"reseller/{n}", pool="reseller-1")
        cast.join_organization(account, org)
        account.created_at = cast.span.start - rng.uniform(60, 320) * DAY
        account.card, account.plan, account.contract = bill, "enterprise", "reseller"
        account.verification, account.stack = "organization", stack
        account.key_ids = key_ids(rng, 3)
        account.routes = (internet.cloud(cast.dice("reseller host", n % 4)),)
        members.append(account)
    cast.send(
        Sender(
            key="reseller",
            accounts=members,
            apps=[
                (apps.chat(apps.EVERYDAY, stack), 1.0),
                (apps.chat(apps.CODING, stack), 0.8),
                (apps.chat(apps.STUDYING, stack), 0.3),
            ],
            volume=150.0 * count,
            rhythm=Rhythm("product", 0),
            models=cast.honest_models(rng, days=3),
            mood=0.05,
            balances=True,
            hand_over=0.25,
            returns=0.02,
        )
    )


def evaluators(cast: Cast, count: int) -> None:
    """Labs and journalists who sweep every capability, grade answers by the model, and
    are there on the day of the release. Some have an evaluation contract."""
    sweep = App(
        Job([Template(f, s, seed="benchmark") for f, s in study.BENCHMARK]),
        turns=Spread(45, 0.6, 200),
        pace=Spread(3, 0.5, 30),
        answer=Spread(24, 0.9, 400),
        temperature=0.0,
        max_tokens=512,
        single=True,
    )
    released = cast.released_at
    for n in range(count):
        rng = cast.dice("evaluator", n)
        lab = f"eval-{n % 3 + 1}"
        account = cast.sign_up(rng, "evaluator", f"evaluator/{n}", pool=lab)
        org_rng = cast.dice("evaluator org", lab)
        org = identities.organization(cast.seed, lab, org_rng)
        cast.join_organization(account, org)
        account.card, account.plan = identities.card(org_rng), "pay_as_you_go"
        account.program, account.stack = "research", sdk(rng)
        account.verification = "organization"
        account.contract = "evaluation" if n % 3 == 0 else "standard"
        account.key_ids = key_ids(rng)
        account.routes = (internet.cloud(rng),)
        sender = cast.send_own(account, sweep, around(rng, 260, 0.5), rng)
        sender.apps = [(replace(sweep, stack=account.stack), 1.0)]
        sender.rhythm = Rhythm("always")
        sender.models = Models(USUAL, NEWEST, released + rng.uniform(0.5, 5) * HOUR)
        begin = released + rng.uniform(0.5, 8) * HOUR
        long = rng.uniform(24, 72) * HOUR
        sender.bursts = (Burst(Span(begin, begin + long), 0.7),)


def licensed_distiller(cast: Cast, count: int) -> None:
    """A customer who may train its own model on the answers, by contract: a corpus
    worked through without repeats, spread over its accounts."""
    rng = cast.dice("licensed")
    org = identities.organization(cast.seed, "licensed", rng)
    bill, stack, members = identities.card(rng), sdk(rng), []
    for n in range(count):
        rng = cast.dice("licensed", n)
        account = cast.sign_up(
            rng, "licensed_distiller", f"licensed/{n}", pool="licensed-1"
        )
        cast.join_organization(account, org)
        account.created_at = cast.span.start - rng.uniform(40, 200) * DAY
        account.card, account.plan = bill, "enterprise"
        account.contract = "distillation_licensed"
        account.verification, account.stack = "organization", stack
        account.key_ids = key_ids(rng, 2)
        account.routes = (internet.cloud(cast.dice("licensed host")),)
        members.append(account)
    cast.send(
        Sender(
            key="licensed",
            accounts=members,
            apps=[(_licensed_corpus(stack, cast.place), 1.0)],
            volume=700.0 * count,
            rhythm=Rhythm("nightly", 1),
            models=cast.honest_models(rng, days=2),
            mood=0.1,
            balances=True,
        )
    )


def _licensed_corpus(stack: Stack, place: int) -> App:
    seed = f"licensed {place}" if place else "licensed"
    return App(
        Harvest([Template(f, s, seed=seed) for f, s in harvest.LICENSED]),
        turns=Spread(30, 0.6, 120),
        pace=Spread(3, 0.5, 30),
        answer=Spread(210, 0.35, 900),
        stack=stack,
        temperature=0.8,
        max_tokens=1024,
        operation="batch",
        single=True,
    )


def batch_enterprises(cast: Cast, count: int) -> None:
    """Thousands of documents a night through one template and one account."""
    for n in range(count):
        rng = cast.dice("batch", n)
        org = identities.organization(cast.seed, f"batch/{n}", rng)
        account = cast.sign_up(rng, "batch_enterprise", f"batch/{n}")
        cast.join_organization(account, org)
        account.created_at = cast.span.start - rng.uniform(60, 330) * DAY
        account.card, account.plan = identities.card(rng), "enterprise"
        account.verification, account.stack = "organization", sdk(rng)
        account.key_ids = key_ids(rng)
        account.routes = (internet.cloud(rng),)
        app = apps.company_app(rng, org.name, account.stack, batch=True)
        sender = cast.send_own(account, app, around(rng, 1300, 0.3), rng)
        sender.rhythm, sender.mood = Rhythm("nightly", offset(rng)), 0.2
        sender.models = Models(SMALL, NEWEST)
