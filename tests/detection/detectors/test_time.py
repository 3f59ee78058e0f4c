"""Balanced starts (T1), starts at one signal, swift joint moves (T4)."""

from datetime import timedelta

import numpy as np
import pytest

from investigations.detection.detectors.balanced_starts import (
    pooled_balance,
    takes_its_share,
)
from investigations.detection.detectors.release_pivot import (
    expected_share,
    moved_with_cluster,
    pooled_pivot,
)
from investigations.detection.detectors.synchronised_starts import (
    company,
    mean_company,
    pooled_signals,
    starts_with_cluster,
)
from investigations.detection.shapes import Move, Place, Release, ReleaseMoves
from tests.detection.worlds import NOW, alone, member, pooled

DAYS = 14


def dice():
    return np.random.default_rng(7)


def people(count: int):
    """Customers who do not know one another: busy and idle ones, with moods."""
    rate = 3 * np.exp(dice().normal(0, 0.6, count))
    mood = dice().gamma(2, 0.5, (DAYS, count))
    return dice().poisson(rate * mood)


def dealt(count: int):
    """Three sessions a day for everybody, give or take one."""
    return 3 + dice().integers(-1, 2, (DAYS, count))


def cluster(starts):
    members = [member(n) for n in range(starts.shape[1])]
    return pooled(members, starts=starts, peers=people(200))


def test_sessions_dealt_out_like_cards_stand_out():
    seen = pooled_balance(cluster(dealt(20)))

    assert seen is not None
    assert seen.value < 0.5
    assert seen.quantile is not None and seen.quantile < 0.01
    assert "of 1,000 groups of comparable customers" in seen.sentence


def test_people_who_do_not_know_one_another_are_uneven():
    assert pooled_balance(cluster(people(20))) is None


def test_one_companys_keys_may_be_balanced():
    members = [member(n, organization="acme") for n in range(20)]

    assert pooled_balance(pooled(members, starts=dealt(20), peers=people(200))) is None


def test_two_even_days_are_too_few():
    assert pooled_balance(cluster(dealt(20)[:2])) is None


def test_days_on_which_an_account_was_away_do_not_count_against_it():
    starts = dealt(20)
    starts[:5, :10] = -1

    assert pooled_balance(cluster(starts)) is not None


def test_a_member_that_comes_and_goes_as_it_likes_is_not_part_of_the_deal():
    starts = dealt(20)
    seen = pooled_balance(cluster(starts))
    assert seen is not None
    starts[:, 0] = [12, 0, 0, 9, 0, 0, 0, 0, 15, 0, 0, 0, 1, 0]
    place = Place(cluster(starts), {"balanced_starts": seen}, 3, 0.99)

    assert takes_its_share(alone(member(1), place=place)) is not None
    assert takes_its_share(alone(member(0), place=place)) is None


def test_a_member_with_a_larger_share_day_after_day_is_part_of_the_deal():
    starts = dealt(20)
    seen = pooled_balance(cluster(starts))
    assert seen is not None
    starts[:, 0] = 9
    place = Place(cluster(starts), {"balanced_starts": seen}, 3, 0.99)

    assert takes_its_share(alone(member(0), place=place)) is not None


def starting(times: dict[int, list[float]]):
    account = np.concatenate([np.full(len(at), n) for n, at in times.items()])
    at = np.concatenate([np.array(each, float) for each in times.values()])
    return pooled(map(member, times), start_of=account.astype(np.int64), start_at=at)


def signals(count: int = 12) -> list[float]:
    """Times over several days, hours apart."""
    return [n * 20_000.0 for n in range(count)]


def test_accounts_that_start_within_a_minute_again_and_again_follow_one_signal():
    rng = dice()
    times = {n: [at + rng.uniform(0, 50) for at in signals()] for n in range(8)}
    seen = pooled_signals(starting(times))

    assert seen is not None
    assert seen.strength == pytest.approx(0.8, abs=0.05)
    assert seen.sentence.startswith("100% of 96 session starts come within a minute")


def test_people_who_work_in_the_same_hours_follow_none():
    rng = dice()
    times = {n: [at + rng.uniform(0, 3600) for at in signals()] for n in range(8)}

    assert pooled_signals(starting(times)) is None


def test_one_lesson_is_no_habit():
    times = {n: [10.0 + n, 20.0 + n] for n in range(20)}

    assert pooled_signals(starting(times)) is None


def test_a_member_with_hours_of_its_own_does_not_start_with_the_others():
    rng = dice()
    times = {n: [at + rng.uniform(0, 50) for at in signals()] for n in range(8)}
    times[8] = [at + 9000 for at in signals()]
    features = starting(times)
    seen = pooled_signals(features)
    assert seen is not None
    place = Place(features, {"synchronised_starts": seen}, 3, 0.99)

    assert starts_with_cluster(alone(member(0), place=place)) is not None
    assert starts_with_cluster(alone(member(8), place=place)) is None


def moving(moved: int, of: int, cohort_moved: int, cohort: int = 100):
    release = Release("aster-3", NOW - timedelta(days=3))
    each = tuple(Move(n, "aster-3", 10, 6 if n < moved else 0) for n in range(of))
    moves = ReleaseMoves(
        release=release,
        requests=sum(move.moved for move in each),
        each=each,
        moved=frozenset(range(moved)),
        cohort=cohort,
        cohort_moved=cohort_moved,
    )
    return pooled(map(member, range(of)), moves=(moves,))


def test_a_cluster_that_moves_when_others_on_its_client_do_not_stands_out():
    seen = pooled_pivot(moving(18, of=20, cohort_moved=5))

    assert seen is not None
    assert seen.strength == 1
    assert seen.sentence == (
        "18 of 20 active accounts sent a quarter or more of their traffic to aster-3 "
        "within 24 hours of its release; of 100 other customers on the same client "
        "programs 5% did."
    )


def test_when_the_library_changes_its_default_everybody_moves_and_nobody_is_accused():
    assert pooled_pivot(moving(20, of=20, cohort_moved=92)) is None


def test_three_enthusiasts_among_twenty_are_none():
    assert pooled_pivot(moving(3, of=20, cohort_moved=15)) is None


def test_an_unknown_cohort_is_not_taken_for_one_that_never_moves():
    release = moving(5, of=5, cohort_moved=0, cohort=0).moves[0]

    assert expected_share(release) == 0.5


def test_only_members_who_moved_are_told_so():
    features = moving(18, of=20, cohort_moved=5)
    seen = pooled_pivot(features)
    assert seen is not None
    place = Place(features, {"release_pivot": seen}, 3, 0.99)

    assert moved_with_cluster(alone(member(0), place=place)) is not None
    assert moved_with_cluster(alone(member(19), place=place)) is None


def test_mean_company_is_the_mean_of_each_starts_company():
    account = np.repeat(np.arange(40), 25)
    at = dice().uniform(0, 40_000, len(account))
    at[::7] = at[0]  # many at one second, and some of one account

    mean = company(account, at).mean()

    assert mean > 0
    assert mean_company(account, at) == mean
