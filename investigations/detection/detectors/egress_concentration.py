"""Accounts of strangers leaving through the same few address blocks (I3)."""

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

egress_concentration = Detector(
    key="egress_concentration",
    title="Shared way out",
    family=Family.NETWORK,
    version=1,
)

INNOCENT = (
    "A campus, an office, a VPN or a mobile provider puts unrelated people behind one "
    "address; blocks used by all sorts of customers are left out here."
)


def own_blocks(seen: ClusterFeatures) -> tuple[CommonValue, ...]:
    """Blocks used by three or more members, mostly by members, and not crowded."""
    return tuple(
        block
        for block in seen.common.get("block", ())
        if len(block.members) >= 3 and block.purity >= 0.5 and not block.crowded
    )


@egress_concentration.looks_at_cluster(decibans=4)
def pooled_blocks(seen: ClusterFeatures) -> Evidence | None:
    blocks = own_blocks(seen)
    on_them = covered(blocks)
    share = len(on_them) / seen.size
    if share < 0.2 or seen.organizations < 3:
        return None
    strangers = sum(block.accounts - len(block.members) for block in blocks)
    return Evidence(
        strength=share,
        value=share,
        baseline=None,
        sentence=(
            f"{number(len(on_them))} of {number(seen.size)} accounts "
            f"({percent(share)}) come through {number(len(blocks))} address "
            f"{'block' if len(blocks) == 1 else 'blocks'} that hardly anybody else "
            f"uses ({few(strangers)} of all others)."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"members": True, "indicators": indicators(blocks)},
            sum(len(block.members) for block in blocks),
        ),
    )


@once_a_cluster
def blocks_by_member(seen: ClusterFeatures) -> Mapping[int, Own]:
    return by_member(own_blocks(seen))


@egress_concentration.looks_at_account(decibans=3)
def through_cluster_blocks(seen: AccountView) -> Evidence | None:
    if seen.place is None:
        return None
    account = seen.features.account
    own = blocks_by_member(seen.place.cluster).get(account)
    if own is None:
        return None
    others = own.reach - 1
    return Evidence(
        strength=1.0,
        value=others,
        baseline=None,
        sentence=(
            f"Comes through the same narrow address blocks as {number(others)} other "
            "accounts of its cluster."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "sighting",
            {"accounts": [account], "indicators": indicators(own.values)},
            len(own.values),
        ),
    )
