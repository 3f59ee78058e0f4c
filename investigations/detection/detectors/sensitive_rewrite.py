"""Having sensitive questions reworded until they are harmless (B8)."""

from investigations.detection.detectors.base import Detector
from investigations.detection.intent_rates import own_rate, pooled_rate
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
)

sensitive_rewrite = Detector(
    key="sensitive_rewrite",
    title="Asks for harmless rewording",
    family=Family.CONTENT,
    version=1,
)

WORDS = "to reword sensitive questions harmlessly"
INNOCENT = (
    "Researchers of censorship and newsrooms ask how a question can be put neutrally; "
    "unrelated people who do would not be tied together in other ways."
)


@sensitive_rewrite.looks_at_cluster(decibans=3)
def pooled_rates(seen: ClusterFeatures) -> Evidence | None:
    return pooled_rate(seen, sensitive_rewrite.key, words=WORDS, innocent=INNOCENT)


@sensitive_rewrite.looks_at_account(decibans=3)
def own_rates(seen: AccountView) -> Evidence | None:
    return own_rate(
        seen,
        sensitive_rewrite.key,
        words=WORDS,
        innocent=INNOCENT,
    )
