"""The innocent populations. The look-alikes among them are the point: each shares with
the attackers the very thing that one kind of evidence looks at (detection.md 5.1).

Sizes are given for a world of 3,000 accounts. `volume` is exchanges in the whole span,
before the world scales all volumes to the number asked for.
"""

from collections.abc import Callable
from dataclasses import replace

from ingest.demo import apps, companies, identities, internet
from ingest.demo.cast import NEWEST, USUAL, Cast, key_ids, pays
from ingest.demo.clients import PUBLIC_HARNESSES, STARTER, browser
from ingest.demo.clock import DAY, HOUR, Rhythm, Span
from ingest.demo.dice import around, favour, mark
from ingest.demo.grammars import Job
from ingest.demo.senders import Burst, Sender
from ingest.demo.traffic import Models, Spread


def everyone(cast: Cast) -> None:
    """All innocent populations; hobbyists fill up to the size asked for.

    Each with its size among 3,000, and its share of those beyond (detection.md 5.1)."""
    developers(cast, cast.count(400, 1, 0.12))
    round_the_clock(cast, cast.count(30, 2, 0.01))
    companies.startups(cast, cast.count(62, 4, 0.022))
    in_cohorts(cast, companies.agency, 12, 4, 0.005)
    in_cohorts(cast, campus, 120, 12, 0.06)
    in_cohorts(cast, student_lab, 12, 4, 0.003)
    in_cohorts(cast, companies.corporate_vpn, 80, 6, 0.02)
    families(cast, cast.count(14, 2, 0.003))
    in_cohorts(cast, companies.reseller, 24, 4, 0.0006)
    in_cohorts(cast, companies.evaluators, 12, 3, 0.003)
    in_cohorts(cast, companies.licensed_distiller, 4, 2, 0.0001)
    red_team(cast, cast.count(3, 1, 0.0003))
    companies.batch_enterprises(cast, cast.count(4, 1, 0.005))
    in_cohorts(cast, hackathon, 60, 8, 0.012)
    enthusiasts(cast, cast.count(30, 3))
    in_cohorts(cast, shared_chat, 16, 4, 0.001)


def in_cohorts(
    cast: Cast,
    people: Callable[[Cast, int], None],
    per_3000: int,
    least: int,
    share: float,
) -> None:
    """A population that lives in places: more and larger ones in a larger world."""
    total = cast.count(per_3000, least, share)
    for part, size in cast.cohorts(people.__name__, total, per_3000):
        people(part, size)


def hobbyists(cast: Cast, count: int) -> None:
    """People in a chat window: short bursts, long silences, most of them small."""
    for n in range(count):
        hobbyist(cast, n)


def hobbyist(cast: Cast, name: object) -> Sender:
    rng = cast.dice("hobbyist", name)
    account = cast.sign_up(rng, "hobbyist", f"hobbyist/{name}")
    pays(account, rng, 0.35)
    roams = rng.random()
    if roams < 0.4:
        account.routes = (account.routes[0], internet.mobile(rng))
    elif roams < 0.45:
        account.routes = (internet.vpn(rng),)
    account.referrer = rng.choice([None, None, "search", "friend", "newsletter"])
    volume = min(90.0, around(rng, 6, 0.95))
    return cast.send_own(account, apps.CHAT_WINDOW, volume, rng)


def developers(cast: Cast, count: int) -> None:
    """People who write code with one of a few public tools; two of these tools make the
    new model their default some hours after its release, and everybody moves."""
    coding = apps.chat(apps.CODING)
    for n in range(count):
        rng = cast.dice("developer", n)
        account = cast.sign_up(rng, "developer", f"developer/{n}")
        pays(account, rng, 0.85)
        account.key_ids = key_ids(rng)
        harness = favour(rng, PUBLIC_HARNESSES)
        sender = cast.send_own(account, coding, min(420.0, around(rng, 42, 0.9)), rng)
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
        pays(account, rng)
        account.key_ids = key_ids(rng)
        account.routes = (internet.cloud(rng),)
        agent = apps.coding_agent(favour(rng, PUBLIC_HARNESSES), turns=9)
        sender = cast.send_own(account, agent, around(rng, 330, 0.5), rng)
        sender.rhythm, sender.mood = Rhythm("always"), 0.05


