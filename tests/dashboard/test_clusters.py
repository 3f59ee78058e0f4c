"""Clusters as their pages show them, whether or not anyone opened a case."""

import re

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from investigations.actions.cases import close_case, open_case
from investigations.detection.models import (
    Cluster,
    ClusterLineage,
    ClusterResemblance,
    Fingerprint,
)
from investigations.models import AuditEntry, Case
from tests.dashboard.case_scenes import campaign
from tests.dashboard.reading import has, the
from tests.investigations.scenes import WHY, cluster_of

LIST = reverse("clusters:list")

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening():
    """Late in a day, so that what happened hours ago was today."""
    with time_machine.travel(timezone.now().replace(hour=20), tick=True):
        yield


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


def url(name: str, cluster: Cluster, *more: str) -> str:
    return reverse(f"clusters:{name}", args=[cluster.ref, *more])


def refs(response) -> list[str]:
    return re.findall(r'data-row-link href="/clusters/(CL-\d+)/"', response.text)


# --- The list ----------------------------------------------------------------------


def test_an_empty_list_says_what_makes_a_cluster(reader):
    assert "No clusters yet" in reader.get(LIST).text


def test_the_highest_score_stands_first_and_vanished_clusters_are_left_out(reader):
    low, high = cluster_of(3, score=20), cluster_of(3, score=95)
    cluster_of(3, score=99, live=False)
    assert refs(reader.get(LIST)) == [high.ref, low.ref]


def test_a_heading_orders_by_size(reader):
    small, large = cluster_of(2, score=95), cluster_of(9, score=20)
    assert refs(reader.get(LIST, {"sort": "size"})) == [large.ref, small.ref]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"verdict": "resale_pool"}, ["pool"]),
        ({"band": "action"}, ["campaign"]),
        ({"min_score": "80"}, ["campaign"]),
        ({"account_id": "in-the-pool"}, ["pool"]),
        ({"account_id": "nowhere"}, []),
    ],
)
def test_filters_narrow_the_list(reader, asked, found):
    known = {
        "campaign": cluster_of(3, score=95),
        "pool": cluster_of(
            3, score=71, band="review", verdict=Cluster.Verdict.RESALE_POOL
        ),
    }
    member = known["pool"].memberships.all()[0].account
    member.external_id = "in-the-pool"
    member.save()
    shown = reader.get(LIST, asked)
    assert refs(shown) == [known[name].ref for name in found]
    assert found or "No cluster matches these filters" in shown.text


@pytest.mark.parametrize(
    "asked",
    [
        "verdict=guilty",
        "sort=password",
        "sort=-score",
        "min_score=high",
        "after=1;2",
        "after=99999999999999999999.1",
        "page=-1",
        "score__gte=1",
        "_connector=OR",
        "ordering=score",
    ],
)
def test_what_is_not_understood_is_named_and_refused(reader, asked):
    response = reader.get(f"{LIST}?{asked}")
    assert response.status_code == 400
    assert f'href="{LIST}">This page without filters' in response.text


def test_turning_the_pages_meets_every_cluster_once_and_leads_back(reader):
    for n in range(120):
        Cluster.objects.create(
            score=n % 7,
            first_seen_at="2026-11-01T00:00Z",
            updated_at="2026-11-01T00:00Z",
        )
    first = page = reader.get(LIST)
    seen = refs(page)
    while has('rel="next"', page):
        page = reader.get(the(r'rel="next" href="([^"]+)', page))
        seen += refs(page)
    assert len(seen) == len(set(seen)) == 120
    for _ in range(2):
        page = reader.get(the(r'rel="prev" href="([^"]+)', page))
    assert refs(page) == refs(first)
    assert not has('rel="prev"', page)


def test_the_list_names_the_unfinished_case(reader, leo):
    cluster = cluster_of(3)
    case = open_case(cluster=cluster, by=leo)
    assert f'href="/cases/{case.ref}/"' in reader.get(LIST).text
    close_case(case=case, outcome="no_action", reason=WHY, by=leo)
    assert f'href="/cases/{case.ref}/"' not in reader.get(LIST).text


def test_the_list_costs_the_same_for_one_cluster_as_for_fifty(
    reader, django_assert_max_num_queries
):
    for _ in range(50):
        cluster_of(2)
    reader.get(LIST)
    with django_assert_max_num_queries(14):
        reader.get(LIST)


# --- One cluster -------------------------------------------------------------------


def test_the_page_says_why_who_and_how_much_left(reader):
    shown = reader.get(url("detail", campaign(40)))
    assert "40 accounts pay with 2 shared instruments" in shown.text
    assert "The strongest innocent explanation." in shown.text
    assert "36 proposed to ban" in shown.text
    assert "reasoning elicitation" in shown.text
    assert has(r"Client stack</td>.{,400}>\d+ of 40</a>", shown)


