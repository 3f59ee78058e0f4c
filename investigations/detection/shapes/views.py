"""One account beside its cluster, as detectors look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from investigations.detection.shapes.accounts import AccountFeatures
from investigations.detection.shapes.clusters import ClusterFeatures
from investigations.detection.shapes.columns import Handoff
from investigations.detection.shapes.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Place:
    """What an account's own detectors may know of the cluster it belongs to.

    `evidence` is what the cluster's detectors gave, by detector key.
    """

    cluster: ClusterFeatures
    evidence: Mapping[str, Evidence]
    support: int
    probability: float


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its detectors see it: own facts, shared values, its place.

    `cards` are the other customers on its payment instruments; `born_with` the other
    customers who signed up within ten minutes in the same manner, `born_expected`
    how many would by chance; `handoffs` those it took part in.
    """

    features: AccountFeatures
    since: datetime
    until: datetime
    cards: frozenset[int] = frozenset()
    born_with: frozenset[int] = frozenset()
    born_expected: float = 0.0
    handoffs: tuple[Handoff, ...] = ()
    place: Place | None = None
