"""Whether a pool answers to bans as one: what its other accounts and new ones do then.

Two questions, each against nulls of its own, of which the most sceptical counts:

- *replaced*: are bans followed by sign-ups of the pool more often than the same bans
  moved in time would be, than they are preceded by sign-ups, and than the sign-ups of
  other customers lets expect?
- *taken over*: does what the banned used to do move to the others, so that the total
  stays as it was, more than the others' work varies at other times, and more than that
  of other customers at this time?

Pure. Times are seconds since 1970 unless said otherwise.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc

from investigations.detection.shapes import Bools, Floats, Ints

HOUR, DAY = 3600.0, 86_400.0
SOON, IN_A_DAY = HOUR, DAY
LEAST_SHIFT = 6 * HOUR
DRAWS, GROUPS = 400, 1000
# Older bans do not sharpen the comparison, they only cost time.
MOST_BANS, MOST_IN_GROUP = 200, 50
# Hours that show what the others do then, beside the same hours of the days before.
AFTER, DAYS_BEFORE = 6, 3
# The others must be expected to do so many times more; and what they do more must be
# about that, in log: less has another cause, more is more than was lost.
LEAST_GAIN, NEAR = 1.15, (0.5, 2.0)
FEWEST_REQUESTS = 20  # of the banned, and of the others, in six hours
FEWEST_TIMES, FEWEST_OTHERS = 100, 50


# --- Replaced -----------------------------------------------------------------------


def answered(bans: Floats, births: Floats, within: float) -> Ints:
    """Places of the births that follow a ban so soon, each ban and each birth once.

    Both in order of time."""
    taken: list[int] = []
    at = 0
    for ban in bans.tolist():
        at = max(at, int(np.searchsorted(births, ban, "right")))
        if at < len(births) and births[at] <= ban + within:
            taken.append(at)
            at += 1
    return np.array(taken, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Replaced:
    """`newcomers`: times of the sign-ups that followed bans within so many seconds;
    `usual` how many would by chance."""

    bans: int
    within: float
    newcomers: Floats
    usual: float
    quantile: float


def replaced(
    bans: Floats, births: Floats, others: Floats, span: tuple[float, float]
) -> Replaced:
    """The more telling of an hour and a day. `others`: births of other customers."""
    bans = np.sort(bans)[-MOST_BANS:]
    mine, theirs = (
        np.sort(each[(each > span[0]) & (each <= span[1])]) for each in (births, others)
    )
    found = [within(bans, mine, theirs, span, limit) for limit in (SOON, IN_A_DAY)]
    return min(found, key=lambda each: each.quantile)


def within(
    bans: Floats,
    births: Floats,
    others: Floats,
    span: tuple[float, float],
    limit: float,
) -> Replaced:
    taken = answered(bans, births, limit)
    drawn = elsewhere(bans, births, span, limit)
    by_shift = (1 + int(np.sum(drawn >= len(taken)))) / (DRAWS + 1)
    quantile = max(
        by_shift,
        beside_before(bans, np.delete(births, taken), limit, len(taken)),
        beside_others(bans, births, others, span, limit),
    )
    usual = float(np.median(drawn))
    return Replaced(len(bans), limit, births[taken], usual, min(1.0, 2 * quantile))


def elsewhere(
    bans: Floats, births: Floats, span: tuple[float, float], limit: float
) -> Ints:
    """How many births would follow if all bans had been at another time."""
    dice = np.random.default_rng(1)
    begin, length = span[0], span[1] - span[0]
    if length <= 2 * LEAST_SHIFT:
        return np.full(DRAWS, len(bans))
    amounts = dice.uniform(LEAST_SHIFT, length - LEAST_SHIFT, DRAWS)
    moved = [np.sort(begin + (bans - begin + by) % length) for by in amounts]
    return np.array([len(answered(each, births, limit)) for each in moved])


def beside_before(bans: Floats, births: Floats, limit: float, after: int) -> float:
    """Chance of so many after, where sign-ups come before and after bans alike.
    `births`: those that answer no ban."""
    before = len(answered(-bans[::-1], -births[::-1], limit))
    return float(bdtrc(after - 1, after + before, 0.5)) if after else 1.0


def beside_others(
    bans: Floats,
    births: Floats,
    others: Floats,
    span: tuple[float, float],
    limit: float,
) -> float:
    """Chance of so many in the time after bans, at other customers' share of it; where
    they are few, at the share of the time itself."""
    until = np.minimum(np.append(bans[1:], span[1]), bans + limit)
    time = float((until - bans).sum()) / max(span[1] - span[0], 1.0)
    share = (follows(bans, others, limit).sum() + time) / (len(others) + 1)
    seen = int(follows(bans, births, limit).sum())
    return float(bdtrc(seen - 1, len(births), share)) if seen else 1.0


def follows(bans: Floats, births: Floats, limit: float) -> Bools:
    """Whether there was a ban so shortly before."""
    last = np.searchsorted(bans, births, "left") - 1
    found: Bools = (last >= 0) & (births - bans[np.maximum(last, 0)] <= limit)
    return found


# --- Taken over ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TakenOver:
    """At `at` (hours since the window's begin) `bans` accounts fell out. The others
    then did `gain` times what they usually do at that hour; `needed` times would keep
    the total; other customers did `elsewhere` times their usual."""

    at: int
    bans: int
    gain: float
    needed: float
    elsewhere: float
    quantile: float


def waves(bans: Floats) -> list[Floats]:
    """Bans less than an hour apart are one wave; in order of time."""
    ordered = np.sort(bans)
    return np.split(ordered, np.flatnonzero(np.diff(ordered) > HOUR) + 1)


def then_and_usual(hours: Floats) -> tuple[Floats, Floats]:
    """For each hour: what is done in the six that follow it, and on average in the same
    six of the three days before; nan where the window does not reach so far."""
    sums = np.concatenate([np.zeros((1, *hours.shape[1:])), np.cumsum(hours, axis=0)])
    then = np.full(hours.shape, np.nan)
    last = len(hours) - AFTER - 1
    if last > 0:
        then[:last] = (sums[AFTER + 1 :] - sums[1:-AFTER])[:last]
    usual = np.full(hours.shape, np.nan)
    first = 24 * DAYS_BEFORE
    if len(hours) > first:
        days = [then[first - 24 * n : len(hours) - 24 * n] for n in (1, 2, 3)]
        usual[first:] = np.mean(days, axis=0)
    return then, usual


def taken_over(
    struck: Ints, at: int, hours: Ints, stays: Bools, others: Ints
) -> TakenOver | None:
    """After one wave. `struck`: columns of `hours` that fell out in hour `at`; `stays`
    marks columns that were not struck yet; `others` has other customers' columns."""
    then, usual = then_and_usual(hours.astype(float))
    if not 0 <= at < len(hours) or np.isnan(then[at] + usual[at]).any():
        return None
    left = stays & (usual[at] > 0)
    lost, kept = usual[at][struck].sum(), usual[at][left].sum()
    needed = (kept + lost) / max(kept, 1.0)
    if min(lost, kept) < FEWEST_REQUESTS or needed < LEAST_GAIN:
        return None
    all_then, all_usual = then_and_usual(others.astype(float))
    awake = all_usual[at] > 0
    if awake.sum() < FEWEST_OTHERS:
        return None
    world = ratio(all_then.sum(axis=1), all_usual.sum(axis=1))
    gains = ratio(then[:, left].sum(axis=1), usual[:, left].sum(axis=1)) / world
    share = np.log(max(gains[at], 1e-9)) / np.log(needed)
    if not NEAR[0] <= share <= NEAR[1]:
        return None
    groups = group_gains(all_then[at][awake], all_usual[at][awake], int(left.sum()))
    drawn = other_times(gains, at)
    if len(drawn) < FEWEST_TIMES:
        return None
    quantile = max(
        (1 + int(np.sum(each >= gains[at]))) / (len(each) + 1)
        for each in (drawn, groups / world[at])
    )
    gain = float(gains[at] * world[at])
    return TakenOver(at, len(struck), gain, float(needed), float(world[at]), quantile)


def ratio(then: Floats, usual: Floats) -> Floats:
    found: Floats = np.full(then.shape, np.nan)
    np.divide(then, usual, out=found, where=usual > 0)
    return found


def other_times(gains: Floats, at: int) -> Floats:
    """The same at hours that the wave does not touch."""
    hour = np.arange(len(gains))
    apart = (hour < at - AFTER) | (hour > at + AFTER + 24 * DAYS_BEFORE)
    return gains[apart & ~np.isnan(gains)]


def group_gains(then: Floats, usual: Floats, size: int) -> Floats:
    """Of random groups of other customers in the same six hours."""
    dice = np.random.default_rng(1)
    picks = dice.integers(0, len(then), (GROUPS, min(size, MOST_IN_GROUP)))
    return ratio(then[picks].sum(axis=1), usual[picks].sum(axis=1))
