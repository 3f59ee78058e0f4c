"""Promises I2, I3 and I10: whatever dies, what was answered with 2xx is there once.

Web server, worker, its children, clock, broker and PostgreSQL are killed with
`kill -9` while sixteen senders send, retry and repeat. `benchmarks/drill.py` runs
the same trials for longer.
"""

import random

import pytest

from tests.reliability.chaos import AT_THE_BROKER
from tests.reliability.trials import Plan, ledger_adds_up, run_trial

TRIALS, EVENTS, KILLS = 5, 2000, 3

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


def drawn_seed(number: int) -> int:
    """Another one on every run; pytest prints what it is drawn from."""
    return random.randrange(1_000_000) + number


@pytest.mark.parametrize("number", range(TRIALS))
def test_whatever_dies_each_event_is_stored_once(running, number):
    plan = Plan(number, drawn_seed(number), EVENTS, KILLS)
    verdict = run_trial(running.home, running.key, plan)
    assert verdict.faults == [], verdict.line()
    assert verdict.acknowledged == EVENTS
    assert verdict.answers.keys() & {"500", "502", "504"} == set()


def test_a_broker_replaced_twenty_times_loses_nothing(running):
    home = running.home
    targets = tuple(AT_THE_BROKER[home.broker])
    plan = Plan(TRIALS, drawn_seed(TRIALS), EVENTS, 20, over=10.0, targets=targets)
    verdict = run_trial(home, running.key, plan)
    assert verdict.faults == [], verdict.line()
    assert len(verdict.dealt) == 20
    assert verdict.answers.keys() == {"202"}
    assert verdict.drained_in <= 60


def test_every_line_has_one_fate_after_all_that(running):
    assert ledger_adds_up(running.home)
