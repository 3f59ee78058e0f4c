"""The same uncommon client program and TLS shape on most accounts (I2)."""

import math

from investigations.detection.detectors.base import (
    Detector,
    few,
    number,
    once_a_cluster,
    window,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Rows,
)

rare_client_stack = Detector(
    key="rare_client_stack",
    title="Rare client stack",
    family=Family.DEVICE,
    version=1,
)

# Natural logarithm of how many times more common inside than outside: below 1.5
# (four and a half times) it is nothing, at 5 (150 times) it counts in full.
LIFT_FLOOR, LIFT_FULL = 1.5, 5.0
INNOCENT = "Customers of one vendor, or of one new version of a library, look alike."


@once_a_cluster
def most_used(seen: ClusterFeatures) -> tuple[str, int]:
    """The stack that most members use above all others, and how many do; programs
    that the rules list as public are left out."""
    counts: dict[str, int] = {}
    for member in seen.members:
        if member.stack and not member.public_stack:
            counts[member.stack] = counts.get(member.stack, 0) + 1
    return min(counts.items(), key=lambda item: (-item[1], item[0]), default=("", 0))


@rare_client_stack.looks_at_cluster(decibans=8)
def pooled_stack(seen: ClusterFeatures) -> Evidence | None:
    stack, users = most_used(seen)
    share = users / seen.size
    if seen.organizations < 3 or share < 0.5:
        return None
    outside = seen.stacks.get(stack, users) - users
    elsewhere = (outside + 1) / (seen.population - seen.size + 2)
    lift = math.log(share / elsewhere)
    if lift < LIFT_FLOOR:
        return None
    return Evidence(
        strength=share * min(1.0, lift / LIFT_FULL),
        value=share,
        baseline=outside / max(seen.population - seen.size, 1),
        sentence=(
            f"{number(users)} of {number(seen.size)} accounts come with the same "
            f"client program and encryption fingerprint; of all other "
            f"{number(seen.population - seen.size)} customers {few(outside)} "
            f"{'does' if outside < 2 else 'do'}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"members": True, "kind": "request", **window(seen)},
            seen.requests,
        ),
    )


@rare_client_stack.looks_at_account(decibans=3)
def same_stack_as_cluster(seen: AccountView) -> Evidence | None:
    if seen.place is None or "rare_client_stack" not in seen.place.evidence:
        return None
    stack, users = most_used(seen.place.cluster)
    if seen.features.stack != stack:
        return None
    pooled = seen.place.evidence["rare_client_stack"]
    return Evidence(
        strength=pooled.strength,
        value=users,
        baseline=pooled.baseline,
        sentence=(
            f"Comes with the same uncommon client program and encryption fingerprint "
            f"as {number(users - 1)} other accounts of its cluster."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {
                "accounts": [seen.features.account],
                "kind": "request",
                **window(seen),
            },
            seen.features.requests,
        ),
    )
