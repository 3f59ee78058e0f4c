"""One account stops and another customer's starts (T3)."""

import numpy as np
import pytest

from investigations.detection.detectors.stop_and_start import (
    pooled_relief,
    takes_turns,
    unbroken,
)
from tests.detection.worlds import alone, member, placed, pooled

DAY = 86_400.0


def dice():
    return np.random.default_rng(7)


def at_work(sessions: list[tuple[int, float, float]], **known: str):
    """A cluster whose sessions these are: account, begin and end in seconds."""
    accounts = sorted({account for account, _, _ in sessions})
    of = np.array([accounts.index(account) for account, _, _ in sessions])
    return pooled(
        [member(account, **known) for account in accounts],
        start_of=of,
        start_at=np.array([start for _, start, _ in sessions]),
        stop_at=np.array([stop for _, _, stop in sessions]),
    )


def handed_on(accounts: int = 12, chains: int = 60) -> list[tuple[int, float, float]]:
    """One worker over many accounts: four in a row, each as the one before ends."""
    rng, found = dice(), []
    for chain in range(chains):
        at = chain * DAY / 5 + rng.uniform(0, 3 * 3600)
        for account in rng.permutation(accounts)[:4].tolist():
            length = rng.uniform(60, 300)
            found.append((account, at, at + length))
            at += length + rng.uniform(1, 15)
    return found


def by_themselves(accounts: int = 12) -> list[tuple[int, float, float]]:
    rng = dice()
    starts = rng.uniform(0, 12 * DAY, 240)
    return [
        (n % accounts, at, at + rng.uniform(60, 300)) for n, at in enumerate(starts)
    ]


def lessons(accounts: int = 30) -> list[tuple[int, float, float]]:
    """A class that meets each day at ten, and everybody comes and goes in its hour."""
    rng = dice()
    found = []
    for day in range(12):
        for account in range(accounts):
            at = day * DAY + 36_000 + rng.uniform(0, 3600)
            found.append((account, at, at + rng.uniform(60, 1200)))
    return found


def test_work_that_passes_from_account_to_account_stands_out():
    seen = pooled_relief(at_work(handed_on()))

    assert seen is not None
    assert seen.value == pytest.approx(0.75, abs=0.02)
    assert seen.strength == pytest.approx(0.8, abs=0.05)
    assert seen.sentence.startswith(
        "75% of the latest sessions end within 20 seconds before another customer's"
    )


def test_customers_who_come_and_go_as_they_like_do_not():
    assert pooled_relief(at_work(by_themselves())) is None


def test_a_class_that_meets_at_the_same_hour_every_day_does_not():
    assert pooled_relief(at_work(lessons())) is None


def test_one_companys_accounts_are_no_peers_of_one_another():
    assert pooled_relief(at_work(handed_on(), organization="acme")) is None


def test_among_many_customers_one_companys_own_turns_do_not_count():
    others = [(100 + n, at, stop) for n, at, stop in by_themselves()]
    own, rest = at_work(handed_on(accounts=4)), at_work(others)
    members = [member(m.account, organization="acme") for m in own.members]
    both = pooled(
        [*members, *rest.members],
        start_of=np.concatenate([own.start_of, rest.start_of + own.size]),
        start_at=np.concatenate([own.start_at, rest.start_at]),
        stop_at=np.concatenate([own.stop_at, rest.stop_at]),
    )

    assert pooled_relief(both) is None


def test_two_busy_days_are_no_habit():
    early = [each for each in handed_on() if each[1] < 2 * DAY]

    assert pooled_relief(at_work(early)) is None


def test_an_account_that_goes_on_itself_was_not_relieved():
    """Requests of a batch job are one run, however many conversations they make."""
    of = np.array([0, 0, 0, 1])
    start, stop = np.array([0.0, 40, 80, 5000]), np.array([30.0, 70, 110, 5030])
    runs = unbroken(of, start, stop)

    assert runs.of.tolist() == [0, 1]
    assert runs.stop.tolist() == [110, 5030]


def test_only_members_who_take_turns_are_told_so():
    sessions = handed_on()
    loner = [(50, 2000 + n * DAY, 2600 + n * DAY) for n in range(10)]
    cluster = at_work([*sessions, *loner])
    place = placed(cluster, "stop_and_start", pooled_relief(cluster))

    assert takes_turns(alone(member(0), place=place)) is not None
    assert takes_turns(alone(member(50), place=place)) is None
