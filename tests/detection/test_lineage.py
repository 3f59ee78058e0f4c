"""Splits, merges, ends and returns of clusters, from one run to the next."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from ingest.models import Account
from investigations.detection import claims, clustering, selectors
from investigations.detection.lineage import Change, Kind, Known, changes
from investigations.detection.linking import Inside
from investigations.detection.models import Cluster, ClusterLineage
from investigations.detection.shapes import (
    ClusterFeatures,
    FoundCluster,
    Member,
    Scored,
    ScoredCluster,
)
from tests.detection.worlds import NOW
from tests.factories import AccountFactory


def known(members: Iterable[int], *, live: bool = True, days_ago: int = 0) -> Known:
    return Known(frozenset(members), live, NOW - timedelta(days=days_ago))


def became(before, found):
    """The changes after ids were carried over; a new cluster is numbered from 100."""
    kept = clustering.carry_ids(found, {pk: b.members for pk, b in before.items()})
    names = [key or 100 + at for at, key in enumerate(kept)]
    return changes(before, dict(zip(names, found, strict=True)))


def people(first: int, last: int) -> frozenset[int]:
    return frozenset(range(first, last))


def test_a_part_that_goes_its_own_way_split_off():
    before = {7: known(people(0, 20))}

    assert became(before, [people(0, 12), people(12, 20)]) == [
        Change(Kind.SPLIT, 7, 101, 8)
    ]


def test_of_two_that_become_one_the_lesser_merged():
    before = {7: known(people(0, 20)), 8: known(people(20, 28))}

    assert became(before, [people(0, 28)]) == [Change(Kind.MERGED, 8, 7, 8)]


def test_a_cluster_that_fell_apart_split_into_each_part():
    before = {7: known(people(0, 40))}
    parts = [people(n, n + 10) for n in range(0, 40, 10)]

    assert became(before, parts) == [
        Change(Kind.SPLIT, 7, n, 10) for n in range(100, 104)
    ]


def test_members_that_go_over_to_another_cluster_moved():
    before = {7: known(people(0, 20)), 8: known(people(20, 40))}

    assert became(before, [people(0, 12), people(12, 40)]) == [
        Change(Kind.MOVED, 7, 8, 8)
    ]


def test_what_is_not_found_any_more_vanished():
    assert became({7: known(people(0, 5))}, []) == [Change(Kind.VANISHED, 7, None, 5)]


def test_what_vanished_before_does_not_vanish_again():
    assert became({7: known(people(0, 5), live=False)}, []) == []


def test_what_vanished_and_is_found_again_returned():
    before = {7: known(people(0, 6), live=False, days_ago=9)}

    assert became(before, [people(2, 7)]) == [Change(Kind.RETURNED, None, 7, 4)]


@pytest.mark.parametrize(("whole", "part"), [(7, 8), (8, 7)])
def test_what_merged_and_comes_apart_again_split_off_under_its_old_name(whole, part):
    before = {
        whole: known(people(0, 28)),
        part: known(people(20, 28), live=False, days_ago=9),
    }

    told = became(before, [people(0, 20), people(20, 28)])
    assert told == [Change(Kind.SPLIT, whole, part, 8)]


def test_a_cluster_that_goes_on_is_no_news():
    before = {7: known(people(0, 20))}

    assert became(before, [people(1, 24)]) == []


@pytest.mark.parametrize("count", [1, 2])
def test_a_lone_account_that_changes_sides_is_no_lineage(count):
    before = {7: known(people(0, 5)), 8: known(people(10, 15))}
    found = [people(count, 5), people(10, 15) | people(0, count)]

    assert became(before, found) == []


def test_a_trickle_between_large_clusters_is_no_lineage():
    before = {7: known(people(0, 100)), 8: known(people(100, 200))}

    assert became(before, [people(0, 90), people(90, 200)]) == []


def test_the_order_of_clusters_changes_nothing():
    before = {7: known(people(0, 40)), 8: known(people(50, 60))}
    after = {7: people(0, 20), 9: people(20, 40) | people(50, 60)}

    swapped = dict(reversed(before.items())), dict(reversed(after.items()))
    assert changes(*swapped) == changes(before, after)


# --- In the tables ------------------------------------------------------------------


@pytest.fixture
def accounts(db) -> list[Account]:
    return [AccountFactory() for _ in range(20)]


def found(accounts: Iterable[Account]) -> ScoredCluster:
    members = tuple(
        Member(pk, 1.0, 3) for pk in sorted(account.pk for account in accounts)
    )
    features = ClusterFeatures((), 20, NOW, NOW)
    scored = Scored(10.0, -10.0, "none", (), frozenset())
    return ScoredCluster(
        FoundCluster(members), features, {}, scored, "insufficient_evidence", ""
    )


def a_run(days: int, *groups: Iterable[Account]) -> list[Cluster]:
    clusters = [found(group) for group in groups]
    at = NOW + timedelta(days=days)
    return claims.store_clusters(clusters, [Inside() for _ in clusters], at)


def told(cluster: Cluster) -> list[tuple[str, int | None, int | None, int]]:
    steps = selectors.cluster_lineage([cluster.pk])
    return [(s.kind, s.parent_id, s.child_id, s.shared) for s in reversed(steps)]


def test_a_cluster_splits_merges_disappears_and_returns(accounts):
    (first,) = a_run(0, accounts)
    kept, part = a_run(1, accounts[:12], accounts[12:])
    (whole,) = a_run(2, accounts)
    a_run(3)
    (back,) = a_run(4, accounts)

    assert {first.pk, kept.pk, whole.pk, back.pk} == {first.pk}
    assert told(first) == [
        ("split", first.pk, part.pk, 8),
        ("merged", part.pk, first.pk, 8),
        ("vanished", first.pk, None, 20),
        ("returned", None, first.pk, 20),
    ]


def test_a_run_that_is_done_again_tells_nothing_twice(accounts):
    for _ in range(2):
        a_run(0, accounts)
        a_run(1, accounts[:12], accounts[12:])

    assert ClusterLineage.objects.filter(kind="split").count() == 1


def test_an_old_reference_leads_to_what_it_became_through_all_that_lies_between(
    accounts,
):
    _, small, least = a_run(0, accounts[:10], accounts[10:16], accounts[16:])
    a_run(1, accounts[:10], accounts[10:])
    (whole,) = a_run(2, accounts)
    least.refresh_from_db()

    assert not least.live
    assert [each.pk for each in selectors.successors(least)] == [whole.pk]
    assert told(small)[-1][:3] == ("merged", small.pk, whole.pk)


def test_who_left_before_the_end_is_not_what_a_cluster_became(accounts):
    (first,) = a_run(0, accounts)
    a_run(1, accounts[:12], accounts[12:])
    a_run(2, accounts[12:])
    first.refresh_from_db()

    assert not first.live
    assert selectors.successors(first) == []


def test_a_cluster_that_goes_on_has_no_successor(accounts):
    a_run(0, accounts)
    first, _ = a_run(1, accounts[:12], accounts[12:])

    assert selectors.successors(first) == []
