"""Session starts shared out over the accounts more evenly than people would (T1).

Relays give the next session to the account that rested longest. That keeps every
account below its limits, and leaves the counts of session starts too equal.

`unevenness` is the variance of the starts of one window over their mean, averaged
over windows: 1 where each session falls on an account at random, below 1 where
something balances them, far above 1 for customers who do not know one another.
"""

import numpy as np

from investigations.detection.detectors.base import (
    Detector,
    few,
    from_null,
    number,
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

balanced_starts = Detector(
    key="balanced_starts", title="Balanced starts", family=Family.TIME, version=1
)

DRAWS = 1000
# Larger groups do not sharpen the comparison, they only cost time.
GROUP = 60
# Nothing is called balanced above this, nor unless it lies clearly below what 5 in 100
# groups of comparable customers reach: a class that meets every day is even, too.
MOST_UNEVEN, CLEARLY = 3.0, 0.6
FEWEST_ACCOUNTS, FEWEST_WINDOWS, FEWEST_STARTS = 5, 5, 8
INNOCENT = (
    "One company spreads its work over several keys, or a course makes everybody work "
    "at the same hours; neither lasts evenly for many days over many paying strangers."
)


def windows(starts: Ints, days: int) -> Ints:
    """Sums over `days` days; an account absent (-1) in one of them is absent."""
    whole = starts.shape[0] // days * days
    blocks = starts[starts.shape[0] - whole :].reshape(-1, days, starts.shape[1])
    summed: Ints = np.where((blocks < 0).any(axis=1), -1, blocks.sum(axis=1))
    return summed


def window_days(starts: Ints) -> int:
    """Days to a window, so that an account starts about two sessions in one."""
    present = starts[starts >= 0]
    rate = float(present.mean()) if present.size else 0.0
    return int(min(7, max(1, round(2 / rate)))) if rate else 7


def unevenness(counts: Ints) -> Floats:
    """The statistic for each group of the last axis' accounts; nan where too thin.

    `counts` has shape (..., windows, accounts), -1 for absent.
    """
    here = counts >= 0
    accounts = here.sum(axis=-1)
    total = np.where(here, counts, 0).sum(axis=-1)
    mean = total / np.maximum(accounts, 1)
    spread = np.where(here, (counts - mean[..., None]) ** 2, 0).sum(axis=-1)
    usable = (accounts >= FEWEST_ACCOUNTS) & (mean >= 0.5)
    ratio = np.where(
        usable, spread / np.maximum(mean, 1e-9) / np.maximum(accounts - 1, 1), 0
    )
    averaged: Floats = ratio.sum(axis=-1) / np.maximum(usable.sum(axis=-1), 1)
    return np.where(usable.sum(axis=-1) >= FEWEST_WINDOWS, averaged, np.nan)


def chance(peers: Ints, size: int) -> Floats:
    """The statistic of random groups of comparable customers."""
    dice = np.random.default_rng(1)
    group = min(size, GROUP, peers.shape[1])
    picked = np.argsort(dice.random((DRAWS, peers.shape[1])), axis=1)[:, :group]
    drawn = unevenness(np.moveaxis(peers[:, picked], 1, 0))
    return drawn[~np.isnan(drawn)]


@balanced_starts.looks_at_cluster(decibans=12)
def pooled_balance(seen: ClusterFeatures) -> Evidence | None:
    if seen.organizations < FEWEST_ACCOUNTS or seen.peers.shape[1] < FEWEST_ACCOUNTS:
        return None
    if np.maximum(seen.starts, 0).sum() < FEWEST_STARTS * seen.size:
        return None
    days = window_days(seen.starts)
    value = float(unevenness(windows(seen.starts, days)))
    if np.isnan(value) or value > MOST_UNEVEN:
        return None
    drawn = chance(windows(seen.peers, days), seen.size)
    if len(drawn) < DRAWS // 2:
        return None
    low, high = np.quantile(drawn, (0.05, 0.95))
    if value > CLEARLY * low:
        return None
    as_even = int(np.sum(drawn <= value))
    quantile = (1 + as_even) / (len(drawn) + 1)
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


@balanced_starts.looks_at_account(decibans=8)
def takes_its_share(seen: AccountView) -> Evidence | None:
    if seen.place is None or "balanced_starts" not in seen.place.evidence:
        return None
    cluster = seen.place.cluster
    column = cluster.position[seen.features.account]
    here = cluster.starts[:, column] >= 0
    together = np.where(cluster.starts >= 0, cluster.starts, 0)[here].sum(axis=1)
    present = (cluster.starts[here] >= 0).sum(axis=1)
    fair = float((together / np.maximum(present, 1)).sum())
    own = int(cluster.starts[here, column].sum())
    if fair < FEWEST_STARTS / 2 or not 0.5 <= own / fair <= 2:
        return None
    return Evidence(
        strength=seen.place.evidence["balanced_starts"].strength,
        value=own,
        baseline=round(fair, 1),
        sentence=(
            f"Started {number(own)} sessions where an equal share of its cluster's "
            f"would be {fair:.0f}."
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
