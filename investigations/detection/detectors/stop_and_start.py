"""One account stops and another starts, again and again (T3).

Whoever keeps a fixed number of workers busy over many accounts gives each worker the
next account as soon as it is through with one; and where an account is refused, the
work goes on under another. Either way the end of one account's session is followed by
the start of another customer's within seconds more often than chance lets expect.

Two nulls, of which the more sceptical counts: every account's sessions moved round the
window by six hours or more, which keeps each account's own habits; and every session
moved by up to half an hour, which keeps everybody's days and hours, too.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import pdtrc

from investigations.detection.detectors.base import (
    Detector,
    beyond,
    from_null,
    number,
    once_a_cluster,
    percent,
    window,
)
from investigations.detection.shapes import (
    AccountView,
    Bools,
    ClusterFeatures,
    Evidence,
    Family,
    Floats,
    Ints,
    Rows,
)

stop_and_start = Detector(
    key="stop_and_start",
    title="One stops, another starts",
    family=Family.TIME,
    version=1,
)

AT_ONCE = 20.0  # seconds
QUIET = 1800.0  # seconds without a request end a run of work
LEAST_SHIFT, JITTER = 6 * 3600.0, 1800.0  # seconds
DRAWS, FIRST_LOOK = 400, 20
# Larger samples do not sharpen the comparison, they only cost time.
MOST_SESSIONS = 4000
FEWEST_CUSTOMERS, FEWEST_RELIEVED, FEWEST_DAYS = 5, 12, 4
# So large a part of all stops must be followed by a start, and starts be so many times
# as frequent in those seconds as by chance.
SHARE, TIMES = 0.05, 2.0
OWN_CHANCE = 0.01  # an account takes part where its turns are less likely by chance
FOREVER = 1e11  # seconds; keeps the times of different customers apart
INNOCENT = (
    "A service works through its customers one after another, each on the customer's "
    "own account; or shifts change on the minute."
)


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Columns: customer (a number), seconds of the first request and last answer."""

    of: Ints
    start: Floats
    stop: Floats


def unbroken(of: Ints, start: Floats, stop: Floats) -> Sessions:
    """Sessions of accounts as runs of work: what goes on within half an hour is one."""
    order = np.lexsort((start, of))
    of, start, stop = of[order], start[order], stop[order]
    fresh = np.ones(len(of), bool)
    fresh[1:] = (of[1:] != of[:-1]) | (start[1:] - stop[:-1] > QUIET)
    last = np.append(np.flatnonzero(fresh)[1:], len(of)) - 1
    return Sessions(of[fresh], start[fresh], stop[last])


def within(pool: Floats, after: Floats) -> Ints:
    """How many of `pool`, in order, lie at most 20 s after each of these times."""
    count: Ints = np.searchsorted(pool, after + AT_ONCE, "right") - np.searchsorted(
        pool, after, "right"
    )
    return count


def relieved(seen: Sessions) -> Bools:
    """For each session, whether its customer stops and another one starts."""
    all_starts = np.sort(seen.start)
    own_starts = np.sort(seen.of * FOREVER + seen.start)
    own = within(own_starts, seen.of * FOREVER + seen.stop)
    found: Bools = (within(all_starts, seen.stop) > own) & (own == 0)
    return found


def moved_round(seen: Sessions, dice: np.random.Generator) -> Sessions:
    """Each customer's sessions moved round the window by one amount of its own."""
    begin, end = seen.start.min(), seen.start.max()
    length = end - begin
    amount = dice.uniform(LEAST_SHIFT, length - LEAST_SHIFT, seen.of.max() + 1)[seen.of]
    start = begin + (seen.start - begin + amount) % length
    return Sessions(seen.of, start, start + seen.stop - seen.start)


def jittered(seen: Sessions, dice: np.random.Generator) -> Sessions:
    """Each session moved by up to half an hour either way."""
    amount = dice.uniform(-JITTER, JITTER, len(seen.start))
    return Sessions(seen.of, seen.start + amount, seen.stop + amount)


def rate(share: float) -> float:
    """Mean starts in those seconds, where so large a part of stops sees one (Poisson);
    in a large pool most do anyway, and the share can hardly rise."""
    return -math.log1p(-min(share, 0.999))


Move = Callable[[Sessions, np.random.Generator], Sessions]
NULLS: tuple[Move, ...] = (moved_round, jittered)


def chance(seen: Sessions, move: Move, draws: int) -> Floats:
    """Shares of stops that are relieved when sessions are moved."""
    dice = np.random.default_rng(1)
    return np.array([relieved(move(seen, dice)).mean() for _ in range(draws)])


@dataclass(frozen=True, slots=True)
class Excess:
    """Sessions whose stop was followed by a start, beside what chance gives."""

    relieved: int
    share: float
    usual: float
    days: int
    quantile: float


