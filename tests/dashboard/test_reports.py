"""The weekly summary: a manager reads it, freezes it, and finds it as it was told."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from investigations.detection.models import Cluster, ClusterHour
from investigations.models import AuditEntry, Report
from investigations.reports import weekly
from tests.dashboard.reading import has, the
from tests.investigations.scenes import case_of, cluster_of, decide

# Wednesday of week 47; week 46 is the last full one.
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
LAST = "/reports/2026-W46/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def manager(signed_in, mia):
    return signed_in(mia)


def took(cluster: Cluster, requests: int, *, at: datetime) -> None:
    ClusterHour.objects.create(
        cluster=cluster, hour=at, requests=requests, output_tokens=requests * 700
    )


def stat(label: str, response) -> str:
    return the(rf'>{label}</dt><dd class="stat-value">([^<]*)<', response)


@pytest.fixture
def two_weeks() -> Cluster:
    """Flagged on Wednesday of week 46, after 300 of that week's exchanges."""
    cluster = cluster_of(40, first_flagged_at=NOW - timedelta(days=7))
    took(cluster, 1_000, at=NOW - timedelta(days=13))
    took(cluster, 300, at=NOW - timedelta(days=8))
    took(cluster, 12_345, at=NOW - timedelta(days=6))
    return cluster


def test_mia_opens_the_last_full_week_and_reads_it_in_words(manager, two_weeks):
    listed = manager.get("/reports/")
    assert f'href="{LAST}">Last full week' in listed.text
    page = manager.get(LAST)
    assert "Week 46, 9 Nov to 15 Nov 2026" in page.text
    assert "TLP:AMBER+STRICT" in page.text
    assert "Suspected clusters took 12,645 exchanges, 300 of them before" in page.text


def test_headlines_are_short_and_the_table_is_exact(manager, two_weeks):
    page = manager.get(LAST)
    assert stat("Exchanges taken", page) == "12.6k"
    assert "+11.6k on the week before" in page.text
    row = the(r"<tr>(<th scope=\"row\">Exchanges taken<.*?)</tr>", page)
    assert ">12,645<" in row
    assert ">1,000<" in row
    assert ">+11,645<" in row
    assert "Requests within the week by members of live clusters" in row


def test_a_quiet_week_has_nothing_to_compare_and_says_so(manager):
    page = manager.get("/reports/2026-W30/")
    assert stat("Median time to a decision", page) == "–"
    assert stat("Exchanges taken", page) == "0"
    assert "as the week before" in page.text
    assert "No suspected cluster took anything." in page.text


def test_the_running_week_says_that_it_still_moves(manager, ana):
    decide(case_of(3, by=ana), ana)
    page = manager.get("/reports/2026-W47/")
    assert "still running" in page.text
    assert stat("Cases decided", page) == "1"
    assert "Freeze it as it is" not in page.text
    assert not has('rel="next"', page)


def test_the_running_week_cannot_be_frozen(manager):
    response = manager.post("/reports/2026-W47/freeze/")
    assert response.status_code == 409
    assert "2026-W47 is not over yet." in response.text
    assert not Report.objects.exists()


def test_mia_freezes_the_week_and_it_stays_as_it_was_told(manager, mia, two_weeks):
    assert "not frozen yet" in manager.get(LAST).text
    assert manager.post(f"{LAST}freeze/").url == LAST
    took(two_weeks, 50_000, at=NOW - timedelta(days=5))
    page = manager.get(LAST)
    assert stat("Exchanges taken", page) == "12.6k"
    assert "Freeze it as it is" not in page.text
    report = Report.objects.get()
    assert report.sha256 in page.text
    assert f"by {mia.username}" in page.text
    entry = AuditEntry.objects.get(verb="report.frozen")
    assert (entry.actor, entry.object_ref) == (mia, "2026-W46")


def test_the_newest_revision_is_the_one_that_is_shown(manager, mia, two_weeks):
    for more in (0, 50_000):
        if more:
            took(two_weeks, more, at=NOW - timedelta(days=5))
        weekly.freeze_week(week=date(2026, 11, 9), by=mia)
    listed = manager.get("/reports/")
    assert listed.text.count("2026-W46</a>") == 1
    assert "revision 2" in listed.text
    assert stat("Exchanges taken", manager.get(LAST)) == "62.6k"


def test_frozen_weeks_are_charted_before_and_after_the_flag(manager, mia, two_weeks):
    for monday in (date(2026, 11, 2), date(2026, 11, 9)):
        weekly.freeze_week(week=monday, by=mia)
    figure = manager.get(reverse("reports:exposure")).json()
    before, after = figure["data"]
    assert before["x"] == ["2026-W45", "2026-W46"]
    assert (before["y"], after["y"]) == ([1000, 300], [0, 12345])


def test_a_list_without_frozen_weeks_says_when_there_will_be_one(manager):
    assert "No week has been frozen yet" in manager.get("/reports/").text


@pytest.mark.parametrize("name", ["vic", "ana", "aud", "ada"])
def test_others_read_and_are_not_offered_to_freeze(request, signed_in, name):
    client = signed_in(request.getfixturevalue(name))
    assert "Freeze it as it is" not in client.get(LAST).text
    assert client.post(f"{LAST}freeze/").status_code == 403
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "2026-W54",
        "2026-W00",
        "2025-W53",
        "2026-W48",
        "2999-W01",
        "0001-W01",
        "9999-W52",
        "2026-47",
        "２０２６-W46",
        "last",
    ],
)
def test_a_week_that_is_not_there_is_not_found(manager, name):
    assert manager.get(f"/reports/{name}/").status_code == 404


def test_the_first_week_of_all_leads_no_further_back(manager):
    page = manager.get("/reports/2000-W01/")
    assert page.status_code == 200
    assert not has('rel="prev"', page)


def test_one_can_leaf_through_the_weeks(manager):
    page = manager.get(LAST)
    assert the(r'rel="prev" href="([^"]+)', page) == "/reports/2026-W45/"
    assert the(r'rel="next" href="([^"]+)', page) == "/reports/2026-W47/"


def test_no_account_is_named_in_a_summary(manager, two_weeks):
    member = two_weeks.memberships.all()[0].account.external_id
    for path in ("/reports/", LAST):
        assert member not in manager.get(path).text


def test_a_frozen_week_costs_next_to_nothing(
    manager, mia, django_assert_max_num_queries
):
    weekly.freeze_week(week=date(2026, 11, 9), by=mia)
    manager.get(LAST)
    with django_assert_max_num_queries(4):
        manager.get(LAST)


def test_a_running_week_has_a_price_that_does_not_grow(
    manager, two_weeks, ana, django_assert_max_num_queries
):
    for _ in range(3):
        decide(case_of(3, by=ana), ana)
    manager.get("/reports/")
    with django_assert_max_num_queries(36):
        manager.get("/reports/")