def test_no_private_value_is_on_the_page_or_its_map(reader):
    cluster = campaign(12)
    for name in ("detail", "graph"):
        text = reader.get(url(name, cluster)).text
        for secret in ("fp_9f31c2aa01", "203.0.113.0", "mailbox.example", "Northgate"):
            assert secret not in text
        assert "Solve the task below" not in text


def test_accounts_that_share_one_value_can_be_shown_alone(reader):
    cluster = campaign(40)
    page = reader.get(url("detail", cluster))
    link = the(r'href="([^"#]+\?shares=\d+)#members', page)
    count = int(the(r'title="Show the accounts that share it">(\d+) of', page))
    few = reader.get(link)
    assert len(re.findall(r'id="member-\d+"', few.text)) == count
    assert f"{count} of 40" in few.text


def test_the_rows_behind_a_reason_can_be_opened(reader):
    cluster = campaign(12)
    link = url("evidence", cluster, "shared_payment")
    assert f'href="{link}"' in reader.get(url("detail", cluster)).text
    shown = reader.get(link)
    assert "Payment instrument" in shown.text
    assert "fp_9f31c2aa01" not in shown.text


@pytest.mark.parametrize("signal", ["unheard_of", "size-of-it"])
def test_a_reason_that_the_cluster_does_not_have_is_not_found(reader, signal):
    response = reader.get(url("evidence", campaign(5), signal))
    assert response.status_code == 404


@pytest.mark.parametrize("ref", ["CL-0", "CL-999999999999999999", "CL-x", "7", "CL--1"])
def test_what_is_not_there_and_what_never_was_read_alike(reader, ref):
    cluster_of(2)
    answers = {
        (answer.status_code, "There is nothing at this address" in answer.text)
        for page in ("", "graph.json", "exchanges-by-day.json")
        for answer in [reader.get(f"/clusters/{ref}/{page}")]
    }
    assert answers == {(404, True)}


def test_the_chart_has_releases_the_flag_and_cases_as_lines(evening, reader, leo):
    cluster = campaign(8)
    case = open_case(cluster=cluster, by=leo)
    figure = reader.get(url("timeline", cluster)).json()
    assert {bar["name"] for bar in figure["data"]} >= {"meridian-3", "meridian-4"}
    assert [note["text"] for note in figure["layout"]["annotations"]] == [
        "meridian-4 released",
        "flagged",
        f"{case.ref} opened",
    ]


def test_a_cluster_that_nothing_was_measured_of_has_a_page(reader):
    cluster = cluster_of(2, score=12)
    assert reader.get(url("detail", cluster)).status_code == 200
    assert reader.get(url("timeline", cluster)).json()["data"] == []


def test_a_cluster_that_vanished_keeps_its_page(reader):
    cluster = cluster_of(2, live=False)
    cluster.memberships.all().delete()
    text = reader.get(url("detail", cluster)).text
    assert "no longer found" in text
    assert "No account is in this cluster now" in text


# --- Opening a case ----------------------------------------------------------------


def test_ana_opens_a_case_for_a_cluster_below_the_mark(signed_in, ana):
    cluster = cluster_of(4, score=55)
    client = signed_in(ana)
    assert "Open a case" in client.get(url("detail", cluster)).text
    response = client.post(url("open", cluster))
    case = Case.objects.get(cluster=cluster)
    assert response.url == f"/cases/{case.ref}/"
    assert AuditEntry.objects.filter(verb="case.opened", object_ref=case.ref).exists()


def test_a_second_case_is_refused_with_where_to_work_instead(signed_in, ana):
    cluster = cluster_of(4)
    client = signed_in(ana)
    client.post(url("open", cluster))
    assert "Open a case" not in client.get(url("detail", cluster)).text
    again = client.post(url("open", cluster))
    assert again.status_code == 409
    assert "Work in the case that is open." in again.text
    assert Case.objects.count() == 1


def test_vic_is_neither_offered_nor_allowed_to_open_one(signed_in, vic):
    cluster = cluster_of(4)
    client = signed_in(vic)
    assert "Open a case" not in client.get(url("detail", cluster)).text
    assert client.post(url("open", cluster)).status_code == 403
    assert not Case.objects.exists()


def test_a_cluster_that_vanished_offers_no_case(signed_in, ana):
    cluster = cluster_of(4, live=False)
    assert "Open a case" not in signed_in(ana).get(url("detail", cluster)).text


def test_the_page_costs_the_same_for_ten_accounts_as_for_two_hundred(
    reader, django_assert_max_num_queries
):
    for size in (10, 200):
        cluster = campaign(size, seed=size)
        reader.get(url("detail", cluster))
        with django_assert_max_num_queries(16):
            reader.get(url("detail", cluster))


