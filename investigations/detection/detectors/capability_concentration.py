"""One capability of the model and little else, in all accounts (B5).

What a harvest is after shows in what is asked; strangers taken together ask for all
sorts of things. Compared is with customers who offer tools as the members do, or do
not, so that programmers are measured beside programmers.
"""

import numpy as np

from investigations.detection.detectors.base import (
    FEWEST_PEERS,
    Detector,
    beyond,
    from_null,
    number,
    once_a_cluster,
    percent,
    random_groups,
    window,
)
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Floats,
    Rows,
)

capability_concentration = Detector(
    key="capability_concentration",
    title="Capability concentration",
    family=Family.CONTENT,
    version=1,
)

CAPABILITIES = {
    "reasoning_elicitation": "worked reasoning",
    "rubric_grading": "marks against a rubric",
    "sensitive_rewrite": "harmless rewording",
    "agentic_coding": "programming with agents",
    "tool_use": "the use of tools",
    "vision": "images",
    "data_analysis": "data analysis",
}
NAMES = tuple(CAPABILITIES)
FEWEST = 3  # customers with habits
# So much more of the requests than comparable customers' counts in full.
FULL_GAIN = 0.5
LEAST_GAIN = 0.1
SMOOTH = 1e-3
INNOCENT = (
    "Specialists: a company's product, a course or a trade asks for one thing; "
    "strangers with one speciality would not be tied together in other ways."
)


def shares(account: AccountFeatures) -> list[float]:
    """Share of an account's requests that ask for each capability."""
    return [account.intents.get(name, 0) / max(account.requests, 1) for name in NAMES]


def mixes(asked: Floats) -> Floats:
    """Shares → what makes up the requests, the rest with no capability named."""
    rest = np.maximum(0.0, 1.0 - asked.sum(axis=-1, keepdims=True))
    mix = np.concatenate([asked, rest], axis=-1) + SMOOTH
    made: Floats = mix / mix.sum(axis=-1, keepdims=True)
    return made


def divergence(asked: Floats, usual: Floats) -> Floats:
    """Kullback-Leibler divergence from the usual mix, in nats."""
    mix, other = mixes(asked), mixes(usual)
    nats: Floats = (mix * np.log(mix / other)).sum(axis=-1)
    return nats


@once_a_cluster
def top(seen: ClusterFeatures) -> tuple[int, float, float]:
    """(capability the members ask for most above the others, their share, others')."""
    habits = seen.habits
    mine, usual = habits.asked.mean(axis=0), habits.others_asked.mean(axis=0)
    at = int(np.argmax(mine - usual))
    return at, float(mine[at]), float(usual[at])


@capability_concentration.looks_at_cluster(decibans=2)
def pooled_mix(seen: ClusterFeatures) -> Evidence | None:
    known = seen.habits
    if len(known.asked) < FEWEST or len(known.others_asked) < FEWEST_PEERS:
        return None
    at, share, usual = top(seen)
    if share - usual < LEAST_GAIN:
        return None
    cohort = known.others_asked.mean(axis=0)
    nats = float(divergence(known.asked.mean(axis=0), cohort))
    drawn = divergence(random_groups(known.others_asked, len(known.asked)), cohort)
    quantile = beyond(nats, drawn)
    if not from_null(quantile):
        return None
    asked = sum(m.intents.get(NAMES[at], 0) for m in seen.members)
    return Evidence(
        strength=from_null(quantile) * min(1.0, (share - usual) / FULL_GAIN),
        value=share,
        baseline=usual,
        sentence=(
            f"{percent(share)} of their requests are about {CAPABILITIES[NAMES[at]]}, "
            f"of comparable customers' {percent(usual)}; what they ask for differs "
            f"from these by {nats:.2f} nats, random groups of as many by "
            f"{float(np.median(drawn)):.2f}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event", {"members": True, "intents": [NAMES[at]], **window(seen)}, asked
        ),
        quantile=quantile,
    )


@capability_concentration.looks_at_account(decibans=2)
def own_share(seen: AccountView) -> Evidence | None:
    own = seen.features
    if seen.place is None or "capability_concentration" not in seen.place.evidence:
        return None
    at, share, usual = top(seen.place.cluster)
    mine = shares(own)[at]
    # Nearer to the cluster's share than to what is usual.
    if not own.requests or mine < (share + usual) / 2:
        return None
    asked = own.intents.get(NAMES[at], 0)
    return Evidence(
        strength=seen.place.evidence["capability_concentration"].strength,
        value=mine,
        baseline=usual,
        sentence=(
            f"{percent(mine)} of {number(own.requests)} requests are about "
            f"{CAPABILITIES[NAMES[at]]}, as in the rest of its cluster; of comparable "
            f"customers' {percent(usual)} are."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"accounts": [own.account], "intents": [NAMES[at]], **window(seen)},
            asked,
        ),
    )
