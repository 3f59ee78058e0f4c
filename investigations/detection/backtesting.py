"""Backtests that people ordered: a version and the live rules on facts of the past.

The order is a row; whoever finds it first works on it, one instant at a time, and
keeps each result as it comes. A worker that dies loses its lock with its connection,
and the next one goes on where it stopped.
"""

import time

from django.db import Error, connection, transaction
from django.utils import timezone

from investigations.detection import believing, features, pipeline, rule_values
from investigations.detection.believing import Stopwatch
from investigations.detection.models import RuleTrial
from investigations.detection.rulebook import edition_of

LOCK = 0x7472696C  # "tril" in ASCII: its own among all advisory locks
MOST_ATTEMPTS = 3
LONGEST = 60.0  # seconds at a stretch
State = RuleTrial.State


def work_off(*, for_at_most: float = LONGEST) -> int:
    """Looks for orders until there are none, another worker is at it or the time is up
    (seconds; what was begun is ended), so that other work has its turn. Says how many
    instants were done."""
    done, began = 0, time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
    try:
        while (trial := next_trial()) is not None:
            done += advance(trial)
            if time.monotonic() - began >= for_at_most:
                break
    finally:
        _unlock()
    return done


def _unlock() -> None:
    """Never fails: it would hide why the work did."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    except Error:
        connection.close()  # and the lock goes with it


def next_trial() -> RuleTrial | None:
    waiting = RuleTrial.objects.filter(
        kind=RuleTrial.Kind.BACKTEST, state=State.WAITING
    )
    return waiting.select_related("version", "against").order_by("pk").first()


def advance(trial: RuleTrial) -> int:
    """The next instant of a trial; says whether one was done.

    The attempt is counted before it is made: what takes a worker down is not tried
    for ever.
    """
    if trial.attempts >= MOST_ATTEMPTS:
        trial.state, trial.finished_at = State.FAILED, timezone.now()
        trial.error = (
            f"It was begun {MOST_ATTEMPTS} times and never ended; the worker's log "
            "says why. Order it again with fewer days."
        )
        trial.save()
        return 0
    trial.attempts += 1
    trial.touched_at = timezone.now()
    trial.save(update_fields=["attempts", "touched_at"])
    trial.results = [*trial.results, look_back(trial)]
    trial.attempts, trial.touched_at = 0, timezone.now()
    if len(trial.results) == len(trial.instants):
        trial.state, trial.finished_at = State.DONE, timezone.now()
    trial.save()
    return 1


@transaction.atomic
def look_back(trial: RuleTrial) -> dict[str, object]:
    """Both on the facts as they were known at the trial's next instant.

    Nothing is written. The rules are those of the order: a draft may go on changing.
    """
    as_of, watch = trial.instants[len(trial.results)], Stopwatch()
    facts = features.read_facts(as_of)
    values = rule_values.from_json(trial.values)
    live = believing.believe(facts, edition_of(trial.against).rules, watch)
    draft = believing.believe(facts, rule_values.ruleset_of(values), watch, like=live)
    return pipeline.compared(live, draft)
