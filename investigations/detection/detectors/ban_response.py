"""A pool answers to the bans of some of its accounts (T6).

When one operator loses accounts, the work must go somewhere: new accounts sign up
within hours, or the accounts that are left do so much more that the total stays as it
was. Customers who do not know one another do neither. It is a natural experiment, and
the questions are asked in `aftermath.py`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from investigations.detection import aftermath
from investigations.detection.aftermath import HOUR, Replaced, TakenOver
from investigations.detection.detectors.base import (
    Detector,
    from_null,
    number,
    stamp,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Rows,
)

ban_response = Detector(
    key="ban_response", title="Answer to bans", family=Family.LIFECYCLE, version=1
)

FEWEST_CUSTOMERS, FEWEST_BANS = 5, 3
# Larger waves than these are no clearer, and each more is one more chance to err.
MOST_WAVES = 3
INNOCENT = (
    "Customers who were banned by mistake sign up again, each for himself, or a "
    "company's remaining accounts take over its work."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The more telling of the two; `quantile` allows for having looked at both."""

    replaced: Replaced | None
    taken_over: TakenOver | None
    quantile: float


def answer(seen: ClusterFeatures) -> Answer | None:
    if not seen.aftermath.struck or seen.organizations < FEWEST_CUSTOMERS:
        return None
    fresh, over, tried = replacement(seen), *takeover(seen)
    by_fresh = fresh.quantile if fresh else 1.0
    by_over = over.quantile * tried if over else 1.0
    if min(by_fresh, by_over) >= 1:
        return None
    if by_fresh <= by_over:
        return Answer(fresh, None, min(1.0, 2 * by_fresh))
    return Answer(None, over, min(1.0, 2 * by_over))


def replacement(seen: ClusterFeatures) -> Replaced | None:
    bans = np.array(sorted(seen.aftermath.struck.values()), float)
    if len(bans) < FEWEST_BANS or not len(seen.births):
        return None
    births, others = seen.births * 60, seen.other_births * 60
    begin = max(seen.since.timestamp(), float(births.min()))
    found = aftermath.replaced(bans, births, others, (begin, seen.until.timestamp()))
    return found if len(found.newcomers) >= FEWEST_BANS else None


def takeover(seen: ClusterFeatures) -> tuple[TakenOver | None, int]:
    """What followed the wave that tells most, and how many waves were looked at."""
    after = seen.aftermath
    times = np.array([after.struck.get(at, np.inf) for at in range(seen.size)])
    waves = aftermath.waves(times[np.isfinite(times)])
    waves = sorted(waves, key=lambda wave: -len(wave))[:MOST_WAVES]
    found = []
    for wave in waves:
        struck = np.flatnonzero((times >= wave[0]) & (times <= wave[-1]))
        at = int((wave[-1] - seen.since.timestamp()) // HOUR)
        stays = times > wave[-1] + aftermath.AFTER * HOUR
        if len({m.customer for m, s in zip(seen.members, stays, strict=True) if s}) < (
            FEWEST_CUSTOMERS
        ):
            continue
        over = aftermath.taken_over(struck, at, after.hours, stays, after.others)
        found += [over] if over else []
    best = min(found, key=lambda over: over.quantile, default=None)
    return best, len(waves)


@ban_response.looks_at_cluster(decibans=12)
def pooled_answer(seen: ClusterFeatures) -> Evidence | None:
    found = answer(seen)
    if found is None or not from_null(found.quantile):
        return None
    if found.replaced is not None:
        return newcomers_told(seen, found.replaced, found.quantile)
    assert found.taken_over is not None
    return takeover_told(seen, found.taken_over, found.quantile)


def newcomers_told(seen: ClusterFeatures, found: Replaced, quantile: float) -> Evidence:
    came = joined(seen, found)
    return Evidence(
        strength=from_null(quantile),
        value=len(found.newcomers),
        baseline=round(found.usual, 1),
        sentence=(
            f"{number(len(found.newcomers))} new accounts of the cluster signed up "
            f"within {words(found.within)} after {number(found.bans)} of its accounts "
            f"were banned or restricted; had the bans come at other times, it would "
            f"have been {found.usual:.0f}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "account",
            {"accounts": sorted([*came, *struck(seen)])},
            len(came) + len(struck(seen)),
        ),
        quantile=quantile,
    )


def takeover_told(seen: ClusterFeatures, found: TakenOver, quantile: float) -> Evidence:
    begin = seen.since.timestamp() + (found.at + 1) * HOUR
    at = datetime.fromtimestamp(begin, UTC)
    until = datetime.fromtimestamp(begin + aftermath.AFTER * HOUR, UTC)
    hours = seen.aftermath.hours[found.at + 1 : found.at + 1 + aftermath.AFTER]
    return Evidence(
        strength=from_null(quantile),
        value=round(found.gain, 2),
        baseline=round(found.elsewhere, 2),
        sentence=(
            f"In the {aftermath.AFTER} hours after {number(found.bans)} of its "
            f"accounts were banned or restricted ({at:%-d %b %H:%M} UTC) the others "
            f"sent {found.gain:.2f} times as many requests as at that time on the days "
            f"before; {found.needed:.2f} times would keep the total, other customers "
            f"sent {found.elsewhere:.2f} times as many."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {
                "members": True,
                "kind": "request",
                "since": stamp(at),
                "until": stamp(until),
            },
            int(hours.sum()),
        ),
        quantile=quantile,
    )


def words(seconds: float) -> str:
    return "an hour" if seconds <= HOUR else f"{seconds / HOUR:.0f} hours"


def struck(seen: ClusterFeatures) -> list[int]:
    return [seen.members[at].account for at in seen.aftermath.struck]


def joined(seen: ClusterFeatures, found: Replaced) -> list[int]:
    """Members whose sign-up followed a ban."""
    times = set(np.round(found.newcomers).tolist())
    return [
        member.account
        for member in seen.members
        if member.created_at and round(member.created_at.timestamp()) in times
    ]


@ban_response.looks_at_account(decibans=6)
def came_after_a_ban(seen: AccountView) -> Evidence | None:
    own = seen.features
    if seen.place is None or "ban_response" not in seen.place.evidence:
        return None
    pooled = seen.place.evidence["ban_response"]
    # Of newcomers the rows are accounts: they, and those who were banned.
    if pooled.rows.table != "account" or own.created_at is None:
        return None
    at = own.created_at.timestamp()
    before = [t for t in seen.place.cluster.aftermath.struck.values() if t < at]
    if not before or own.account not in pooled.rows.filters["accounts"]:
        return None
    last = max(before)
    if at - last > aftermath.IN_A_DAY:
        return None
    return Evidence(
        strength=pooled.strength,
        value=round((at - last) / 60, 1),
        baseline=None,
        sentence=(
            f"Signed up {(at - last) / 60:.0f} minutes after an account of its cluster "
            f"was banned or restricted."
        ),
        innocent=INNOCENT,
        rows=Rows("account", {"accounts": [own.account]}, 1),
    )
