"""Strangers who do one thing together without knowing each other: the innocent crowds
of worlds to measure with (detection.md 5.1). Sizes are meant as in `honest.py`.
"""

from dataclasses import replace

from ingest.demo import apps, identities, internet
from ingest.demo.accounts import Account
from ingest.demo.cast import NEWEST, USUAL, Cast, key_ids, pays
from ingest.demo.clients import PUBLIC_APP, browser
from ingest.demo.clock import DAY, HOUR, Rhythm, Span
from ingest.demo.dice import around, favour
from ingest.demo.grammars import Job, Template
from ingest.demo.honest import in_cohorts
from ingest.demo.senders import Burst, Sender
from ingest.demo.texts import crowds
from ingest.demo.traffic import App, Models


def everyone(cast: Cast) -> None:
    outage_migrants(cast, cast.count(110, 6, 0.01))
    viral_template(cast, cast.count(100, 6, 0.01))
    public_app(cast, cast.count(120, 6, 0.02))
    in_cohorts(cast, carrier_nat, 80, 6, 0.02)
    in_cohorts(cast, course, 45, 6, 0.004)
    in_cohorts(cast, kiosk, 12, 3, 0.001)


def _person(
    cast: Cast, population: str, n: int, volume: float, pool: str | None = None
) -> Sender:
    """Somebody in a chat window, as most are."""
    rng = cast.dice(population, n)
    account = cast.sign_up(rng, population, f"{population}/{n}", pool=pool)
    pays(account, rng, 0.4)
    if rng.random() < 0.4:
        account.routes = (account.routes[0], internet.mobile(rng))
    volume = min(90.0, around(rng, volume, 0.8))
    return cast.send_own(account, apps.CHAT_WINDOW, volume, rng)


def _there_before(account: Account, at: float) -> None:
    """Whoever joins a crowd signed up at least a day earlier."""
    account.created_at = min(account.created_at, at - DAY)


def outage_migrants(cast: Cast, count: int) -> None:
    """When the usual model fails, strangers read one thread, paste its work-around and
    stay with the new model, some hours after its release."""
    outage = cast.outage
    paste = pasted(Template(*crowds.WORK_AROUND, seed="work-around"))
    for n in range(count):
        sender = _person(cast, "outage_migrant", n, 12)
        _there_before(sender.accounts[0], outage.start)
        rng = cast.dice("outage migrant moves", n)
        moved = rng.uniform(outage.start + 0.2 * HOUR, outage.end)
        sender.models = Models(USUAL, NEWEST, moved, share=0.95)
        sender.once = ((moved, paste),)


def viral_template(cast: Cast, count: int) -> None:
    """A prompt goes round: most of those who try it do so within hours of the post."""
    posted = cast.on_day(9, 16)
    paste = pasted(Template(*crowds.VIRAL, seed="viral"))
    for n in range(count):
        sender = _person(cast, "viral_template", n, 10)
        _there_before(sender.accounts[0], posted)
        rng = cast.dice("viral template reads", n)
        sender.once = ((posted + min(30.0, around(rng, 2, 0.9)) * HOUR, paste),)


def pasted(template: Template) -> App:
    """Opens with what everybody pastes, goes on as people do."""
    return replace(apps.CHAT_WINDOW, script=apps.Assignment(template, apps.EVERYDAY))


def public_app(cast: Cast, count: int) -> None:
    """Users of one desktop app: its system prompt, its tools, its client and the frame
    of its buttons, on as many networks and at as many hours as there are users."""
    app = App(
        apps.EVERYDAY,
        turns=apps.CHAT_WINDOW.turns,
        pace=apps.CHAT_WINDOW.pace,
        answer=apps.CHAT_WINDOW.answer,
        stack=PUBLIC_APP.stack,
        system_hash=PUBLIC_APP.system_hash,
        system_tokens=800,
        tools_hash=PUBLIC_APP.tools_hash,
        tool_count=PUBLIC_APP.tool_count,
        temperature=0.7,
        max_tokens=2048,
        stream=True,
    )
    actions = Job([Template(*crowds.QUICK_ACTION, seed="quick action")])
    button = replace(app, script=actions, turns=replace(app.turns, median=1.4))
    for n in range(count):
        sender = _person(cast, "public_app", n, 18)
        account = sender.accounts[0]
        rng = cast.dice("public app user", n)
        account.key_ids, account.stack = key_ids(rng), PUBLIC_APP.stack
        pays(account, rng, 0.7)
        sender.apps, sender.mood = [(app, 1.0), (button, 0.9)], 1.2


def carrier_nat(cast: Cast, count: int) -> None:
    """A town behind two addresses of its carrier; nothing else ties its people."""
    for n in range(count):
        rng = cast.dice("carrier", n)
        sender = _person(cast, "carrier_nat", n, 9, "carrier-1")
        account = sender.accounts[0]
        account.routes = (internet.carrier(rng, cast.place),)
        sender.rhythm = Rhythm("evening", 5)


def course(cast: Cast, count: int) -> None:
    """Evening classes taken at home: each class signs up within the hour by one link,
    works in one starter repository and pastes the exercise in the night before."""
    tools = cast.dice("course starter")
    starter = f"{tools.getrandbits(64):016x}"
    frames = crowds.LESSONS
    for n in range(count):
        rng = cast.dice("course", n)
        group = n % len(frames)
        account = cast.sign_up(
            rng, "course", f"course/{n}", pool=f"course-class-{group + 1}"
        )
        begins = cast.on_day(2 + 4 * group, 18)
        account.created_at = begins + rng.uniform(0, 3000)
        account.referrer = f"night-school-{cast.place + 1}-{group + 1}"
        account.key_ids = key_ids(rng)
        lesson = apps.Assignment(Template(*frames[group], seed="lesson"), apps.CODING)
        app = replace(apps.starter_app(lesson), tools_hash=starter)
        sender = cast.send_own(account, app, min(80.0, around(rng, 20, 0.6)), rng)
        sender.apps.append((apps.chat(apps.CODING), 1.0))
        due = begins + (5 * DAY + 4 * HOUR)
        sender.bursts = (Burst(Span(due - 28 * HOUR, due), 0.5),)


def kiosk(cast: Cast, count: int) -> None:
    """A public library's machines: one image, one address, many readers."""
    image = identities.device(cast.dice("kiosk image"))
    stack = browser(cast.dice("kiosk browser"))
    for n in range(count):
        rng = cast.dice("kiosk", n)
        sender = _person(cast, "kiosk", n, 8, "kiosk-1")
        account = sender.accounts[0]
        account.device_id, account.stack, account.signup_stack = image, stack, stack
        account.routes = (internet.library(cast.place),)
        account.card, account.plan, account.verification = None, "free", "email"
        sender.rhythm = Rhythm("office", 2)
        studying = favour(rng, (apps.CHAT_WINDOW, apps.chat(apps.STUDYING)))
        sender.apps = [(studying, 1.0)]
