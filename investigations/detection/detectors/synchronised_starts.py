"""Accounts that start working within a minute of one another, again and again.

Whoever drives many accounts from one program starts them at one signal. For each
session start, count the other members that start within a minute; compare with the
same starts moved by up to half an hour either way, which keeps everybody's hours and
days and breaks only what is timed to the minute.
"""

from dataclasses import dataclass

import numpy as np

from investigations.detection.detectors.base import (
    Detector,
    from_null,
    number,
    once_a_cluster,
    percent,
    window,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Floats,
    Ints,
    Rows,
)

synchronised_starts = Detector(
    key="synchronised_starts",
    title="Starts at one signal",
    family=Family.TIME,
    version=1,
)

TOGETHER = 60.0  # seconds
JITTER = 1800.0  # seconds, either way
DRAWS = 400
# Larger samples do not sharpen the comparison, they only cost time.
MOST_MEMBERS, MOST_STARTS = 60, 4000
FEWEST_MEMBERS, FEWEST_SIGNALS, FEWEST_DAYS = 5, 6, 2
# So many of all starts must be in company, and the company be so many times larger
# than by chance.
COMPANY, TIMES = 0.5, 2.0
FOREVER = 1e11  # seconds; keeps the times of different accounts apart
INNOCENT = (
    "Lessons or shifts begin at fixed times, or timers of different owners fire at the "
    "full hour."
)


def company(account: Ints, at: Floats) -> Ints:
    """For each start, how many starts of other accounts lie within a minute."""
    pooled = np.sort(at)
    own = account * FOREVER + at
    others: Ints = close_to(pooled, at) - close_to(np.sort(own), own)
    return others


def close_to(ordered: Floats, at: Floats) -> Ints:
    """How many of these times, in order, lie within a minute of each of `at`."""
    found: Ints = np.searchsorted(ordered, at + TOGETHER, "right") - np.searchsorted(
        ordered, at - TOGETHER, "left"
    )
    return found


def chance(account: Ints, at: Floats) -> Floats:
    """Mean company of a start when each is moved by up to half an hour."""
    dice = np.random.default_rng(1)
    return np.array(
        [
            mean_company(account, at + dice.uniform(-JITTER, JITTER, len(at)))
            for _ in range(DRAWS)
        ]
    )


def mean_company(account: Ints, at: Floats) -> float:
    """The mean of `company`, which does not depend on order: looking sorted times up
    among themselves is several times faster."""
    all_near, own_near = near(np.sort(at)), near(np.sort(account * FOREVER + at))
    return (all_near - own_near) / len(at)


def near(ordered: Floats) -> int:
    """Pairs of these times, each with itself too, that lie within a minute."""
    ends = np.searchsorted(ordered, ordered + TOGETHER, "right")
    later = int(ends.sum()) - len(ordered) * (len(ordered) + 1) // 2
    return len(ordered) + 2 * later


def sample(seen: ClusterFeatures) -> tuple[Ints, Floats]:
    """Starts of at most 60 members, the latest 4,000: (position of member, second)."""
    present = np.unique(seen.start_of)
    if len(present) > MOST_MEMBERS:
        spread = np.linspace(0, len(present) - 1, MOST_MEMBERS).astype(np.int64)
        present = present[spread]
    chosen = np.isin(seen.start_of, present)
    return latest(seen.start_of[chosen], seen.start_at[chosen])


def latest(account: Ints, at: Floats) -> tuple[Ints, Floats]:
    newest = np.argsort(at, kind="stable")[-MOST_STARTS:]
    return account[newest], at[newest]


@dataclass(frozen=True, slots=True)
class Together:
    """Mean company of a start, beside what chance gives; `accompanied` is the share of
    starts that have any, `signals` at how many times that was."""

    mean: float
    usual: float
    accompanied: float
    signals: int
    quantile: float


def together(account: Ints, at: Floats) -> Together | None:
    """Whether these starts (account and second of each) follow the same signals."""
    if len(np.unique(account)) < FEWEST_MEMBERS:
        return None
    others = company(account, at)
    accompanied = others > 0
    signals = np.unique(at[accompanied] // 600)
    if len(signals) < FEWEST_SIGNALS or len(np.unique(signals // 144)) < FEWEST_DAYS:
        return None
    if accompanied.mean() < COMPANY:
        return None
    drawn, mean = chance(account, at), float(others.mean())
    usual = float(np.median(drawn))
    if mean < TIMES * usual:
        return None
    quantile = (1 + int(np.sum(drawn >= mean))) / (len(drawn) + 1)
    return Together(mean, usual, float(accompanied.mean()), len(signals), quantile)


@synchronised_starts.looks_at_cluster(decibans=12)
def pooled_signals(seen: ClusterFeatures) -> Evidence | None:
    account, at = sample(seen)
    if seen.organizations < FEWEST_MEMBERS:
        return None
    found = together(account, at)
    if found is None:
        return None
    return Evidence(
        strength=from_null(found.quantile),
        value=round(found.mean, 2),
        baseline=round(found.usual, 2),
        sentence=(
            f"{percent(found.accompanied)} of {number(len(at))} session starts "
            f"come within a minute of another member's, with {found.mean:.1f} others "
            f"on average, at {number(found.signals)} different times; with every "
            f"start moved by up to half an hour it would be {found.usual:.1f}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"members": True, "kind": "request", **window(seen)},
            seen.requests,
        ),
        quantile=found.quantile,
    )


@once_a_cluster
def in_order(seen: ClusterFeatures) -> tuple[Floats, Floats, Ints]:
    """All starts in order; the same member by member; where each member's begin."""
    at = seen.start_at[np.lexsort((seen.start_at, seen.start_of))]
    bounds = np.searchsorted(np.sort(seen.start_of), np.arange(seen.size + 1))
    return np.sort(at), at, bounds


@synchronised_starts.looks_at_account(decibans=8)
def starts_with_cluster(seen: AccountView) -> Evidence | None:
    if seen.place is None or "synchronised_starts" not in seen.place.evidence:
        return None
    cluster = seen.place.cluster
    column = cluster.position[seen.features.account]
    everybody, each, bounds = in_order(cluster)
    own = each[bounds[column] : bounds[column + 1]]
    if not len(own):
        return None
    near = close_to(everybody, own) > close_to(own, own)
    share = float(near.mean())
    if share < COMPANY:
        return None
    return Evidence(
        strength=seen.place.evidence["synchronised_starts"].strength,
        value=round(share, 3),
        baseline=None,
        sentence=(
            f"{number(int(near.sum()))} of its {number(len(own))} sessions start "
            "within a minute of another account of its cluster."
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
