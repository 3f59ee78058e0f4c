"""The programs through which the demo world's customers talk to the model."""

from ingest.demo.clients import CHAT_SYSTEM, STARTER, Harness, Stack
from ingest.demo.dice import Dice, mark
from ingest.demo.grammars import Grammar, Job, Script, Talk, Template
from ingest.demo.texts import business, coding, everyday, study
from ingest.demo.traffic import App, Spread

EVERYDAY = Talk(Grammar(everyday.CHAT), everyday.CHAT_TOPICS)
CODING = Talk(Grammar(coding.CODE), ("debug", "write", "design"))
AGENT = Talk(Grammar(coding.AGENT), ("task",), own_share=0.93)
STUDYING = Talk(Grammar(study.STUDENT), ("notes",))
PROBING = Talk(Grammar(study.RED_TEAM), ("probe",))

CHAT_WINDOW = App(
    EVERYDAY,
    turns=Spread(3.2, 0.8, 30),
    pace=Spread(65, 1.0, 2400),
    answer=Spread(280, 0.8, 2600),
    system_hash=CHAT_SYSTEM,
    system_tokens=420,
    stream=True,
    images=0.02,
)


def chat(script: Talk, stack: Stack | None = None) -> App:
    """The chat window, or a plain client, with other things to talk about."""
    return App(
        script,
        turns=Spread(3.6, 0.8, 30),
        pace=Spread(75, 1.0, 2400),
        answer=Spread(340, 0.7, 3000),
        stack=stack,
        system_hash=None if stack else CHAT_SYSTEM,
        system_tokens=0 if stack else 420,
        stream=True,
    )


def coding_agent(harness: Harness, *, turns: float = 18) -> App:
    """A public coding tool: the task once, then what its tools returned."""
    return App(
        AGENT,
        turns=Spread(turns, 0.8, 160),
        pace=Spread(5, 1.1, 600),
        answer=Spread(170, 0.9, 3500),
        stack=harness.stack,
        system_hash=harness.system_hash,
        system_tokens=2300,
        tools_hash=harness.tools_hash,
        tool_count=harness.tool_count,
        temperature=1.0,
        max_tokens=8192,
        stream=True,
    )


def starter_app(script: Script) -> App:
    """What grew out of the hackathon's starter repository."""
    return App(
        script,
        turns=Spread(5, 0.7, 40),
        pace=Spread(40, 1.1, 1800),
        answer=Spread(220, 0.8, 2000),
        stack=STARTER.stack,
        system_hash=STARTER.system_hash,
        system_tokens=310,
        tools_hash=STARTER.tools_hash,
        tool_count=STARTER.tool_count,
        temperature=0.7,
        max_tokens=1024,
    )


def company_template(rng: Dice, company: str) -> Template:
    """One company's frame around one kind of task."""
    _, task, slots = business.APPS[int(rng.random() * len(business.APPS))]
    opening = business.OPENINGS[int(rng.random() * len(business.OPENINGS))]
    rules = rng.sample(business.RULES, 2 + int(rng.random() * 2))
    closing = business.CLOSINGS[int(rng.random() * len(business.CLOSINGS))]
    version = f"{1 + rng.getrandbits(2)}.{rng.getrandbits(3)}"
    rule = " ".join(rules).format(
        keys=rng.choice(["result, reason", "label, score", "title, body", "fields"]),
        words=rng.choice([40, 60, 80, 120, 150]),
    )
    head = opening.format(company=company, version=version)
    return Template(f"{head} {task} {rule} {closing}", slots, seed=company)


def company_app(rng: Dice, company: str, stack: Stack, *, batch: bool = False) -> App:
    """A program in production: fixed parameters, one to three templates, no chat."""
    number = 1 if batch else 1 + int(rng.random() * 3)
    templates = [company_template(rng, company) for _ in range(number)]
    return App(
        Job(templates),
        turns=Spread(70, 0.7, 300) if batch else Spread(2, 0.7, 12),
        pace=Spread(2, 0.5, 20) if batch else Spread(14, 1.0, 600),
        answer=Spread(rng.uniform(40, 260), 0.45, 1500),
        stack=stack,
        system_hash=mark("system", company),
        system_tokens=int(rng.uniform(60, 700)),
        temperature=rng.choice([0.0, 0.2, 0.3, 0.7]),
        max_tokens=rng.choice([256, 512, 1024, 2048]),
        operation="batch" if batch else "chat",
        single=True,
    )


def assignment_app(number: int) -> App:
    """The exercise that a whole class pastes in, each with troubles of their own."""
    frame, slots = study.ASSIGNMENTS[number % len(study.ASSIGNMENTS)]
    return App(
        Assignment(Template(frame, slots, seed="assignment"), STUDYING),
        turns=Spread(3.0, 0.6, 12),
        pace=Spread(90, 0.9, 2400),
        answer=Spread(420, 0.5, 2000),
        system_hash=CHAT_SYSTEM,
        system_tokens=420,
        stream=True,
    )


class Assignment:
    """Opens with the exercise, goes on in the student's own words."""

    def __init__(self, template: Template, afterwards: Talk) -> None:
        self.template, self.afterwards = template, afterwards

    def topic(self, rng: Dice) -> str:
        return self.afterwards.topic(rng)

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        if turn == 1:
            return self.template.sample(rng)
        return self.afterwards.line(rng, topic, turn)
