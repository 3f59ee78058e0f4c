"""Accounts born together: same minutes, same manner (I4)."""

import numpy as np

from investigations.detection.detectors.base import (
    Detector,
    from_null,
    number,
    percent,
    stamp,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Floats,
    Rows,
)

signup_burst = Detector(
    key="signup_burst", title="Sign-up burst", family=Family.IDENTITY, version=1
)

MINUTES = 10.0
DRAWS = 200
INNOCENT = (
    "A class, a workshop or a hackathon signs up together, or a campaign of "
    "advertising brought many people at once."
)


def born_together(births: Floats) -> float:
    """Share of sign-up times (minutes) with two others within ten minutes."""
    if len(births) < 3:
        return 0.0
    at = np.sort(births)
    near = np.searchsorted(at, at + MINUTES, "right") - np.searchsorted(
        at, at - MINUTES, "left"
    )
    return float(np.mean(near >= 3))


def chance(births: Floats, others: Floats) -> tuple[float, float]:
    """(median share among random groups of this size, share at least as bunched)."""
    dice = np.random.default_rng(1)
    seen = born_together(births)
    size = min(len(births), len(others))
    drawn = np.array(
        [born_together(dice.choice(others, size, replace=False)) for _ in range(DRAWS)]
    )
    return float(np.median(drawn)), float((1 + np.sum(drawn >= seen)) / (DRAWS + 1))


@signup_burst.looks_at_account(decibans=4, alone=True)
def born_with_strangers(seen: AccountView) -> Evidence | None:
    others = len(seen.born_with)
    ratio = others / max(seen.born_expected, 0.1)
    if others < 3 or ratio < 5 or seen.features.created_at is None:
        return None
    accounts = sorted({seen.features.account, *seen.born_with})
    return Evidence(
        strength=min(1.0, ratio / 20),
        value=others,
        baseline=round(seen.born_expected, 2),
        sentence=(
            f"{number(others)} other customers signed up within {MINUTES:.0f} minutes "
            f"in the same manner (same shape of address, same referrer); "
            f"{max(seen.born_expected, 0.1):.1f} or fewer would be ordinary."
        ),
        innocent=INNOCENT,
        rows=Rows("account", {"accounts": accounts}, len(accounts)),
    )


@signup_burst.looks_at_cluster(decibans=8)
def pooled_births(seen: ClusterFeatures) -> Evidence | None:
    share = born_together(seen.births)
    if share < 0.2 or len(seen.other_births) < 20:
        return None
    ordinary, quantile = chance(seen.births, seen.other_births)
    born = [m.created_at for m in seen.members if m.created_at is not None]
    return Evidence(
        strength=share * from_null(quantile),
        value=share,
        baseline=ordinary,
        sentence=(
            f"{percent(share)} of the accounts signed up within {MINUTES:.0f} minutes "
            f"of two others of this cluster, between {min(born):%-d %B} and "
            f"{max(born):%-d %B}; among as many other customers it is "
            f"{percent(ordinary)}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "account",
            {"members": True, "signed_up_since": stamp(min(born))},
            len(born),
        ),
        quantile=quantile,
    )
