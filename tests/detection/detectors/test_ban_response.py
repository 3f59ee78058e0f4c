"""What a pool does when some of its accounts are banned (T6)."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from investigations.detection.detectors.ban_response import (
    came_after_a_ban,
    pooled_answer,
)
from investigations.detection.shapes import Aftermath
from tests.detection.worlds import NOW, alone, member, placed, pooled

SINCE = datetime(2026, 10, 21, tzinfo=UTC)
BANNED_AT = datetime(2026, 11, 5, 13, 5, tzinfo=UTC)
HOURS = 28 * 24
OLD = SINCE - timedelta(days=90)


def dice():
    return np.random.default_rng(7)


def cluster(
    size: int = 30,
    banned: int = 0,
    *,
    newcomers: tuple[datetime, ...] = (),
    hours: np.ndarray | None = None,
    others: np.ndarray | None = None,
    other_births: tuple[datetime, ...] = (),
    born: datetime = OLD,
):
    """Accounts from of old, some of whom are banned, and those that came since."""
    births = [born + timedelta(minutes=7 * n) for n in range(size)] + list(newcomers)
    members = [member(n, created_at=at) for n, at in enumerate(births)]
    none = np.zeros((HOURS, len(members)), np.int64)
    ban = BANNED_AT.timestamp()
    return pooled(
        members,
        since=SINCE,
        until=NOW,
        births=np.array([at.timestamp() / 60 for at in births]),
        other_births=np.array([at.timestamp() / 60 for at in other_births]),
        aftermath=Aftermath(
            struck={n: ban + n for n in range(banned)},
            hours=none if hours is None else hours,
            others=np.zeros((HOURS, 0), np.int64) if others is None else others,
        ),
    )


def soon(count: int) -> tuple[datetime, ...]:
    return tuple(BANNED_AT + timedelta(minutes=3 + 4 * n) for n in range(count))


def steady(count: int, rate: float = 3.0) -> np.ndarray:
    """Requests by hour and account, with mornings and nights."""
    day = 1 + 0.6 * np.sin(np.arange(HOURS) * 2 * np.pi / 24)
    return np.asarray(dice().poisson(rate * day[:, None] * np.ones((1, count))))


def fallen_out(hours: np.ndarray, banned: int, *, taken_over: bool) -> np.ndarray:
    """The first accounts fall silent; the others do their work, or go on as before."""
    at = int((BANNED_AT - SINCE).total_seconds() // 3600) + 1
    after = hours.copy()
    after[at:, :banned] = 0
    if taken_over:
        gain = hours.shape[1] / (hours.shape[1] - banned)
        after[at:, banned:] = dice().poisson(hours[at:, banned:] * gain)
    return after


def test_new_accounts_right_after_the_bans_are_an_answer():
    seen = pooled_answer(cluster(banned=9, newcomers=soon(9)))

    assert seen is not None
    assert seen.quantile is not None and seen.quantile < 0.02
    assert seen.sentence == (
        "9 new accounts of the cluster signed up within an hour after 9 of its "
        "accounts were banned or restricted; had the bans come at other times, it "
        "would have been 0."
    )
    assert seen.rows.table == "account"
    assert seen.rows.count == len(seen.rows.filters["accounts"]) == 18


def test_bans_that_nothing_follows_say_nothing():
    assert pooled_answer(cluster(banned=9)) is None


def test_a_course_that_goes_on_signing_up_around_the_bans_is_no_answer():
    """Sign-ups come before the bans as they come after."""
    begin = BANNED_AT - timedelta(minutes=4 * 9)
    around = tuple(begin + timedelta(minutes=4 * n) for n in range(20))

    assert pooled_answer(cluster(banned=9, newcomers=around)) is None


def test_a_day_on_which_everybody_signs_up_is_no_answer():
    crowd = tuple(BANNED_AT + timedelta(seconds=20 * n) for n in range(150))

    assert (
        pooled_answer(cluster(banned=9, newcomers=soon(9), other_births=crowd)) is None
    )


def test_a_pool_that_grows_every_day_does_not_answer_by_going_on():
    daily = tuple(SINCE + timedelta(hours=8 * n) for n in range(80))

    assert pooled_answer(cluster(banned=9, newcomers=daily)) is None


def test_one_banned_customer_who_comes_back_is_none():
    assert pooled_answer(cluster(banned=1, newcomers=soon(1))) is None


def test_only_the_newcomers_are_told_so():
    pool = cluster(banned=9, newcomers=soon(9))
    place = placed(pool, "ban_response", pooled_answer(pool))
    newcomer, banned, bystander = (pool.members[n] for n in (30, 0, 20))

    told = came_after_a_ban(alone(newcomer, place=place))
    assert told is not None
    assert told.sentence.startswith("Signed up 3 minutes after an account")
    assert came_after_a_ban(alone(banned, place=place)) is None
    assert came_after_a_ban(alone(bystander, place=place)) is None


def test_work_that_the_others_take_over_is_an_answer():
    hours = fallen_out(steady(30), 12, taken_over=True)
    seen = pooled_answer(cluster(banned=12, hours=hours, others=steady(200)))

    assert seen is not None
    assert seen.value == pytest.approx(30 / 18, abs=0.25)
    assert seen.baseline == pytest.approx(1.0, abs=0.1)
    assert seen.sentence.startswith(
        "In the 6 hours after 12 of its accounts were banned or restricted "
        "(5 Nov 14:00 UTC) the others sent 1."
    )
    assert seen.rows.filters["since"] == "2026-11-05T14:00:00+00:00"


def test_strangers_go_on_as_before():
    hours = fallen_out(steady(30), 12, taken_over=False)

    assert pooled_answer(cluster(banned=12, hours=hours, others=steady(200))) is None


def test_an_hour_in_which_everybody_does_more_is_no_answer():
    """The end of an outage, or a new model."""
    at = int((BANNED_AT - SINCE).total_seconds() // 3600) + 1
    hours, others = fallen_out(steady(30), 12, taken_over=True), steady(200)
    others[at : at + 24] = np.round(others[at : at + 24] * 1.7)

    assert pooled_answer(cluster(banned=12, hours=hours, others=others)) is None


def test_a_pool_whose_work_varies_as_much_at_other_times_gives_no_answer():
    hours = fallen_out(steady(30), 12, taken_over=True)
    moods = np.exp(dice().normal(0, 0.7, HOURS // 6)).repeat(6)
    hours[:, 12:] = np.round(hours[:, 12:] * moods[:, None])
    seen = pooled_answer(cluster(banned=12, hours=hours, others=steady(200)))

    assert seen is None


def test_a_company_is_no_pool_of_customers():
    pool = cluster(banned=9, newcomers=soon(9))
    members = [
        member(m.account, created_at=m.created_at, organization="acme")
        for m in pool.members
    ]
    company = pooled(
        members,
        since=SINCE,
        until=NOW,
        births=pool.births,
        aftermath=pool.aftermath,
    )

    assert pooled_answer(company) is None
