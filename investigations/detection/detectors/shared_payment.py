"""One payment instrument behind customers who say they do not know one another (I1)."""

import math

from investigations.detection.detectors.base import (
    Detector,
    covered,
    indicators,
    number,
    percent,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Rows,
)

shared_payment = Detector(
    key="shared_payment", title="Shared payment", family=Family.MONEY, version=1
)

# A family or a few friends share one card; twelve customers on one do not.
MANY = 12
INNOCENT = (
    "A family, a small company or an agency pays for several accounts with one card."
)


def crowd(customers: int) -> float:
    """0 for one customer on a card, 1 for twelve or more, by the logarithm."""
    return min(1.0, math.log(max(customers, 1)) / math.log(MANY))


@shared_payment.looks_at_account(decibans=10, alone=True)
def behind_one_card(seen: AccountView) -> Evidence | None:
    others = len(seen.cards)
    if not others:
        return None
    accounts = sorted({seen.features.account, *seen.cards})
    return Evidence(
        strength=crowd(others + 1),
        value=others + 1,
        baseline=1,
        sentence=(
            f"Pays with an instrument that {number(others)} other "
            f"{'customer uses' if others == 1 else 'customers use'} too; "
            "most customers share theirs with nobody."
        ),
        innocent=INNOCENT,
        rows=Rows("account", {"accounts": accounts}, len(accounts)),
    )


@shared_payment.looks_at_cluster(decibans=12)
def pooled_cards(seen: ClusterFeatures) -> Evidence | None:
    cards = seen.common.get("payment", ())
    payers = covered(cards)
    if not payers:
        return None
    largest = max(len(card.members) for card in cards)
    share = len(payers) / seen.size
    return Evidence(
        strength=share * crowd(largest * 2),
        value=share,
        baseline=None,
        sentence=(
            f"{number(len(payers))} of {number(seen.size)} accounts pay with "
            f"{number(len(cards))} shared "
            f"{'instrument' if len(cards) == 1 else 'instruments'} ({percent(share)}); "
            f"one of them stands behind {number(largest)} accounts."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"members": True, "indicators": indicators(cards)},
            sum(len(card.members) for card in cards),
        ),
    )
