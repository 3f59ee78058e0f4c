"""GET /api/v1/clusters/ and a cluster's members."""

from datetime import UTC, datetime

import pytest

from investigations.detection.models import ClusterLineage, Link
from tests.factories import (
    AccountFactory,
    ClusterFactory,
    ExposureFactory,
    MembershipFactory,
)

pytestmark = pytest.mark.django_db
CLUSTERS = "/api/v1/clusters/"


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


def test_a_row_has_the_contracts_fields_and_link_types(reader):
    ann, bob = AccountFactory(external_id="ann"), AccountFactory(external_id="bob")
    cluster = ClusterFactory(
        score=97.0,
        band="action",
        verdict="distillation",
        size=2,
        proposed_ban=[bob.pk],
        link_kinds={"payment": 1},
    )
    ExposureFactory(cluster=cluster, exchanges=12, input_tokens=340, output_tokens=5600)
    MembershipFactory(cluster=cluster, account=bob)
    MembershipFactory(cluster=cluster, account=ann)

    [row] = reader.get(CLUSTERS).json()["results"]

    assert row == {
        "cluster_id": cluster.ref,
        "score": 97.0,
        "band": "action",
        "verdict": "distillation",
        "size": 2,
        "members": ["ann", "bob"],
        "proposed_ban": ["bob"],
        "exposure": {"exchanges": 12, "input_tokens": 340, "output_tokens": 5600},
        "first_flagged_at": None,
        "live": True,
        "link_types": {"payment": 1},
        "reasons": [],
        "lineage": [],
    }


def test_a_cluster_of_an_earlier_run_is_not_listed(reader):
    ClusterFactory(live=False)
    assert reader.get(CLUSTERS).json()["results"] == []


def test_a_cluster_that_ended_is_read_by_its_id_and_says_what_became_of_it(reader):
    gone, heir = ClusterFactory(live=False), ClusterFactory()
    at = datetime(2026, 11, 14, 6, tzinfo=UTC)
    ClusterLineage.objects.create(
        parent=gone, child=heir, kind="merged", shared=34, at=at
    )
    told = {
        "at": "2026-11-14T06:00:00Z",
        "kind": "merged",
        "came_from": gone.ref,
        "went_to": heir.ref,
        "shared": 34,
    }

    read = reader.get(f"{CLUSTERS}{gone.ref}/").json()
    assert (read["live"], read["lineage"]) == (False, [told])
    assert reader.get(CLUSTERS).json()["results"][0]["lineage"] == [told]


@pytest.mark.parametrize("shown_as", ["CL-{}", "{}", "cl-{}"])
def test_a_cluster_is_found_by_its_reference_or_its_number(reader, shown_as):
    cluster = ClusterFactory()
    response = reader.get(f"{CLUSTERS}{shown_as.format(cluster.pk)}/")
    assert response.json()["cluster_id"] == cluster.ref


@pytest.mark.parametrize("ref", ["CL-0", "x", "CL-99999999999999999999", "CL-7"])
def test_what_is_no_cluster_is_not_found(reader, ref):
    assert reader.get(f"{CLUSTERS}{ref}/").status_code == 404
    assert reader.get(f"{CLUSTERS}{ref}/members/").status_code == 404


def test_a_member_is_an_account_with_what_ties_it_to_others(reader):
    one, two = MembershipFactory(), MembershipFactory()
    two.cluster = one.cluster
    two.save()
    pair = sorted([one.account.pk, two.account.pk])
    Link.objects.create(
        account_a_id=pair[0],
        account_b_id=pair[1],
        weight=0.9,
        families=2,
        evidence=[{"kind": "payment"}, {"kind": "device"}, {"kind": "payment"}],
    )
    rows = reader.get(f"{CLUSTERS}{one.cluster.ref}/members/").json()["results"]
    assert [row["link_types"] for row in rows] == [{"payment": 1, "device": 1}] * 2
    assert rows[0]["cluster_id"] == one.cluster.ref


def test_members_can_be_filtered_and_ordered_as_accounts_can(reader):
    member = MembershipFactory(account__status="banned")
    MembershipFactory(cluster=member.cluster)
    path = f"{CLUSTERS}{member.cluster.ref}/members/"
    rows = reader.get(path, {"status": "banned", "ordering": "account_id"}).json()
    assert [row["account_id"] for row in rows["results"]] == [
        member.account.external_id
    ]


def test_clusters_can_be_found_by_an_account(reader):
    member = MembershipFactory()
    ClusterFactory()
    query = {"account_id": member.account.external_id}
    [row] = reader.get(CLUSTERS, query).json()["results"]
    assert row["cluster_id"] == member.cluster.ref


def test_the_larger_cluster_comes_first_when_asked(reader):
    ClusterFactory(size=3)
    ClusterFactory(size=30)
    rows = reader.get(CLUSTERS, {"ordering": "-size"}).json()["results"]
    assert [row["size"] for row in rows] == [30, 3]


def test_a_page_costs_the_same_however_many_clusters_it_has(
    reader, django_assert_num_queries
):
    for _ in range(20):
        member = MembershipFactory()
        member.cluster.proposed_ban = [member.account.pk]
        member.cluster.save()
    reader.get(CLUSTERS)
    # Session, user, role; clusters, members, names of the proposed, lineage.
    with django_assert_num_queries(7):
        reader.get(CLUSTERS)
    # Session, user, role; cluster, members, links.
    with django_assert_num_queries(6):
        reader.get(f"{CLUSTERS}{member.cluster.ref}/members/")
