"""The queue as Ana works it, and as Vic reads along."""

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from investigations import access
from investigations.actions.cases import assign_case, open_case
from investigations.detection.models import Cluster, Exposure
from investigations.models import Case
from tests.dashboard.case_scenes import campaign
from tests.dashboard.reading import the
from tests.investigations.scenes import case_of, cluster_of, decide, new_accounts

QUEUE = reverse("cases:queue")
HTMX = {"HX-Request": "true"}

pytestmark = pytest.mark.django_db


def losing(a_day: int, *, score: float = 90.0, **more) -> Case:
    """A case through whose cluster so many exchanges leave a day."""
    cluster = cluster_of(3, score=score, **more)
    Exposure.objects.create(cluster=cluster, exchanges=a_day * 10, days=10)
    return open_case(cluster=cluster, by=access.system_account())


def refs(response) -> list[str]:
    """The cases on the page, in order."""
    return re.findall(r'id="row-(C-\d+)"', response.content.decode())


def test_what_costs_most_while_nobody_acts_stands_first(signed_in, ana):
    sure_and_small = losing(100, score=99)
    likely_and_large = losing(9000, score=75)
    shown = refs(signed_in(ana).get(QUEUE))
    assert shown == [likely_and_large.ref, sure_and_small.ref]


def test_the_order_follows_the_score_without_anyone_touching_the_case(signed_in, ana):
    first, second = losing(1000, score=90), losing(900, score=90)
    assert refs(signed_in(ana).get(QUEUE)) == [first.ref, second.ref]
    Cluster.objects.filter(cases=first).update(score=70)
    assert refs(signed_in(ana).get(QUEUE)) == [second.ref, first.ref]


def test_a_case_of_accounts_picked_by_hand_is_listed_too(signed_in, ana):
    case = open_case(by=ana, accounts=new_accounts(2))
    response = signed_in(ana).get(QUEUE)
    assert refs(response) == [case.ref]
    assert "hand-picked" in response.content.decode()


