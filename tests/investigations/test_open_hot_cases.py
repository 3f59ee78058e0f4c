import pytest
from django.apps import apps

from investigations.access import system_account
from investigations.actions.cases import close_case, open_case, open_hot_cases
from investigations.detection.models import Cluster
from investigations.models import AuditEntry, Case
from tests.investigations.scenes import (
    WHY,
    add_members,
    cluster_of,
    decide,
    new_accounts,
)


def finish(case: Case, by) -> None:
    close_case(case=case, outcome="no_action", reason=WHY, by=by)


def grow(cluster: Cluster, count: int) -> None:
    add_members(cluster, new_accounts(count))


def change(cluster: Cluster, **fields) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(**fields)


@pytest.mark.django_db
def test_a_hot_cluster_gets_a_case_in_the_machines_name():
    cluster = cluster_of(4, score=70)
    (case,) = open_hot_cases()
    assert case.cluster == cluster
    assert case.opened_by == system_account()
    assert case.priority == 70
    assert AuditEntry.objects.get().actor_role == "system"


@pytest.mark.django_db
@pytest.mark.parametrize("traits", [{"score": 69.9}, {"live": False}], ids=str)
def test_a_cluster_that_is_not_hot_or_not_there_gets_none(traits):
    cluster_of(4, **traits)
    assert open_hot_cases() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        ("distillation", "Distillation campaign of 4 accounts"),
        ("resale_pool", "Resale pool of 4 accounts"),
        ("insufficient_evidence", "Linked group of 4 accounts"),
    ],
)
def test_the_title_says_what_the_machine_takes_it_for(verdict, title):
    cluster_of(4, verdict=verdict)
    assert open_hot_cases()[0].title == title


def test_a_cluster_with_an_unfinished_case_gets_no_second_one(ana):
    open_case(cluster=cluster_of(4), by=ana)
    assert open_hot_cases() == []


@pytest.mark.django_db
def test_looking_twice_opens_nothing_twice():
    cluster_of(4)
    cluster_of(4)
    assert len(open_hot_cases()) == 2
    assert open_hot_cases() == []


@pytest.mark.parametrize(
    ("size", "gained", "opens"),
    [(20, 4, False), (20, 5, True), (100, 9, False), (100, 10, True)],
)
def test_a_finished_clusters_growth_opens_a_new_case(ana, size, gained, opens):
    cluster = cluster_of(size)
    finish(open_hot_cases()[0], ana)
    assert open_hot_cases() == []
    grow(cluster, gained)
    assert bool(open_hot_cases()) is opens


def test_a_decided_clusters_growth_opens_a_new_case(ana):
    cluster = cluster_of(10)
    decide(open_hot_cases()[0], ana)
    assert open_hot_cases() == []
    grow(cluster, 5)
    (case,) = open_hot_cases()
    assert case.opened_on["size"] == 15
    assert case.opened_on["already_banned"] == 10


def test_a_cluster_that_died_down_and_came_back_opens_a_new_case(ana):
    cluster = cluster_of(10)
    finish(open_hot_cases()[0], ana)
    change(cluster, live=False)
    assert open_hot_cases() == []
    change(cluster, live=True)
    assert len(open_hot_cases()) == 1


def test_a_cluster_that_shrank_and_grew_again_counts_from_its_smallest(ana):
    cluster = cluster_of(40)
    finish(open_hot_cases()[0], ana)
    change(cluster, size=20)
    open_hot_cases()
    change(cluster, size=24)
    assert open_hot_cases() == []
    change(cluster, size=25)
    assert len(open_hot_cases()) == 1


def test_the_same_accounts_under_another_clusters_name_are_no_news(ana):
    cluster = cluster_of(10)
    decide(open_hot_cases()[0], ana)
    change(cluster, live=False)
    accounts = [m.account for m in cluster.memberships.select_related("account")]
    cluster.memberships.all().delete()
    again = cluster_of(10, accounts=accounts)
    assert open_hot_cases() == []
    grow(again, 5)
    assert [case.cluster for case in open_hot_cases()] == [again]


@pytest.mark.django_db
def test_an_open_case_follows_its_clusters_score_and_is_not_made_stale_by_it():
    cluster = cluster_of(4, score=75)
    (case,) = open_hot_cases()
    change(cluster, score=97.5)
    open_hot_cases()
    version = case.version
    case.refresh_from_db()
    assert (case.priority, case.version) == (97.5, version)
    assert case.opened_on["score"] == 75
    history = apps.get_model("investigations", "CaseEvent").objects.filter(pgh_obj=case)
    assert history.count() == 1, "only the opening is somebody's doing"


def test_a_finished_case_keeps_the_priority_it_had(ana):
    cluster = cluster_of(4, score=75)
    (case,) = open_hot_cases()
    finish(case, ana)
    change(cluster, score=97.5)
    open_hot_cases()
    case.refresh_from_db()
    assert case.priority == 75
