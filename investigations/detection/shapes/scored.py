"""What evidence adds up to."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from investigations.detection.shapes.clusters import ClusterFeatures
from investigations.detection.shapes.evidence import Evidence
from investigations.detection.shapes.links import FoundCluster


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a score: what was seen and what it added, in decibans. `without` is
    what the score would be had the detector seen nothing; None where it would be the
    same, or nobody asked."""

    signal: str
    title: str
    family: str
    points: float
    evidence: Evidence
    without: float | None = None

    def as_json(self) -> dict[str, Any]:
        seen = self.evidence
        return {
            "signal": self.signal,
            "title": self.title,
            "family": self.family,
            "points": round(self.points, 1),
            "value": seen.value,
            "baseline": seen.baseline,
            "quantile": seen.quantile,
            "sentence": seen.sentence,
            "innocent": seen.innocent,
            "without": self.without,
            "rows": {
                "table": seen.rows.table,
                "filters": dict(seen.rows.filters),
                "count": seen.rows.count,
            },
        }


@dataclass(frozen=True, slots=True)
class Scored:
    """0-100 with its reasons; `families` are those that contributed 3 dB or more."""

    score: float
    decibans: float
    band: str
    reasons: tuple[Reason, ...]
    families: frozenset[str]


@dataclass(frozen=True, slots=True)
class ScoredAccount:
    account: int
    evidence: Mapping[str, Evidence]
    scored: Scored


class Amount(StrEnum):
    """How much there is to judge a cluster by."""

    TOO_LITTLE = "too_little"  # to say anything
    EARLY = "early"  # enough to tell of a campaign, too little to act on
    EARLY_MANY = "early_many"  # the same, of too many customers for a small team
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCluster:
    """`evidence` by detector key; `proposed_ban` has account ids in rising order, and
    `withheld` those that would be in it if a new source were to be believed; `amount`
    says whether there is enough to act on."""

    found: FoundCluster
    features: ClusterFeatures
    evidence: Mapping[str, Evidence]
    scored: Scored
    verdict: str
    innocent_explanation: str
    amount: Amount = Amount.ENOUGH
    proposed_ban: tuple[int, ...] = ()
    withheld: tuple[int, ...] = ()
    withheld_because: str = ""

    def withholding(self, accounts: Set[int], because: str) -> "ScoredCluster":
        """The same without these in the proposal; what is said adds up."""
        said = (self.withheld_because, because)
        return replace(
            self,
            proposed_ban=tuple(a for a in self.proposed_ban if a not in accounts),
            withheld=tuple(sorted({*self.withheld, *accounts})),
            withheld_because=" ".join(filter(None, said)),
        )
