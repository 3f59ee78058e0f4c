"""The search box: references lead to their page, all else is an account's id."""

import re

import pytest
from django.urls import reverse

from tests.investigations.scenes import case_of, cluster_of, decide, new_account

SEARCH = reverse("search")

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


def ids(response) -> list[str]:
    found = re.findall(r"data-row-link.*?<bdi[^>]*>([^<]*)</bdi>", response.text)
    return [str(each) for each in found]


def test_a_reference_leads_straight_to_its_page(reader, ana):
    case = case_of(3, by=ana)
    decision = decide(case, ana)
    cluster = cluster_of(2)
    targets = {
        case.ref: f"/cases/{case.ref}/",
        case.ref.lower(): f"/cases/{case.ref}/",
        f" {cluster.ref} ": f"/clusters/{cluster.ref}/",
        decision.ref: f"/cases/{case.ref}/",
    }
    for typed, page in targets.items():
        assert reader.get(SEARCH, {"q": typed}).url == page


@pytest.mark.parametrize("ref", ["C-404", "CL-404", "D-404", "C-" + "9" * 18])
def test_a_reference_to_nothing_says_what_search_knows(reader, ref):
    response = reader.get(SEARCH, {"q": ref})
    assert response.status_code == 200
    assert "Nothing found" in response.text


def test_an_account_that_is_named_like_a_reference_is_found(reader):
    new_account(external_id="C-12-of-old")
    found = reader.get(SEARCH, {"q": "C-12-of"})
    assert found.url == "/accounts/C-12-of-old/"


def test_the_start_of_an_id_finds_accounts_in_order(reader):
    for name in ("org-b", "org-a", "other", "ORG-c"):
        new_account(external_id=name)
    assert ids(reader.get(SEARCH, {"q": "org-"})) == ["org-a", "org-b"]


@pytest.mark.parametrize("typed", ["%", "_", "\\", "' OR 1=1--", "(a+)+$", "a%"])
def test_what_is_typed_is_taken_literally(reader, typed):
    new_account(external_id="aaaaaaaaaaaa")
    new_account(external_id=f"{typed}1")
    new_account(external_id=f"{typed}2")
    assert len(ids(reader.get(SEARCH, {"q": typed}))) == 2


def test_an_odd_id_is_found_and_opened(reader):
    new_account(external_id="a/b?c#d %")
    response = reader.get(SEARCH, {"q": "a/b?c"}, follow=True)
    assert response.status_code == 200
    assert "a/b?c#d %" in response.text


def test_more_than_a_page_says_so(reader):
    for n in range(60):
        new_account(external_id=f"many-{n:02}")
    shown = reader.get(SEARCH, {"q": "many-"})
    assert len(ids(shown)) == 50
    assert "type more of the id" in shown.text


def test_nothing_typed_says_what_can_be(reader):
    for asked in ({}, {"q": ""}, {"q": "   "}):
        assert "What are you looking for?" in reader.get(SEARCH, asked).text


@pytest.mark.parametrize("asked", ["q=" + "a" * 201, "q=a&page=2", "query=a"])
def test_what_is_not_understood_is_named_and_refused(reader, asked):
    assert reader.get(f"{SEARCH}?{asked}").status_code == 400


def test_100_kilobytes_are_refused(reader):
    assert reader.get(f"{SEARCH}?q={'a' * 100_000}").status_code == 400


def test_what_is_typed_comes_back_as_text(reader):
    response = reader.get(SEARCH, {"q": "<script>alert(1)</script>"})
    assert "<script>alert" not in response.text


def test_a_search_costs_the_same_for_one_find_as_for_fifty(
    reader, django_assert_max_num_queries
):
    cluster_of(50)
    reader.get(SEARCH, {"q": "acct-"})
    with django_assert_max_num_queries(4):
        reader.get(SEARCH, {"q": "acct-"})
