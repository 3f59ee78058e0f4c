"""The past cluster that one resembles, as its page and its cases' pages tell it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from investigations.detection import selectors
from investigations.detection.detectors.base import percent
from investigations.detection.models import Cluster, Fingerprint
from investigations.detection.portraits import PARTS

Outcome = Fingerprint.Outcome


@dataclass(frozen=True, slots=True)
class Way:
    """One part that agrees, how much, and how many of the others agree as much."""

    words: str
    likeness: float
    others: str


@dataclass(frozen=True, slots=True)
class Resembles:
    past: Cluster
    guilty: bool
    decided_at: datetime | None
    since: datetime
    likeness: float
    others: str
    compared: int
    ways: list[Way]


def resembles_context(cluster: Cluster | None) -> dict[str, Any]:
    """`resembles`: None where it is like no past cluster."""
    told = selectors.resemblance_of(cluster) if cluster else None
    if told is None:
        return {"resembles": None}
    known = getattr(told.past, "fingerprint", None)
    ways = [
        Way(PARTS[each["part"]], each["likeness"], percent(each["quantile"]))
        for each in told.agreements
        if each["part"] in PARTS
    ]
    seen = Resembles(
        past=told.past,
        guilty=known is not None and known.outcome == Outcome.CONFIRMED,
        decided_at=known and known.decided_at,
        since=told.since,
        likeness=told.likeness,
        others=percent(told.quantile),
        compared=told.compared,
        ways=ways,
    )
    return {"resembles": seen}
