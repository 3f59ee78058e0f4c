"""Asking again and again for worked reasoning (B6)."""

from investigations.detection.detectors.base import Detector
from investigations.detection.intent_rates import own_rate, pooled_rate
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
)

reasoning_elicitation = Detector(
    key="reasoning_elicitation",
    title="Asks for worked reasoning",
    family=Family.CONTENT,
    version=2,
)

WORDS = "for worked reasoning"
INNOCENT = (
    "Teachers and pupils ask for worked solutions, red-teamers probe for reasoning; "
    "unrelated people who do would not be tied together in other ways."
)


@reasoning_elicitation.looks_at_cluster(decibans=3)
def pooled_rates(seen: ClusterFeatures) -> Evidence | None:
    return pooled_rate(seen, reasoning_elicitation.key, words=WORDS, innocent=INNOCENT)


@reasoning_elicitation.looks_at_account(decibans=3)
def own_rates(seen: AccountView) -> Evidence | None:
    return own_rate(
        seen,
        reasoning_elicitation.key,
        words=WORDS,
        innocent=INNOCENT,
    )
