"""Each account beside the others: who shares its card, who was born with it, where it
stands in a cluster."""

from collections.abc import Mapping, Set

import numpy as np

from investigations.detection.detectors.signup_burst import MINUTES
from investigations.detection.population import Population
from investigations.detection.rarity import KINDS
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    ClusterFeatures,
    Evidence,
    Handoff,
    Place,
)

WEEK_MINUTES = 7 * 24 * 60.0


def views(
    everyone: Population,
    pooled: Mapping[int, tuple[ClusterFeatures, Mapping[str, Evidence], float]],
    member_of: Mapping[int, tuple[int, int]],
    only: Set[int] | None = None,
) -> list[AccountView]:
    """Every account, or those of `only`, as its detectors see it, in order of id.

    `pooled`: cluster → (features, evidence, probability); `member_of`: account →
    (cluster, support).
    """
    cards, born = card_sharers(everyone), births_together(everyone, only)
    handed: dict[int, list[Handoff]] = {}
    for handoff in everyone.world.handoffs:
        handed.setdefault(handoff.giver, []).append(handoff)
        handed.setdefault(handoff.taker, []).append(handoff)
    seen = []
    for at, own in enumerate(everyone.features):
        if only is not None and own.account not in only:
            continue
        born_with, expected = born.get(at, (frozenset(), 0.0))
        place = None
        if own.account in member_of:
            cluster, support = member_of[own.account]
            features, evidence, likely = pooled[cluster]
            place = Place(features, evidence, support, likely)
        seen.append(
            AccountView(
                features=own,
                since=everyone.since,
                until=everyone.until,
                cards=cards.get(at, frozenset()),
                born_with=born_with,
                born_expected=expected,
                handoffs=tuple(handed.get(own.account, ())),
                place=place,
            )
        )
    return seen


def card_sharers(everyone: Population) -> dict[int, frozenset[int]]:
    """Position → ids of other customers' accounts on the same payment instrument."""
    shown = everyone.world.sightings
    organization = everyone.world.organization
    cap = KINDS["payment"].cap
    on_card: dict[int, list[int]] = {}
    payment = np.array([kind == "payment" for kind in everyone.kinds], bool)
    for row in np.flatnonzero(payment[shown.value]).tolist():
        on_card.setdefault(int(shown.value[row]), []).append(int(shown.account[row]))
    sharers: dict[int, frozenset[int]] = {}
    for holders in on_card.values():
        if not 1 < len(holders) <= cap:
            continue
        for at in holders:
            others = {
                everyone.features[other].account
                for other in holders
                if organization[other] != organization[at]
            }
            if others:
                sharers[at] = sharers.get(at, frozenset()) | others
    return sharers


def births_together(
    everyone: Population, only: Set[int] | None = None
) -> dict[int, tuple[frozenset[int], float]]:
    """Position → (ids born within ten minutes in the same manner, expected number).

    The manner is the shape of the address and the referrer; expected is what the
    week around would bring in twenty minutes.
    """
    manners: dict[tuple[str, str], list[int]] = {}
    for at, own in enumerate(everyone.features):
        if own.created_at is not None and (own.email_shape or own.referrer):
            manners.setdefault((own.email_shape, own.referrer), []).append(at)
    born: dict[int, tuple[frozenset[int], float]] = {}
    for positions in manners.values():
        if only is not None and not any(
            everyone.features[at].account in only for at in positions
        ):
            continue
        places = np.array(positions, np.int64)
        places = places[np.argsort(everyone.births[places], kind="stable")]
        order, times = places.tolist(), everyone.births[places]
        low = np.searchsorted(times, times - MINUTES, "left")
        high = np.searchsorted(times, times + MINUTES, "right")
        week_low = np.searchsorted(times, times - WEEK_MINUTES / 2, "left")
        week_high = np.searchsorted(times, times + WEEK_MINUTES / 2, "right")
        for at, a, b, c, d in zip(order, low, high, week_low, week_high, strict=True):
            if only is not None and everyone.features[at].account not in only:
                continue
            near = frozenset(
                everyone.features[other].account
                for other in order[a:b]
                if everyone.features[other].customer != everyone.features[at].customer
            )
            if near:
                rest = (d - c) - (b - a)
                born[at] = (near, float(rest * 2 * MINUTES / WEEK_MINUTES))
    return born


def tied_anew(
    everyone: Population, cluster: ClusterFeatures, account: AccountFeatures
) -> bool:
    """Whether something ties the account to its cluster that is newer than the last
    word of people about it: a conversation that changed hands, or a shared value
    first shown on a later day."""
    if account.labelled_at is None:
        return True
    if any(
        account.account in (h.giver, h.taker) and h.last_at > account.labelled_at
        for h in cluster.handoffs
    ):
        return True
    day = int(account.labelled_at.timestamp() // 86400)
    at = everyone.position[account.account]
    common = {
        (value.kind, value.value)
        for values in cluster.common.values()
        for value in values
        if account.account in value.members and not value.crowded
    }
    shown = everyone.world.sightings
    newer = [
        everyone.world.values[int(shown.value[row])]
        for row in everyone.sightings_of(at).tolist()
        if shown.first_day[row] > day
    ]
    return any((value.kind, value.text) in common for value in newer)
