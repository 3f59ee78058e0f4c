"""The same private set of tools, or the same system prompt, on many accounts (B3)."""

import math
from collections.abc import Mapping

from investigations.detection.detectors.base import (
    Detector,
    Own,
    by_member,
    covered,
    few,
    indicators,
    number,
    once_a_cluster,
    percent,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    CommonValue,
    Evidence,
    Family,
    Rows,
)

tool_schema = Detector(
    key="tool_schema", title="Private harness", family=Family.CONTENT, version=1
)

# A value shown by one account in 55 of all (ln 55 ≈ 4) or fewer counts in full.
RARE = 4.0
INNOCENT = (
    "The accounts run the same new or home-made agent, for instance after one "
    "workshop; programs that many others run too are left out here."
)


def own_harness(seen: ClusterFeatures) -> tuple[CommonValue, ...]:
    """Tool sets and system prompts of three or more members, 80% of users inside."""
    return tuple(
        value
        for kind in ("tools", "system")
        for value in seen.common.get(kind, ())
        if len(value.members) >= 3 and value.purity >= 0.8
    )


@tool_schema.looks_at_cluster(decibans=10)
def pooled_harness(seen: ClusterFeatures) -> Evidence | None:
    harness = own_harness(seen)
    on_it = covered(harness)
    share = len(on_it) / seen.size
    if share < 0.2 or seen.organizations < 3:
        return None
    users = max(value.accounts for value in harness)
    strangers = sum(value.accounts - len(value.members) for value in harness)
    rarity = math.log(max(seen.population, users) / users)
    return Evidence(
        strength=share * min(1.0, max(0.0, rarity) / RARE),
        value=share,
        baseline=None,
        sentence=(
            f"{number(len(on_it))} of {number(seen.size)} accounts ({percent(share)}) "
            f"offer the model the same tools or the same system prompt; of "
            f"{number(seen.population - seen.size)} other customers {few(strangers)} "
            f"{'does' if strangers < 2 else 'do'}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"members": True, "indicators": indicators(harness)},
            sum(len(value.members) for value in harness),
        ),
    )


@once_a_cluster
def harness_by_member(seen: ClusterFeatures) -> Mapping[int, Own]:
    return by_member(own_harness(seen))


@tool_schema.looks_at_account(decibans=8)
def runs_cluster_harness(seen: AccountView) -> Evidence | None:
    if seen.place is None or "tool_schema" not in seen.place.evidence:
        return None
    account = seen.features.account
    own = harness_by_member(seen.place.cluster).get(account)
    if own is None:
        return None
    others = own.reach - 1
    return Evidence(
        strength=seen.place.evidence["tool_schema"].strength,
        value=others,
        baseline=0,
        sentence=(
            f"Offers the model the same tools or system prompt as {number(others)} "
            "other accounts of its cluster and hardly anybody else."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"accounts": [account], "indicators": indicators(own.values)},
            len(own.values),
        ),
    )
