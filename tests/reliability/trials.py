"""One trial: send, kill, wait, and compare what was promised with what is there."""

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tests.reliability.chaos import Disturbance, Hand, blows_of, strokes
from tests.reliability.installation import LEASE, Installation
from tests.reliability.sending import Event, Gateway, made_events, parcels

# Twice what a dead worker's claim holds, and the time the parts take to come back.
STUCK_AFTER = 2 * LEASE + 30.0
# Days back that a trial may have for its own; raw events are kept for 396.
DAYS = 380
EVENTS_OF_DAY = """
SELECT event_id, count(*) FROM ingest_event
WHERE occurred_at >= %s AND occurred_at < %s GROUP BY event_id
"""
REQUESTS_OF_DAY = """
SELECT count(*) FROM ingest_event
WHERE occurred_at >= %s AND occurred_at < %s AND kind = 'request'
"""
ROLLED_UP = "SELECT coalesce(sum(requests), 0) FROM ingest_accountday WHERE day = %s"
UNFINISHED = """
SELECT count(*) FROM ingest_batch WHERE state <> 'stored' AND received_at >= %s
"""


@dataclass
class Plan:
    number: int
    seed: int
    events: int
    kills: int
    # Seconds over which the events are sent; parts die until two seconds later.
    over: float = 5.0
    # What may be struck; everything where it is empty.
    targets: tuple[str, ...] = ()
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def day(self) -> date:
        """A UTC day of its own, so that its rows can be told from the others'."""
        back = 2 + self.number % DAYS
        return self.today - timedelta(days=back)

    @property
    def hours(self) -> tuple[datetime, datetime]:
        """When the day begins and when it ends."""
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        return midnight, midnight + timedelta(days=1)


@dataclass
class Verdict:
    """What became of a trial. All is well when `faults` is empty."""

    plan: Plan
    dealt: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    stuck: int = 0
    not_rolled_up: int = 0
    unfit: list[str] = field(default_factory=list)
    seconds: float = 0.0
    drained_in: float = 0.0
    # Seconds within which 99 of 100 requests were answered.
    answered_in: float = 0.0

    @property
    def faults(self) -> list[str]:
        counts = {
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "unknown": len(self.strangers),
            "stuck": self.stuck,
            "not rolled up": self.not_rolled_up,
            "unfit answers": len(self.unfit),
        }
        return [f"{count} {name}" for name, count in counts.items() if count]

    def line(self) -> str:
        kills = " + ".join(self.dealt) or "none"
        told = ", ".join(f"{n} {name}" for name, n in sorted(self.answers.items()))
        return (
            f"trial {self.plan.number:>3} seed {self.plan.seed}: "
            f"{self.acknowledged} events, killed {kills}; {told}; drained in "
            f"{self.drained_in:.1f} s, {self.seconds:.1f} s in all; "
            f"{', '.join(self.faults) or 'nothing lost, doubled or stuck'}"
        )


def run_trial(
    home: Installation, key: str, plan: Plan, disturbance: Disturbance | None = None
) -> Verdict:
    """Sends the plan's events while parts die, lets it drain, and compares.

    What happens meanwhile is the plan's kills, or the disturbance that is given.
    """
    home.wait_until_up()  # what the trial before this one killed is back
    verdict = Verdict(plan)
    begun, at = time.monotonic(), datetime.now(UTC)
    dice = random.Random(plan.seed)
    prefix = f"t{plan.number}-{plan.seed}"
    events = made_events(prefix, plan.events, plan.day, dice)
    gateway = Gateway(home.port, key)
    hand = disturbance or _hand(home, plan, dice)
    hand.start()
    gateway.start(
        parcels(events, over=plan.over, dice=dice), seed=plan.seed, patience=60
    )
    gateway.finish()
    hand.join()
    if hand.failure is not None:
        raise hand.failure
    verdict.dealt = hand.dealt
    _drain(home, at, verdict)
    _compare(home, gateway, events, verdict)
    verdict.seconds = time.monotonic() - begun
    return verdict


def _hand(home: Installation, plan: Plan, dice: random.Random) -> Hand:
    targets = plan.targets or tuple(blows_of(home.broker))
    blows = strokes(plan.kills, over=plan.over + 2, targets=targets, dice=dice)
    return Hand(home, blows, random.Random(plan.seed + 1))


def _drain(home: Installation, since: datetime, verdict: Verdict) -> None:
    """Waits until all is stored and rolled up, or stuck."""
    begun = time.monotonic()
    while True:
        verdict.stuck = home.value(UNFINISHED, since)
        verdict.not_rolled_up = _not_rolled_up(home, verdict.plan)
        verdict.drained_in = time.monotonic() - begun
        if not (verdict.stuck or verdict.not_rolled_up):
            return
        if verdict.drained_in > STUCK_AFTER:
            return
        time.sleep(0.1)


def _not_rolled_up(home: Installation, plan: Plan) -> int:
    requests = home.value(REQUESTS_OF_DAY, *plan.hours)
    return abs(int(requests - home.value(ROLLED_UP, plan.day)))


def _compare(
    home: Installation, gateway: Gateway, events: list[Event], verdict: Verdict
) -> None:
    ledger = gateway.ledger
    there = dict(home.rows(EVENTS_OF_DAY, *verdict.plan.hours))
    known = {each["event_id"] for each in events}
    verdict.acknowledged = len(ledger.acknowledged)
    verdict.lost = sorted(ledger.acknowledged.keys() - there.keys())
    verdict.doubled = sorted(name for name, count in there.items() if count > 1)
    verdict.strangers = sorted(there.keys() - known)
    verdict.answers, verdict.unfit = ledger.answers, ledger.unfit
    ordered = sorted(ledger.seconds)
    verdict.answered_in = ordered[int(len(ordered) * 0.99)]


def ledger_adds_up(home: Installation) -> bool:
    """What the product's own check says of everything so far."""
    return bool(json.loads(home.manage("check_ledger", "--json"))["adds_up"])
