"""What a cluster is worth to its members."""

import pytest

from investigations.detection.assessment import likely
from investigations.detection.ruleset import probability
from investigations.detection.shapes import (
    Amount,
    FoundCluster,
    Member,
    Scored,
    ScoredCluster,
)
from tests.detection.worlds import member, pooled

ACCOUNTS = range(20)


def cluster(
    verdict: str, shown: float, amount: Amount = Amount.ENOUGH
) -> ScoredCluster:
    return ScoredCluster(
        FoundCluster(tuple(Member(account, 1.0, 3) for account in ACCOUNTS)),
        pooled(map(member, ACCOUNTS)),
        {},
        Scored(shown, 20.0, "review", (), frozenset()),
        verdict,
        "",
        amount,
    )


def test_members_of_a_resale_pool_belong_to_it_as_surely_as_it_is_one():
    """It is shown at less because it harvests nothing, not because it might be none."""
    assert likely(cluster("resale_pool", 84.0)) == probability(20.0) > 0.98


@pytest.mark.parametrize(
    ("verdict", "shown", "amount"),
    [
        ("insufficient_evidence", 69.0, Amount.ENOUGH),
        ("insufficient_evidence", 39.0, Amount.TOO_LITTLE),
        ("distillation", 84.0, Amount.EARLY),
    ],
)
def test_what_holds_a_cluster_back_holds_its_members_back(verdict, shown, amount):
    assert likely(cluster(verdict, shown, amount)) == shown / 100