def excess(seen: Sessions) -> Excess | None:
    """Whether these sessions relieve one another more often than by chance."""
    if len(np.unique(seen.of)) < FEWEST_CUSTOMERS:
        return None
    found = relieved(seen)
    days = len(np.unique(seen.stop[found] // 86_400))
    givers = len(np.unique(seen.of[found]))
    if found.sum() < FEWEST_RELIEVED or days < FEWEST_DAYS:
        return None
    share = float(found.mean())
    if share < SHARE or givers < FEWEST_CUSTOMERS or np.ptp(seen.start) < 86_400:
        return None
    usual = 0.0
    for move in NULLS:
        usual = max(usual, float(np.median(chance(seen, move, FIRST_LOOK))))
    if rate(share) < TIMES * rate(usual):
        return None
    drawn = [chance(seen, move, DRAWS) for move in NULLS]
    quantile = max(beyond(share, each) for each in drawn)
    usual = max(float(np.median(each)) for each in drawn)
    return Excess(int(found.sum()), share, usual, days, quantile)


def latest(seen: ClusterFeatures) -> Sessions:
    """The newest runs of work; one organisation's accounts are one customer."""
    names = {member.customer: at for at, member in enumerate(seen.members)}
    customer = np.array([names[member.customer] for member in seen.members], np.int64)
    recent = np.arange(len(seen.start_at))
    if len(recent) > MOST_SESSIONS:
        recent = np.argpartition(seen.start_at, -MOST_SESSIONS)[-MOST_SESSIONS:]
    runs = unbroken(seen.start_of[recent], seen.start_at[recent], seen.stop_at[recent])
    return Sessions(customer[runs.of], runs.start, runs.stop)


@stop_and_start.looks_at_cluster(decibans=5)
def pooled_relief(seen: ClusterFeatures) -> Evidence | None:
    if seen.organizations < FEWEST_CUSTOMERS or not len(seen.start_at):
        return None
    found = excess(latest(seen))
    if found is None:
        return None
    return Evidence(
        strength=from_null(found.quantile),
        value=round(found.share, 3),
        baseline=round(found.usual, 3),
        sentence=(
            f"{percent(found.share)} of the latest sessions end within 20 seconds "
            f"before another customer's begins ({number(found.relieved)} on "
            f"{number(found.days)} days); with sessions moved in time it would be "
            f"{percent(found.usual)}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"members": True, "kind": "request", **window(seen)},
            seen.requests,
        ),
        quantile=found.quantile,
    )


@dataclass(frozen=True, slots=True, eq=False)
class InOrder:
    """The latest runs of work by customer, those of customer n from `bounds[n]` up to
    `bounds[n + 1]`; `starts` and `ends` of all, in order, `ends` with the seconds in
    which another may start."""

    runs: Sessions
    bounds: Ints
    starts: Floats
    ends: Floats
    number: Mapping[str, int]

    def of(self, customer: str) -> Sessions:
        at = self.number[customer]
        own = slice(self.bounds[at], self.bounds[at + 1])
        runs = self.runs
        return Sessions(runs.of[own], runs.start[own], runs.stop[own])


@once_a_cluster
def in_order(seen: ClusterFeatures) -> InOrder:
    found = latest(seen)
    order = np.argsort(found.of, kind="stable")
    runs = Sessions(found.of[order], found.start[order], found.stop[order])
    return InOrder(
        runs,
        np.searchsorted(runs.of, np.arange(seen.size + 1)),
        np.sort(runs.start),
        np.sort(runs.stop + AT_ONCE),
        {member.customer: at for at, member in enumerate(seen.members)},
    )


@stop_and_start.looks_at_account(decibans=3)
def takes_turns(seen: AccountView) -> Evidence | None:
    if seen.place is None or "stop_and_start" not in seen.place.evidence:
        return None
    everybody = in_order(seen.place.cluster)
    own = everybody.of(seen.features.customer)
    count = len(own.start)
    if not count:
        return None
    own_starts, own_ends = np.sort(own.start), np.sort(own.stop + AT_ONCE)
    followed = int(
        (within(everybody.starts, own.stop) > within(own_starts, own.stop)).sum()
    )
    following = int(
        (within(everybody.ends, own.start) > within(own_ends, own.start)).sum()
    )
    usual = seen.place.evidence["stop_and_start"].baseline or 0.0
    share = (followed + following) / (2 * count)
    # Whoever just works at the same times is now and then in between by chance.
    chance_of_it = pdtrc(followed + following - 1, 2 * count * usual)
    if followed + following < 2 or chance_of_it > OWN_CHANCE:
        return None
    return Evidence(
        strength=seen.place.evidence["stop_and_start"].strength,
        value=round(share, 3),
        baseline=usual,
        sentence=(
            f"Of its {number(count)} latest sessions {number(followed)} end "
            f"within 20 seconds before another customer of its cluster starts, and "
            f"{number(following)} begin within 20 seconds after one has stopped."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {
                "accounts": [seen.features.account],
                "kind": "request",
                **window(seen),
            },
            seen.features.requests,
        ),
    )
