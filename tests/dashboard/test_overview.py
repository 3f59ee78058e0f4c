"""The first page: what there is to do, and what is leaving."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ingest.models import AccountDay
from investigations import access
from investigations.actions.cases import assign_case, open_case
from investigations.detection.models import Cluster, ClusterHour
from tests.dashboard.case_scenes import campaign
from tests.dashboard.reading import has, the
from tests.investigations.scenes import case_of, cluster_of, decide, new_account

pytestmark = pytest.mark.django_db


def stat(label: str, response) -> str:
    return the(rf'>{label}</dt><dd class="stat-value">(?:<a[^>]*>)?([^<]*)<', response)


def took(cluster: Cluster, requests: int, *, days_ago: int = 1) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    ClusterHour.objects.create(
        cluster=cluster, hour=hour - timedelta(days=days_ago), requests=requests
    )


def test_an_empty_installation_says_what_would_fill_it(signed_in, vic):
    response = signed_in(vic).get("/")
    assert response.status_code == 200
    assert "No telemetry yet" in response.text
    assert "A case opens by itself once a cluster scores 70." in response.text
    assert "Nobody has decided anything yet." in response.text


def test_it_counts_what_waits_for_somebody(signed_in, ana, leo):
    assign_case(case=case_of(3, by=leo), to=ana, by=leo)
    decide(case_of(30, by=ana), ana)
    response = signed_in(ana).get("/")
    assert stat("Open cases", response) == "2"
    assert "1 unassigned" in response.text
    assert stat("Waiting for a second person", response) == "1"
    assert has("Ban in C-\\d+</a> <span[^>]*>waits for a second person", response)


def test_only_live_clusters_at_70_are_suspected(signed_in, vic):
    cluster_of(5, score=70)
    cluster_of(7, score=69.9)
    cluster_of(9, score=99, live=False)
    response = signed_in(vic).get("/")
    assert stat("Suspected clusters", response) == "1"
    assert "5 accounts" in response.text


def test_what_suspected_clusters_took_is_a_share_of_all_traffic(signed_in, vic):
    took(cluster_of(2, score=90), 250)
    took(cluster_of(2, score=30), 9000)
    AccountDay.objects.create(
        account=new_account(),
        day=timezone.now().date(),
        requests=1000,
        hours=[0] * 24,
        session_hours=[0] * 24,
    )
    response = signed_in(vic).get("/")
    assert stat("Exchanges they took, 7 days", response) == "250"
    assert "25% of all traffic" in response.text


def test_the_chart_stacks_three_weeks_by_verdict(signed_in, vic):
    took(cluster_of(2, score=90), 40, days_ago=2)
    took(cluster_of(2, score=80, verdict=Cluster.Verdict.RESALE_POOL), 7, days_ago=2)
    took(cluster_of(2, score=90), 999, days_ago=30)
    figure = signed_in(vic).get(reverse("overview_losses")).json()
    bars = {bar["name"]: sum(bar["y"]) for bar in figure["data"]}
    assert bars == {"distillation campaign": 40, "resale pool": 7}
    assert {len(bar["x"]) for bar in figure["data"]} == {21}


def test_what_costs_most_while_nobody_acts_stands_first(signed_in, vic, leo):
    small, large = campaign(10, score=99, seed=1), campaign(60, score=80, seed=2)
    for cluster in (small, large):
        open_case(cluster=cluster, by=access.system_account())
    response = signed_in(vic).get("/")
    first = the(r'href="/cases/C-\d+/">C-\d+ ([^<]*)<', response)
    assert "60 accounts" in first


def test_the_page_costs_the_same_for_one_case_as_for_many(
    signed_in, vic, leo, django_assert_max_num_queries
):
    client = signed_in(vic)
    for seed in range(1, 6):
        case = open_case(cluster=campaign(8, seed=seed), by=leo)
        if seed % 2:
            decide(case, leo)
    client.get("/")
    with django_assert_max_num_queries(15):
        client.get("/")
