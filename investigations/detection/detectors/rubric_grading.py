"""Using the model as the judge of answers: a reward model on hire (B7)."""

from investigations.detection.detectors.base import Detector
from investigations.detection.intent_rates import own_rate, pooled_rate
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
)

rubric_grading = Detector(
    key="rubric_grading",
    title="Asks for marks against a rubric",
    family=Family.CONTENT,
    version=1,
)

WORDS = "for marks against a rubric"
INNOCENT = (
    "Evaluators and teachers have answers marked, and products use the model as a "
    "judge; unrelated people who do would not be tied together in other ways."
)


@rubric_grading.looks_at_cluster(decibans=3)
def pooled_rates(seen: ClusterFeatures) -> Evidence | None:
    return pooled_rate(seen, rubric_grading.key, words=WORDS, innocent=INNOCENT)


@rubric_grading.looks_at_account(decibans=3)
def own_rates(seen: AccountView) -> Evidence | None:
    return own_rate(
        seen,
        rubric_grading.key,
        words=WORDS,
        innocent=INNOCENT,
    )
