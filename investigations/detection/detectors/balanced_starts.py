"""Session starts shared out over the accounts more evenly than people would (T1).

Relays give the next session to the account that rested longest. That keeps every
account below its limits, and leaves each with the same share of the work day after
day; whether the shares are equal does not matter.

The statistic is that of `evenness.py`: 1 where each session falls on an account at
random, below 1 where something balances them, above 1 for customers who do not know one
another.
"""

from functools import lru_cache

import numpy as np

from investigations.detection.detectors.base import (
    Detector,
    few,
    from_null,
    number,
    once_a_cluster,
    window,
)
from investigations.detection.evenness import (
    OWN,
    chance_of,
    own_unevenness,
    unevenness,
    window_days,
    windows,
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

balanced_starts = Detector(
    key="balanced_starts", title="Balanced starts", family=Family.TIME, version=3
)

DRAWS = 1000
# Larger groups do not sharpen the comparison, they only cost time.
GROUP = 60
# Nothing is called balanced above this, nor unless it lies clearly below what 5 in 100
# groups of comparable customers reach: a class that meets every day is even, too.
MOST_UNEVEN, CLEARLY = 0.8, 0.8
# Starts an account: on average, and of one that is told to take its share.
FEWEST_ACCOUNTS, FEWEST_STARTS = 5, 4
INNOCENT = (
    "One company spreads its work over several keys, or a course makes everybody work "
    "at the same hours; neither lasts evenly for many days over many paying strangers."
)


def chance(peers: Ints, size: int) -> Floats:
    """The statistic of random groups of comparable customers."""
    picked = groups(peers.shape[1], min(size, GROUP, peers.shape[1]))
    drawn = unevenness(np.moveaxis(peers[:, picked], 1, 0))
    return drawn[~np.isnan(drawn)]


@lru_cache(maxsize=64)
def groups(customers: int, size: int) -> Ints:
    """Random groups of that size, the same each time: a row a draw."""
    dice = np.random.default_rng(1)
    picked: Ints = np.argsort(dice.random((DRAWS, customers)), axis=1)[:, :size]
    return picked.copy()  # without what was not picked


@balanced_starts.looks_at_cluster(decibans=12)
def pooled_balance(seen: ClusterFeatures) -> Evidence | None:
    if seen.organizations < FEWEST_ACCOUNTS or seen.peers.shape[1] < FEWEST_ACCOUNTS:
        return None
    if np.maximum(seen.starts, 0).sum() < FEWEST_STARTS * seen.size:
        return None
    days = window_days(seen.starts)
    counts = windows(seen.starts, days)
    value = float(unevenness(counts))
    if np.isnan(value) or value > MOST_UNEVEN:
        return None
    drawn = chance(windows(seen.peers, days), seen.size)
    if len(drawn) < DRAWS // 2:
        return None
    low, high = np.quantile(drawn, (0.05, 0.95))
    if value > CLEARLY * low:
        return None
    as_even = int(np.sum(drawn <= value))
    quantile = max((1 + as_even) / (len(drawn) + 1), chance_of(value, counts))
    return Evidence(
        strength=from_null(quantile),
        value=round(value, 2),
        baseline=round(float(np.median(drawn)), 2),
        sentence=(
            f"Sessions are dealt out over the {number(seen.size)} accounts with an "
            f"unevenness of {value:.1f} (1.0 is what dice would give); of "
            f"{number(len(drawn))} groups of comparable customers 90% lie between "
            f"{low:.1f} and {high:.1f}, and {few(as_even)} "
            f"{'is' if as_even < 2 else 'are'} as even."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"members": True, "kind": "request", **window(seen)},
            seen.requests,
        ),
        quantile=quantile,
    )


@once_a_cluster
def each_alone(seen: ClusterFeatures) -> tuple[Floats, int]:
    """How unevenly each member starts, and the sessions of all of them together."""
    uneven = own_unevenness(windows(seen.starts, window_days(seen.starts)))
    return uneven, int(np.maximum(seen.starts, 0).sum())


@balanced_starts.looks_at_account(decibans=8)
def takes_its_share(seen: AccountView) -> Evidence | None:
    if seen.place is None or "balanced_starts" not in seen.place.evidence:
        return None
    cluster = seen.place.cluster
    column = cluster.position[seen.features.account]
    uneven, everybody = each_alone(cluster)
    steadiness = float(uneven[column])
    own = int(np.maximum(cluster.starts[:, column], 0).sum())
    if own < FEWEST_STARTS or steadiness > OWN:
        return None
    return Evidence(
        strength=seen.place.evidence["balanced_starts"].strength,
        value=round(steadiness, 2),
        baseline=1.0,
        sentence=(
            f"Takes its share of its cluster's sessions ({number(own)} of "
            f"{number(everybody)}) with an unevenness of {steadiness:.1f}; dice would "
            "give 1.0."
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