# --- Where it came from --------------------------------------------------------------


def in_words(page) -> str:
    """The page's text without its markup."""
    words = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
    return re.sub(r" ([,;.])", r"\1", words)


def descent(kind: str, parent: Cluster | None, child: Cluster | None) -> None:
    ClusterLineage.objects.create(
        kind=kind, parent=parent, child=child, shared=34, at="2026-11-14T06:00Z"
    )


def test_a_cluster_that_split_off_names_what_it_was_part_of(reader):
    whole, part = cluster_of(3), cluster_of(3)
    descent("split", whole, part)

    shown = reader.get(url("detail", part))
    told = f"Split from {whole.ref} on 14 Nov 2026, 34 accounts came along."
    assert told in in_words(shown)
    assert f'href="{url("detail", whole)}"' in shown.text
    elsewhere = in_words(reader.get(url("detail", whole)))
    assert f"{part.ref} split off on 14 Nov 2026, with 34 accounts." in elsewhere


def test_a_cluster_that_ended_leads_to_what_it_lives_on_as(reader):
    gone, heir = cluster_of(3, live=False), cluster_of(3)
    descent("merged", gone, heir)

    text = in_words(reader.get(url("detail", gone)))
    assert f"Lives on as {heir.ref}" in text
    assert f"Became part of {heir.ref} on 14 Nov 2026, with 34 accounts." in text


def test_a_cluster_that_was_lost_for_a_while_says_so(reader):
    cluster = cluster_of(3)
    descent("vanished", cluster, None)
    descent("returned", None, cluster)

    text = in_words(reader.get(url("detail", cluster)))
    assert "Not found any more on 14 Nov 2026; it had 34 accounts." in text
    assert "Found again on 14 Nov 2026, with 34 accounts of before." in text


def test_a_case_says_what_became_of_its_cluster(reader, leo):
    gone, heir = cluster_of(3), cluster_of(3)
    case = open_case(cluster=gone, by=leo)
    Cluster.objects.filter(pk=gone.pk).update(live=False)
    descent("merged", gone, heir)

    shown = reader.get(reverse("cases:detail", args=[case.ref]))
    assert f'href="{url("detail", heir)}"' in shown.text


# --- What it resembles ---------------------------------------------------------------


def likeness(cluster: Cluster, past: Cluster, outcome: str = "confirmed") -> None:
    Fingerprint.objects.create(
        cluster=past,
        account_ids=[],
        portrait={},
        outcome=outcome,
        decided_at="2026-11-12T09:00Z",
        as_of="2026-11-12T06:00Z",
    )
    ClusterResemblance.objects.create(
        cluster=cluster,
        past=past,
        likeness=0.42,
        quantile=0.001,
        compared=812,
        agreements=[
            {"part": "tools", "likeness": 0.834, "quantile": 0.001},
            {"part": "subjects", "likeness": 0.91, "quantile": 0.02},
            {"part": "gone with a later version", "likeness": 1, "quantile": 0},
        ],
        since="2026-11-14T06:00Z",
    )


def test_a_cluster_like_a_banned_one_says_since_when_and_in_what(reader):
    new, past = cluster_of(3), cluster_of(3, live=False)
    likeness(new, past)

    shown = reader.get(url("detail", new))
    text = in_words(shown)
    assert f"Resembles {past.ref} Confirmed as abuse on 12 Nov 2026" in text
    assert "alike since 14 Nov 2026." in text
    assert "Of 812 other clusters, random groups and customers under 1% are" in text
    assert "Its tool schema 0.83 under 1% What it asks about 0.91 2%" in text
    assert f'href="{url("detail", past)}"' in shown.text
    assert "gone with a later version" not in text


def test_a_cluster_like_an_innocent_one_says_that_it_adds_nothing(reader):
    new, past = cluster_of(3), cluster_of(3, live=False)
    likeness(new, past, outcome="cleared")

    text = in_words(reader.get(url("detail", new)))
    assert "Found innocent on 12 Nov 2026" in text
    assert "It adds nothing to the score." in text


def test_the_page_of_its_case_says_it_too(signed_in, ana, leo):
    new, past = cluster_of(3), cluster_of(3, live=False)
    likeness(new, past)
    case = open_case(cluster=new, by=leo)

    shown = signed_in(ana).get(reverse("cases:detail", args=[case.ref]))
    assert f"Resembles {past.ref}" in in_words(shown)


def test_a_cluster_like_no_other_says_nothing_of_it(reader):
    assert "Resembles" not in reader.get(url("detail", cluster_of(3))).text