def test_each_tab_shows_its_cases_and_counts_them(signed_in, ana, leo):
    mine, free = losing(10), losing(20)
    assign_case(case=mine, to=ana, by=leo)
    big = case_of(30, by=leo)
    decide(big, leo)
    done = case_of(3, by=leo)
    decide(done, leo)
    client = signed_in(ana)
    assert refs(client.get(QUEUE, {"tab": "mine"})) == [mine.ref]
    assert set(refs(client.get(QUEUE, {"tab": "unassigned"}))) == {free.ref, big.ref}
    assert refs(client.get(QUEUE, {"tab": "awaiting"})) == [big.ref]
    assert refs(client.get(QUEUE, {"tab": "done"})) == [done.ref]
    tabs = re.findall(r'id="tab-(\w+)".*?"count">(\d+)<', client.get(QUEUE).text)
    assert dict(tabs) == {
        "open": "3",
        "mine": "1",
        "unassigned": "2",
        "awaiting": "1",
        "done": "1",
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"verdict": "resale_pool"}, "pool"),
        ({"band": "review"}, "pool"),
        ({"assignee": "ana"}, "hers"),
        ({"assignee": "nobody"}, "pool"),
    ],
)
def test_filters_narrow_the_queue_and_are_offered_to_clear(
    signed_in, ana, leo, asked, found
):
    cases = {
        "pool": losing(10, verdict=Cluster.Verdict.RESALE_POOL, band="review"),
        "hers": losing(10),
    }
    assign_case(case=cases["hers"], to=ana, by=leo)
    response = signed_in(ana).get(QUEUE, asked)
    assert refs(response) == [cases[found].ref]
    assert "Clear filters" in response.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"tab": "everything"}, "open, mine, unassigned, awaiting, done"),
        ({"sort": "password"}, "loss, score, size"),
        ({"verdict": "guilty"}, "distillation, resale_pool"),
        ({"band": "purple"}, "action, review, watch"),
        ({"page": "-1"}, "after, assignee, band"),
        ({"_connector": "OR"}, "after, assignee, band"),
        ({"assignee__password__startswith": "p"}, "no filter of this page"),
        ({"after": "abc"}, "no place in this list"),
        ({"after": "1.99999999999999999999999"}, "no place in this list"),
        ({"before": "9223372036854775808.1"}, "no place in this list"),
        ({"assignee": "x" * 500}, "150 characters"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused_with_what_would(
    signed_in, ana, asked, said
):
    response = signed_in(ana).get(QUEUE, asked)
    assert response.status_code == 400
    assert said in response.text


@pytest.mark.parametrize("name", ["' OR 1=1--", "%", "_", "\\", "İstanbul", "🙂"])
def test_a_name_nobody_has_finds_nothing_and_means_nothing_else(signed_in, ana, name):
    losing(10)
    response = signed_in(ana).get(QUEUE, {"assignee": name})
    assert response.status_code == 200
    assert refs(response) == []
    assert "No case matches these filters" in response.text


def test_turning_the_pages_meets_every_case_once(signed_in, ana):
    # Equal losses: the page is cut among cases of one rank.
    cases = {losing(10).ref for _ in range(53)}
    client = signed_in(ana)
    first = client.get(QUEUE)
    second = client.get(the(r'rel="next" href="([^"]+)"', first))
    assert len(refs(first)) == 50
    assert len(refs(second)) == 3
    assert {*refs(first), *refs(second)} == cases
    back = the(r'rel="prev" href="([^"]+)"', second)
    assert refs(client.get(back)) == refs(first)


def test_ana_takes_a_case_with_one_request(signed_in, ana):
    case = losing(10)
    response = signed_in(ana).post(
        reverse("cases:take"), {"case": case.ref}, headers=HTMX
    )
    case.refresh_from_db()
    assert response.status_code == 204
    assert case.assignee == ana
    told = json.loads(response["HX-Trigger"])["case-changed"]
    assert told == {
        "sentence": f"{case.ref} is assigned to you.",
        "version": case.version,
    }


def test_ana_takes_several_at_once_and_is_led_back_without_scripts(signed_in, ana):
    cases = [losing(10), losing(20)]
    response = signed_in(ana).post(
        reverse("cases:take"), {"case": [case.ref for case in cases]}, follow=True
    )
    assert "2 cases are assigned to you." in response.text
    assert Case.objects.filter(assignee=ana).count() == 2


def test_when_one_of_several_does_not_exist_none_is_taken(signed_in, ana):
    case = losing(10)
    response = signed_in(ana).post(
        reverse("cases:take"), {"case": [case.ref, "C-999999"]}
    )
    assert response.status_code == 404
    case.refresh_from_db()
    assert case.assignee is None


def test_a_case_that_is_gone_is_refused_in_a_sentence_on_the_page(signed_in, ana):
    response = signed_in(ana).post(
        reverse("cases:take"), {"case": "C-999999"}, headers=HTMX
    )
    assert response.status_code == 404
    assert json.loads(response["HX-Trigger"]) == {
        "case-refused": "There is no such case."
    }


def test_vic_reads_the_queue_and_is_offered_nothing_to_do(signed_in, vic):
    case = losing(10)
    shown = signed_in(vic).get(QUEUE)
    assert refs(shown) == [case.ref]
    assert "Take" not in shown.text
    assert "data-select-row" not in shown.text
    refused = signed_in(vic).post(reverse("cases:take"), {"case": case.ref})
    assert refused.status_code == 403
    assert "analyst, lead" in refused.text


def seen_in(response) -> str:
    return the(r'"seen": "(\w+)"', response)


def test_a_queue_that_has_not_changed_is_not_sent_again(signed_in, ana):
    losing(10)
    client = signed_in(ana)
    seen = seen_in(client.get(QUEUE))
    again = client.get(QUEUE, {"seen": seen}, headers=HTMX)
    assert again.status_code == 204
    case = losing(20)
    rows = client.get(QUEUE, {"seen": seen}, headers=HTMX)
    assert rows.status_code == 200
    assert case.ref in refs(rows)
    assert "<html" not in rows.text


def test_growth_since_the_case_was_opened_stands_beside_the_size(signed_in, ana):
    case = losing(10)
    Cluster.objects.filter(cases=case).update(size=16)
    shown = signed_in(ana).get(QUEUE).text
    assert "13 joined since the case was opened" in shown


def test_an_empty_queue_says_how_it_fills(signed_in, ana):
    assert "opens by itself once a cluster scores 70" in signed_in(ana).get(QUEUE).text


def test_a_title_is_shown_as_it_was_typed(signed_in, ana):
    open_case(by=ana, accounts=new_accounts(1), title="<b>{{ 7*7 }}</b>\u202egnp.exe")
    shown = signed_in(ana).get(QUEUE).text
    assert "&lt;b&gt;{{ 7*7 }}&lt;/b&gt;" in shown
    assert "U+202E" in shown
    assert "\u202e" not in shown


def test_the_queue_costs_the_same_however_many_cases_there_are(
    signed_in, ana, django_assert_max_num_queries
):
    for seed in range(5):
        open_case(cluster=campaign(3, seed=seed), by=access.system_account())
    client = signed_in(ana)
    client.get(QUEUE)
    with django_assert_max_num_queries(8):
        client.get(QUEUE)


def test_old_cases_are_shown_by_when_they_last_changed(signed_in, ana, leo):
    older, newer = case_of(2, by=leo), case_of(2, by=leo)
    decide(newer, leo)
    decide(older, leo)
    newer.refresh_from_db()
    Case.objects.filter(pk=newer.pk).update(
        changed_at=newer.changed_at + timedelta(hours=1)
    )
    response = signed_in(ana).get(QUEUE, {"tab": "done"})
    assert refs(response) == [newer.ref, older.ref]
