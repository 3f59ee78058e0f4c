"""Asking again and again for worked reasoning, or for marks against a rubric (B6, B7).

One such request is ordinary. Only how many accounts of a cluster ask unusually often
counts, and little: teachers, red-teamers and evaluators ask the same things.
"""

from scipy.special import bdtrc

from investigations.detection.detectors.base import (
    Detector,
    from_null,
    number,
    percent,
    window,
)
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Norm,
    Rows,
)

reasoning_elicitation = Detector(
    key="reasoning_elicitation",
    title="Asks for worked reasoning",
    family=Family.CONTENT,
    version=1,
)

WORDS = {
    "reasoning_elicitation": "for worked reasoning",
    "rubric_grading": "for marks against a rubric",
}
# An account with fewer requests has no rate worth comparing.
ENOUGH = 20
INNOCENT = (
    "Teachers ask for worked solutions and evaluators for marks; unrelated people who "
    "do would not be tied together in other ways."
)


def asks_often(account: AccountFeatures, intent: str, norm: Norm) -> bool:
    asked = account.intents.get(intent, 0)
    return account.requests >= ENOUGH and asked > norm.high * account.requests


def frequent(seen: ClusterFeatures, intent: str) -> tuple[int, int, float]:
    """(members that ask often, members compared, chance of so many)."""
    norm = seen.norms.get(intent)
    compared = [m for m in seen.members if m.requests >= ENOUGH]
    if norm is None or len({m.customer for m in compared}) < 3:
        return 0, len(compared), 1.0
    often = [m for m in compared if asks_often(m, intent, norm)]
    # One organisation speaks once, however many accounts it has.
    voices = len({m.customer for m in often})
    chance = bdtrc(voices - 1, len({m.customer for m in compared}), norm.exceed)
    return len(often), len(compared), float(chance) if voices else 1.0


@reasoning_elicitation.looks_at_cluster(decibans=6)
def pooled_rates(seen: ClusterFeatures) -> Evidence | None:
    counts = {intent: frequent(seen, intent) for intent in WORDS}
    strengths = {
        intent: from_null(chance) * often / max(compared, 1)
        for intent, (often, compared, chance) in counts.items()
    }
    intents = [intent for intent in WORDS if strengths[intent] > 0.1]
    if not intents:
        return None
    asked = sum(m.intents.get(intent, 0) for m in seen.members for intent in intents)
    parts = [
        f"{number(counts[intent][0])} of {number(counts[intent][1])} accounts ask "
        f"{WORDS[intent]} more often than {percent(1 - seen.norms[intent].exceed)} of "
        f"all customers do"
        for intent in intents
    ]
    return Evidence(
        strength=min(1.0, sum(strengths.values()) / len(WORDS)),
        value=asked / max(seen.requests, 1),
        baseline=max(seen.norms[intent].high for intent in intents),
        sentence=f"{'; '.join(parts)}: {percent(asked / seen.requests)} of their "
        f"{number(seen.requests)} requests.",
        innocent=INNOCENT,
        rows=Rows(
            "event", {"members": True, "intents": intents, **window(seen)}, asked
        ),
        quantile=min(counts[intent][2] for intent in intents),
    )


@reasoning_elicitation.looks_at_account(decibans=6)
def own_rate(seen: AccountView) -> Evidence | None:
    own = seen.features
    if seen.place is None or "reasoning_elicitation" not in seen.place.evidence:
        return None
    norms = seen.place.cluster.norms
    intents = [i for i in WORDS if i in norms and asks_often(own, i, norms[i])]
    if not intents:
        return None
    asked = sum(own.intents.get(intent, 0) for intent in intents)
    return Evidence(
        strength=seen.place.evidence["reasoning_elicitation"].strength,
        value=asked / own.requests,
        baseline=max(norms[intent].high for intent in intents),
        sentence=(
            f"Asks {' and '.join(WORDS[intent] for intent in intents)} in "
            f"{percent(asked / own.requests)} of {number(own.requests)} requests, as "
            "the other accounts of its cluster do."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"accounts": [own.account], "intents": intents, **window(seen)},
            asked,
        ),
    )
