"""The innocent populations. The look-alikes among them are the point: each shares with
the attackers the very thing that one kind of evidence looks at (detection.md 5.1).

Sizes are given for a world of 3,000 accounts. `volume` is exchanges in the whole span,
before the world scales all volumes to the number asked for.
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.accounts import Account
from ingest.demo.cast import NEWEST, SMALL, USUAL, Cast, key_ids, offset
from ingest.demo.clients import PUBLIC_HARNESSES, STARTER, browser, sdk
from ingest.demo.clock import DAY, HOUR, Rhythm, Span
from ingest.demo.dice import Dice, around, favour, mark
from ingest.demo.grammars import Harvest, Job, Template
from ingest.demo.texts import harvest, study
from ingest.demo.traffic import App, Burst, Models, Sender, Spread


def everyone(cast: Cast) -> None:
    """All innocent populations; hobbyists fill up to the size asked for."""
    developers(cast, cast.count(400))
    round_the_clock(cast, cast.count(30, 2))
    startups(cast, cast.count(62, 4))
    agency(cast, cast.count(12, 4))
    campus(cast, cast.count(120, 12))
    student_lab(cast, cast.count(12, 4))
    corporate_vpn(cast, cast.count(80, 6))
    families(cast, cast.count(14, 2))
    reseller(cast, cast.count(24, 4))
    evaluators(cast, cast.count(12, 3))
    licensed_distiller(cast, cast.count(4, 2))
    red_team(cast, cast.count(3, 1))
    batch_enterprises(cast, cast.count(4, 1))
    hackathon(cast, cast.count(60, 8))
    enthusiasts(cast, cast.count(30, 3))
    shared_chat(cast, cast.count(16, 4))


def _pays(account: Account, rng: Dice, chance: float = 1.0) -> None:
    if rng.random() < chance:
        account.card = account.card or identities.card(rng)
        account.plan, account.verification = "pay_as_you_go", "payment"


def _own(cast: Cast, account: Account, app: App, volume: float, rng: Dice) -> Sender:
    """One person's traffic from one account, in the evenings of where they live."""
    return cast.send(
        Sender(
            key=account.id,
            accounts=[account],
            apps=[(app, 1.0)],
            volume=volume,
            rhythm=Rhythm("evening", offset(rng)),
            models=cast.honest_models(rng),
            logs_in=not (app.stack or account.stack).server,
        )
    )


def hobbyists(cast: Cast, count: int) -> None:
    """People in a chat window: short bursts, long silences, most of them small."""
    for n in range(count):
        hobbyist(cast, n)


def hobbyist(cast: Cast, name: object) -> Sender:
    rng = cast.dice("hobbyist", name)
    account = cast.sign_up(rng, "hobbyist", f"hobbyist/{name}")
    _pays(account, rng, 0.35)
    roams = rng.random()
    if roams < 0.4:
        account.routes = (account.routes[0], internet.mobile(rng))
    elif roams < 0.45:
        account.routes = (internet.vpn(rng),)
    account.referrer = rng.choice([None, None, "search", "friend", "newsletter"])
    volume = min(90.0, around(rng, 6, 0.95))
    return _own(cast, account, apps.CHAT_WINDOW, volume, rng)


def developers(cast: Cast, count: int) -> None:
    """People who write code with one of a few public tools; two of these tools make the
    new model their default some hours after its release, and everybody moves."""
    coding = apps.chat(apps.CODING)
    for n in range(count):
        rng = cast.dice("developer", n)
        account = cast.sign_up(rng, "developer", f"developer/{n}")
        _pays(account, rng, 0.85)
        account.key_ids = key_ids(rng)
        harness = favour(rng, PUBLIC_HARNESSES)
        sender = _own(cast, account, coding, min(420.0, around(rng, 42, 0.9)), rng)
        sender.apps = [(apps.coding_agent(harness), 1.0), (coding, 1.2)]
        sender.rhythm = Rhythm("developer", sender.rhythm.offset)
        if harness in PUBLIC_HARNESSES[:2] and rng.random() < 0.5:
            # The update reaches people over a day or so.
            update = cast.released_at + 20 * HOUR + around(rng, 8, 0.7) * HOUR
            sender.models = Models(USUAL, NEWEST, update, share=0.9)


