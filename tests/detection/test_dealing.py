"""Work dealt out by one hand, among accounts that share no more than a program."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from investigations.detection import dealing, evenness
from investigations.detection.clustering import find_clusters
from investigations.detection.shapes import Floats, Ints
from tests.detection.worlds import Town

DAYS, DAY = 21, 86_400.0


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def people(count: int) -> Ints:
    """Strangers: some busy, some idle, all with moods."""
    dice = rng()
    rate = 2 * np.exp(dice.normal(0, 0.5, count))
    return dice.poisson(rate * dice.gamma(2, 0.5, (DAYS, count)))


def relay(count: int, spread: float = 0.0) -> Ints:
    """Each account's turn comes when it is the longest overdue, by its share."""
    dice = rng()
    share = np.exp(dice.normal(0, spread, count))
    starts, waiting = np.zeros((DAYS, count), np.int64), dice.random(count)
    for day in range(DAYS):
        for _ in range(dice.poisson(2 * count)):
            waiting += share
            chosen = int(waiting.argmax())
            waiting[chosen] = 0
            starts[day, chosen] += 1
    return starts


def at_random_times(starts: Ints) -> Mapping[int, Floats]:
    dice = rng()
    return {
        account: np.sort(
            np.concatenate(
                [d * DAY + dice.random(max(n, 0)) * DAY for d, n in enumerate(own)]
            )
        )
        for account, own in enumerate(starts.T)
    }


def on_one(count: int, kind: str = "tools") -> Town:
    town = Town()
    for account in range(1, count + 1):
        shows: dict[str, Any] = {kind: "t", "payment": f"card-{account}"}
        town.move_in(account, **shows)
    return town


def hands(
    starts: Ints, times: Mapping[int, Floats] | None = None, *, shown: str = "tools"
):
    world = on_one(starts.shape[1], shown).everyone()
    tried = dealing.candidates(world, np.full(starts.shape[1], -1))
    tried = dealing.busy(tried, starts)
    return dealing.find_hands(tried, starts, times or at_random_times(starts))


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_a_relay_gives_itself_away_however_unequal_its_shares_are(spread):
    found = hands(relay(30, spread))

    assert len(found) == 1
    assert len(found[0].accounts) >= 24


def test_strangers_on_one_public_tool_are_not_one_hand():
    assert hands(people(30)) == []


def test_a_relay_and_strangers_on_one_public_tool_are_not_one_hand():
    assert hands(np.hstack([relay(30), people(6)])) == []


def test_dice_are_not_one_hand():
    assert hands(rng().poisson(2, (DAYS, 30))) == []


def test_timers_that_fire_every_day_are_not_one_hand():
    starts = np.full((DAYS, 30), 2)
    clock = {n: np.arange(60.0 * n, 60.0 * n + DAYS * DAY, DAY / 2) for n in range(30)}

    assert hands(starts, clock) == []


def days(starts: Ints, count: int) -> Ints:
    """The same with nobody there after the first days."""
    return np.where(np.arange(DAYS)[:, None] < count, starts, -1)


def test_a_relay_gives_itself_away_within_four_days():
    (found,) = hands(days(relay(30), 4))

    assert len(found.accounts) >= 27


def test_two_even_days_are_not_enough():
    assert hands(days(relay(30), 2)) == []


