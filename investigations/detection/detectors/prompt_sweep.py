"""Every prompt a new one, none with a follow-up: a list being worked through (E1, B2).

People go on with what interests them, and products send one template over and over.
Accounts that do neither, many in one cluster, are copying a corpus of questions.
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
    Rows,
)

prompt_sweep = Detector(
    key="prompt_sweep", title="Prompt sweep", family=Family.CONTENT, version=1
)

# An account with fewer requests shows no habit.
ENOUGH = 20
SINGLE, DISTINCT = 0.9, 0.9
INNOCENT = (
    "A benchmark is run, or somebody's program asks unrelated questions one by one; "
    "one such account is ordinary, a cluster of strangers is not."
)


def sweeps(account: AccountFeatures) -> bool:
    """Nine in ten conversations end with the answer, nine in ten prompts are new."""
    return (
        account.requests >= ENOUGH
        and account.conversations > 0
        and account.single_shots >= SINGLE * account.conversations
        and account.distinct_skeletons >= DISTINCT * account.requests
    )


@prompt_sweep.looks_at_cluster(decibans=6)
def pooled_sweep(seen: ClusterFeatures) -> Evidence | None:
    compared = {m.customer for m in seen.members if m.requests >= ENOUGH}
    sweeping = [m for m in seen.members if sweeps(m)]
    voices = {m.customer for m in sweeping}
    if len(voices) < 3:
        return None
    ordinary = (seen.others_sweeping + 1) / (seen.others_compared + 2)
    quantile = float(bdtrc(len(voices) - 1, len(compared), ordinary))
    if not from_null(quantile):
        return None
    share = len(sweeping) / seen.size
    return Evidence(
        strength=from_null(quantile) * share,
        value=share,
        baseline=ordinary,
        sentence=(
            f"{number(len(sweeping))} of {number(seen.size)} accounts send one new "
            f"prompt after another and hardly ever follow up on an answer; of other "
            f"customers {percent(ordinary)} do."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {
                "accounts": [m.account for m in sweeping],
                "kind": "request",
                **window(seen),
            },
            sum(m.requests for m in sweeping),
        ),
        quantile=quantile,
    )


@prompt_sweep.looks_at_account(decibans=3)
def sweeps_with_cluster(seen: AccountView) -> Evidence | None:
    own = seen.features
    if seen.place is None or "prompt_sweep" not in seen.place.evidence:
        return None
    if not sweeps(own):
        return None
    return Evidence(
        strength=seen.place.evidence["prompt_sweep"].strength,
        value=own.distinct_skeletons / own.requests,
        baseline=seen.place.evidence["prompt_sweep"].baseline,
        sentence=(
            f"{percent(min(1.0, own.distinct_skeletons / own.requests))} of "
            f"{number(own.requests)} prompts were worded anew, and "
            f"{percent(own.single_shots / own.conversations)} of its conversations "
            "ended with the first answer, as in the rest of its cluster."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"accounts": [own.account], "kind": "request", **window(seen)},
            own.requests,
        ),
    )