def round_the_clock(cast: Cast, count: int) -> None:
    """Agents that never sleep, each on its owner's own server and timer."""
    for n in range(count):
        rng = cast.dice("round the clock", n)
        account = cast.sign_up(rng, "round_the_clock_agent", f"always/{n}")
        _pays(account, rng)
        account.key_ids = key_ids(rng)
        account.routes = (internet.cloud(rng),)
        agent = apps.coding_agent(favour(rng, PUBLIC_HARNESSES), turns=9)
        sender = _own(cast, account, agent, around(rng, 330, 0.5), rng)
        sender.rhythm, sender.mood = Rhythm("always"), 0.05


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
            sender = _own(cast, account, app, volume * share, rng)
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
        app = apps.company_app(
            cast.dice("agency app"), "Harbourlight Concierge", account.stack
        )
        app = replace(app, tools_hash=tools, tool_count=4)
        sender = _own(cast, account, app, min(900.0, around(rng, 190, 1.0)), rng)
        sender.rhythm, sender.mood = Rhythm("product", offset(rng)), 0.15


def campus(cast: Cast, count: int) -> None:
    """Students behind three addresses: classes that sign up within the hour and paste
    the same exercise in the night before it is due."""
    classes = max(1, min(3, count // 30))
    for n in range(count):
        rng = cast.dice("campus", n)
        group = n % (classes + 1)
        taught = group < classes
        pool = f"class-{group + 1}" if taught else "campus"
        account = cast.sign_up(rng, "campus", f"campus/{n}", pool=pool)
        account.person = identities.person(rng, "student.ostermoor.example")
        account.program, account.verification = "education", "email"
        account.routes = (internet.campus(int(rng.random() * 3)), account.routes[0])
        account.signup_route = account.routes[0]
        talk = apps.chat(apps.STUDYING)
        sender = _own(cast, account, talk, min(120.0, around(rng, 24, 0.7)), rng)
        sender.rhythm = Rhythm("student", 1)
        sender.apps = [(talk, 1.0), (apps.CHAT_WINDOW, 1.0)]
        if taught:
            account.created_at = cast.on_day(3 + group, 10) + rng.uniform(0, 2400)
            account.referrer = f"ostermoor-course-{group + 1}"
            due = cast.on_day(11 + 2 * group, 21)
            sender.bursts = (Burst(Span(due - 30 * HOUR, due), 0.6),)
            sender.apps.append((apps.assignment_app(group), 2.0))


def student_lab(cast: Cast, count: int) -> None:
    """Many students, one machine image: all show the same device."""
    image = identities.device(cast.dice("lab image"))
    stack = browser(cast.dice("lab browser"))
    for n in range(count):
        rng = cast.dice("lab", n)
        account = cast.sign_up(rng, "student_lab", f"lab/{n}", pool="lab-1")
        account.person = identities.person(rng, "student.ostermoor.example")
        account.program = "education"
        account.device_id, account.stack = image, stack
        account.signup_stack = stack
        account.routes = (internet.campus(1),)
        volume = min(80.0, around(rng, 18, 0.6))
        sender = _own(cast, account, apps.chat(apps.STUDYING), volume, rng)
        sender.rhythm = Rhythm("office", 1)


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
        account.routes = (internet.office(rng),)
        coding = rng.random() < 0.3
        app = apps.chat(apps.CODING) if coding else apps.CHAT_WINDOW
        sender = _own(cast, account, app, min(220.0, around(rng, 34, 0.8)), rng)
        sender.rhythm = Rhythm("office", offset(cast.dice("office site", n % 3)))


def families(cast: Cast, count: int) -> None:
    """Two to five people who share a card and a router."""
    for f in range(count):
        shared = cast.dice("family", f)
        bill, house = identities.card(shared), internet.home(shared)
        for n in range(2 + int(shared.random() * 4)):
            rng = cast.dice("family", f, n)
            account = cast.sign_up(
                rng, "family", f"family/{f}/{n}", pool=f"family-{f + 1}"
            )
            account.card, account.plan = bill, "pay_as_you_go"
            account.verification = "payment"
            account.routes = (house, internet.mobile(rng))
            volume = min(90.0, around(rng, 14, 0.8))
            _own(cast, account, apps.CHAT_WINDOW, volume, rng)


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
        sender = _own(cast, account, sweep, around(rng, 260, 0.5), rng)
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
    corpus = App(
        Harvest([Template(f, s, seed="licensed") for f, s in harvest.LICENSED]),
        turns=Spread(30, 0.6, 120),
        pace=Spread(3, 0.5, 30),
        answer=Spread(210, 0.35, 900),
        stack=stack,
        temperature=0.8,
        max_tokens=1024,
        operation="batch",
        single=True,
    )
    cast.send(
        Sender(
            key="licensed",
            accounts=members,
            apps=[(corpus, 1.0)],
            volume=700.0 * count,
            rhythm=Rhythm("nightly", 1),
            models=cast.honest_models(rng, days=2),
            mood=0.1,
            balances=True,
        )
    )


def red_team(cast: Cast, people: int) -> None:
    """Testers of the model's limits, each with some throwaway accounts behind a VPN."""
    probing = apps.chat(apps.PROBING)
    probing = replace(probing, refuses=0.45, answer=Spread(140, 0.7, 900))
    for p in range(people):
        owner = f"person-{mark('red team', cast.seed, p, length=10)}"
        for n in range(2 + p % 3):
            rng = cast.dice("red team", p, n)
            account = cast.sign_up(
                rng, "red_team", f"red/{p}/{n}", pool=f"red-team-{p + 1}"
            )
            account.truth["person"] = owner
            account.program = "research" if n == 0 else "none"
            account.created_at = cast.at_day(2 + 3 * n) + rng.uniform(0, 40) * HOUR
            account.routes = (internet.vpn(rng),)
            _own(cast, account, probing, around(rng, 45, 0.4), rng)


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
        sender = _own(cast, account, app, around(rng, 1300, 0.3), rng)
        sender.rhythm, sender.mood = Rhythm("nightly", offset(rng)), 0.2
        sender.models = Models(SMALL, NEWEST)


def hackathon(cast: Cast, count: int) -> None:
    """Strangers who sign up within two hours with one promotion code, and build on the
    same starter repository for a weekend."""
    opens = cast.on_day(8, 9)
    for n in range(count):
        rng = cast.dice("hackathon", n)
        account = cast.sign_up(rng, "hackathon", f"hackathon/{n}", pool="hackathon-1")
        account.created_at = opens + rng.uniform(0, 2) * HOUR
        account.referrer = "pier7-hack"
        account.key_ids = key_ids(rng)
        at_home = account.routes[0]
        account.routes = (internet.venue(), at_home)
        account.signup_route = account.routes[0]
        account.verification = "phone" if account.person.phone_hash else "email"
        talk = apps.EVERYDAY if rng.random() < 0.5 else apps.CODING
        app = apps.starter_app(talk)
        if rng.random() < 0.5:
            app = apps.starter_app(
                Job([apps.company_template(rng, f"Team {STARTER.name} {n}")])
            )
        sender = _own(cast, account, app, min(150.0, around(rng, 26, 0.8)), rng)
        sender.bursts = (Burst(Span(opens + HOUR, opens + 40 * HOUR), 0.85),)


def enthusiasts(cast: Cast, count: int) -> None:
    """People who drop everything when a new model comes out."""
    for n in range(count):
        rng = cast.dice("enthusiast", n)
        account = cast.sign_up(rng, "enthusiast", f"enthusiast/{n}")
        _pays(account, rng)
        account.referrer = "release-forum" if rng.random() < 0.5 else None
        app = apps.chat(apps.CODING) if n % 2 else apps.CHAT_WINDOW
        sender = _own(cast, account, app, min(200.0, around(rng, 44, 0.6)), rng)
        first = cast.released_at + around(rng, 2, 0.8) * HOUR
        sender.models = Models(USUAL, NEWEST, first, share=0.95)
        sender.bursts = (Burst(Span(first, first + 30 * HOUR), 0.4),)


def shared_chat(cast: Cast, count: int) -> None:
    """One person publishes a conversation; strangers go on from its answers under their
    own accounts, which looks just like a relay's hand-over."""
    published: list[tuple[float, str]] = []
    author = replace(apps.CHAT_WINDOW, publishes=published)
    reader = replace(apps.CHAT_WINDOW, goes_on_from=published)
    shown = cast.at_day(5)
    for n in range(count):
        rng = cast.dice("shared chat", n)
        account = cast.sign_up(rng, "shared_chat", f"shared/{n}", pool="shared-chat-1")
        account.created_at = min(account.created_at, shown - DAY)
        volume = 50.0 if n == 0 else around(rng, 14, 0.5)
        sender = _own(cast, account, apps.CHAT_WINDOW, volume, rng)
        if n == 0:
            sender.apps = [(author, 1.0)]
            sender.bursts = (Burst(Span(shown, shown + 6 * HOUR), 0.5),)
        else:
            read = shown + rng.uniform(8, 190) * HOUR
            sender.bursts = (Burst(Span(read, read + 3 * HOUR), 0.2),)
            sender.apps = [(apps.CHAT_WINDOW, 1.0), (reader, 0.2)]