def campus(cast: Cast, count: int) -> None:
    """Students behind three addresses: classes that sign up within the hour and paste
    the same exercise in the night before it is due."""
    classes = max(1, min(3, count // 30))
    town = "ostermoor" if not cast.place else f"college-{cast.place}"
    for n in range(count):
        rng = cast.dice("campus", n)
        group = n % (classes + 1)
        taught = group < classes
        pool = f"class-{group + 1}" if taught else "campus"
        account = cast.sign_up(rng, "campus", f"campus/{n}", pool=pool)
        account.person = identities.person(rng, f"student.{town}.example")
        account.program, account.verification = "education", "email"
        building = internet.campus(int(rng.random() * 3), cast.place)
        account.routes = (building, account.routes[0])
        account.signup_route = account.routes[0]
        talk = apps.chat(apps.STUDYING)
        sender = cast.send_own(account, talk, min(120.0, around(rng, 24, 0.7)), rng)
        sender.rhythm = Rhythm("student", 1)
        sender.apps = [(talk, 1.0), (apps.CHAT_WINDOW, 1.0)]
        if taught:
            account.created_at = cast.on_day(3 + group, 10) + rng.uniform(0, 2400)
            account.referrer = f"{town}-course-{group + 1}"
            due = cast.on_day(11 + 2 * group, 21)
            sender.bursts = (Burst(Span(due - 30 * HOUR, due), 0.6),)
            sender.apps.append((apps.assignment_app(group), 2.0))


def student_lab(cast: Cast, count: int) -> None:
    """Many students, one machine image: all show the same device."""
    image = identities.device(cast.dice("lab image"))
    stack = browser(cast.dice("lab browser"))
    town = "ostermoor" if not cast.place else f"college-{cast.place}"
    for n in range(count):
        rng = cast.dice("lab", n)
        account = cast.sign_up(rng, "student_lab", f"lab/{n}", pool="lab-1")
        account.person = identities.person(rng, f"student.{town}.example")
        account.program = "education"
        account.device_id, account.stack = image, stack
        account.signup_stack = stack
        account.routes = (internet.campus(1, cast.place),)
        volume = min(80.0, around(rng, 18, 0.6))
        sender = cast.send_own(account, apps.chat(apps.STUDYING), volume, rng)
        sender.rhythm = Rhythm("office", 1)


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
            cast.send_own(account, apps.CHAT_WINDOW, volume, rng)


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
            cast.send_own(account, probing, around(rng, 45, 0.4), rng)


def hackathon(cast: Cast, count: int) -> None:
    """Strangers who sign up within two hours with one promotion code, and build on the
    same starter repository for a weekend."""
    opens = cast.on_day(8 + 3 * cast.place % 11, 9)
    code = "pier7-hack" if not cast.place else f"hack-weekend-{cast.place}"
    for n in range(count):
        rng = cast.dice("hackathon", n)
        account = cast.sign_up(rng, "hackathon", f"hackathon/{n}", pool="hackathon-1")
        account.created_at = opens + rng.uniform(0, 2) * HOUR
        account.referrer = code
        account.key_ids = key_ids(rng)
        at_home = account.routes[0]
        account.routes = (internet.venue(cast.place), at_home)
        account.signup_route = account.routes[0]
        account.verification = "phone" if account.person.phone_hash else "email"
        talk = apps.EVERYDAY if rng.random() < 0.5 else apps.CODING
        app = apps.starter_app(talk)
        if rng.random() < 0.5:
            app = apps.starter_app(
                Job([apps.company_template(rng, f"Team {STARTER.name} {n}")])
            )
        sender = cast.send_own(account, app, min(150.0, around(rng, 26, 0.8)), rng)
        sender.bursts = (Burst(Span(opens + HOUR, opens + 40 * HOUR), 0.85),)


def enthusiasts(cast: Cast, count: int) -> None:
    """People who drop everything when a new model comes out."""
    for n in range(count):
        rng = cast.dice("enthusiast", n)
        account = cast.sign_up(rng, "enthusiast", f"enthusiast/{n}")
        pays(account, rng)
        account.referrer = "release-forum" if rng.random() < 0.5 else None
        app = apps.chat(apps.CODING) if n % 2 else apps.CHAT_WINDOW
        sender = cast.send_own(account, app, min(200.0, around(rng, 44, 0.6)), rng)
        first = cast.released_at + around(rng, 2, 0.8) * HOUR
        sender.models = Models(USUAL, NEWEST, first, share=0.95)
        sender.bursts = (Burst(Span(first, first + 30 * HOUR), 0.4),)


def shared_chat(cast: Cast, count: int) -> None:
    """One person publishes a conversation; strangers go on from its answers under their
    own accounts, which looks just like a relay's hand-over."""
    published: list[tuple[float, str]] = []
    author = replace(apps.CHAT_WINDOW, publishes=published)
    reader = replace(apps.CHAT_WINDOW, goes_on_from=published)
    shown = cast.at_day(5 + 2 * cast.place % 13)
    for n in range(count):
        rng = cast.dice("shared chat", n)
        account = cast.sign_up(rng, "shared_chat", f"shared/{n}", pool="shared-chat-1")
        account.created_at = min(account.created_at, shown - DAY)
        volume = 50.0 if n == 0 else around(rng, 14, 0.5)
        sender = cast.send_own(account, apps.CHAT_WINDOW, volume, rng)
        if n == 0:
            sender.apps = [(author, 1.0)]
            sender.bursts = (Burst(Span(shown, shown + 6 * HOUR), 0.5),)
        else:
            read = shown + rng.uniform(8, 190) * HOUR
            sender.bursts = (Burst(Span(read, read + 3 * HOUR), 0.2),)
            sender.apps = [(apps.CHAT_WINDOW, 1.0), (reader, 0.2)]