def test_what_is_dealt_slowly_is_looked_at_day_by_day_while_it_is_young():
    """One session a day and account: windows of two days would take ten to be five."""
    slow = days(relay(60) // 2, 6)

    assert evenness.window_days(slow) == 1
    assert len(hands(slow)) == 1


@pytest.mark.parametrize("count", [4, 6, DAYS])
def test_strangers_among_a_relays_accounts_keep_them_from_being_one_hand(count: int):
    """Together with a large relay's, the starts of a crowd look even."""
    crowd = rng().poisson(1.0, (DAYS, 25))
    starts = days(np.hstack([relay(80), crowd]), count)
    table = starts[:count]

    assert evenness.unevenness(table) < dealing.EVEN
    assert hands(starts) == []


def test_a_wording_that_a_relay_and_as_many_strangers_send_is_not_one_hand():
    """So many that the median is theirs, and most of all are as even."""
    starts = np.hstack([relay(90), rng().poisson(2.0, (DAYS, 100))])
    usual, _ = evenness.alike(
        dealing.counts_of(np.arange(190), starts), (dealing.ODD, dealing.FOREIGN)
    )

    assert usual.mean() >= dealing.ALL
    assert hands(starts, shown="skeleton") == []


def test_a_wording_that_only_a_relay_sends_gives_it_away():
    assert len(hands(relay(90), shown="skeleton")) == 1


def test_a_table_too_thin_for_dice_to_fill_proves_nothing():
    """One session of the fifth account: dice often leave it out."""
    counts = np.array([[2, 2, 2, 2, 0]] * 6 + [[2, 2, 2, 2, 1]])

    even = float(evenness.unevenness(counts))
    assert evenness.chance_of(even, counts) > 0.1


def test_one_customers_own_keys_are_not_tried():
    town = Town()
    for account in range(1, 31):
        town.move_in(account, tools="t", organization="acme")

    assert dealing.candidates(town.everyone(), np.full(30, -1)) == []


def test_what_is_one_cluster_already_is_not_tried_again():
    world = on_one(30).everyone()

    assert dealing.candidates(world, np.zeros(30, np.int64)) == []


def test_accounts_that_start_at_the_same_signals_are_one_hand():
    dice = rng()
    signals = np.sort(dice.choice(DAYS * 1440, 20, replace=False)) * 60.0
    times = {n: np.sort(signals + dice.uniform(0, 50, 20)) for n in range(10)}
    starts = np.array(
        [np.histogram(own, DAYS, (0, DAYS * DAY))[0] for own in times.values()]
    ).T

    found = hands(starts, times)

    assert [len(hand.accounts) for hand in found] == [10]


@pytest.mark.parametrize("count", [30, pytest.param(300, id="above the tool's cap")])
def test_what_one_hand_deals_becomes_one_cluster(count: int):
    starts = relay(count)
    world = on_one(count).everyone()
    assert find_clusters(world).clusters == []

    (hand,) = hands(starts)
    clusters = find_clusters(dealing.tied(world, [hand])).clusters

    assert [len(cluster.accounts) for cluster in clusters] == [len(hand.accounts)]


def test_unequal_shares_are_part_of_what_is_expected():
    shares = np.exp(rng().normal(0, 1, 40))
    counts = rng().poisson(6 * shares, (50, 40))

    assert evenness.unevenness(counts) == pytest.approx(1, abs=0.1)


def test_a_timer_is_told_by_the_minute_or_by_equal_distances():
    hourly = np.arange(120.0, 108_120.0, 3600.0)
    after_each_pause: Floats = np.cumsum(rng().normal(7000, 300, 30))
    somebody = np.sort(rng().random(30) * DAYS * DAY)

    assert evenness.on_a_timer(hourly)
    assert evenness.on_a_timer(after_each_pause)
    assert not evenness.on_a_timer(somebody)


def test_many_accounts_are_told_from_timers_as_each_alone_would_be() -> None:
    dice = np.random.default_rng(4)
    night = 1_700_000_000
    times = [
        *(np.sort(night + dice.uniform(0, 28 * 86_400, n)) for n in (1, 5, 6, 40, 300)),
        *(night + 3600.0 * np.arange(40) + dice.uniform(0, w, 40) for w in (60, 3000)),
        *(night + np.cumsum(dice.normal(5000, s, 60)) for s in (100, 1500, 1501)),
        np.zeros(0),
    ]
    alone = [evenness.on_a_timer(own) for own in times]
    assert evenness.timers(times).tolist() == alone
    assert 0 < sum(alone) < len(times) - 2


@pytest.mark.parametrize("layout", ["C", "draws in the middle"])
def test_many_tables_are_as_uneven_as_each_alone(layout: str) -> None:
    counts = np.random.default_rng(5).poisson(2.0, (1000, 28, 60)).astype(np.int64)
    counts[:, 3:9, 7] = -1
    if layout != "C":
        counts = np.moveaxis(np.moveaxis(counts, 0, 1).copy(), 1, 0)
    each = np.array([evenness.unevenness(one) for one in counts])
    assert evenness.unevenness(counts) == pytest.approx(each, rel=1e-12)


def test_holes_in_the_table_are_expected_as_fitting_it_again_and_again_would() -> None:
    """The product of two factors is what scaling all cells in turns comes to."""
    dice = np.random.default_rng(6)
    counts = dice.poisson(2.0, (20, 9, 12)).astype(np.int64)
    counts[:, :4, 3] = counts[7:, 5:, 8] = -1
    counts[3, 2] = 0
    fitted = (counts >= 0).astype(float)
    for _ in range(evenness.SWEEPS):
        for axis in (-1, -2):
            wanted = np.maximum(counts, 0).sum(axis=axis, keepdims=True)
            has = fitted.sum(axis=axis, keepdims=True)
            fitted *= np.divide(wanted, has, out=np.zeros(has.shape), where=has > 0)
    assert evenness.expected(counts) == pytest.approx(fitted, abs=1e-12)
    gap = (np.maximum(counts, 0) - fitted) ** 2
    x2 = np.divide(gap, fitted, out=np.zeros_like(gap), where=fitted > 0).sum((1, 2))
    used = fitted > 0
    freedom = used.sum((1, 2)) - used.any(1).sum(1) - used.any(2).sum(1) + 1
    assert evenness.unevenness(counts) == pytest.approx(x2 / freedom, rel=1e-9)
