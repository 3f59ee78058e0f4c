"""Rare client stacks (I2) and shared ways out (I3)."""

from investigations.detection.detectors.egress_concentration import pooled_blocks
from investigations.detection.detectors.rare_client_stack import (
    pooled_stack,
    same_stack_as_cluster,
)
from investigations.detection.shapes import Place
from tests.detection.worlds import alone, common, member, pooled


def relayed(outside: int = 0):
    """Ten members on one client, which `outside` of 990 other customers use, too."""
    members = [member(n, stack="relay") for n in range(10)]
    return pooled(members, stacks={"relay": 10 + outside})


def test_a_client_that_nobody_else_uses_counts_in_full():
    seen = pooled_stack(relayed())

    assert seen is not None
    assert seen.strength == 1
    assert seen.sentence == (
        "10 of 10 accounts come with the same client program and encryption "
        "fingerprint; of all other 990 customers none does."
    )


def test_a_popular_client_is_no_evidence():
    assert pooled_stack(relayed(outside=400)) is None


def test_one_organisations_accounts_are_one_voice_about_their_client():
    members = [member(n, stack="relay", organization="acme") for n in range(10)]

    assert pooled_stack(pooled(members, stacks={"relay": 10})) is None


def test_a_member_on_another_client_is_not_told_it_shares_the_clusters():
    cluster = relayed()
    seen = pooled_stack(cluster)
    assert seen is not None
    place = Place(cluster, {"rare_client_stack": seen}, support=3, probability=0.99)

    assert same_stack_as_cluster(alone(member(1, stack="relay"), place=place))
    assert same_stack_as_cluster(alone(member(1, stack="other"), place=place)) is None


def test_blocks_that_hardly_anybody_else_uses_tie_the_members():
    blocks = (common("block", range(8), accounts=9),)
    seen = pooled_blocks(pooled(map(member, range(10)), common={"block": blocks}))

    assert seen is not None
    assert seen.value == 0.8
    assert "1 address block that hardly anybody else uses" in seen.sentence


def test_a_crowded_block_is_no_evidence():
    blocks = (common("block", range(8), crowded=True),)

    assert (
        pooled_blocks(pooled(map(member, range(10)), common={"block": blocks})) is None
    )


def test_a_block_mostly_used_by_others_is_no_evidence():
    blocks = (common("block", range(8), accounts=80),)

    assert (
        pooled_blocks(pooled(map(member, range(10)), common={"block": blocks})) is None
    )
