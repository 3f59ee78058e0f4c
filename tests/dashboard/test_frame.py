"""The frame of every page: where each role may go, and what waits there."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.investigations.scenes import case_of, decide

pytestmark = pytest.mark.django_db
LOOKING = [
    "/",
    "/cases/",
    "/clusters/",
    "/accounts/",
    "/indicators/",
    "/approvals/",
    "/reports/",
]


def places(response) -> dict[str, str]:
    """Address → what waits there, as the navigation shows them."""
    page = response.content.decode()
    [nav] = re.findall(r'<div class="side-links">(.*?)</div>', page, re.DOTALL)
    return {
        address: "".join(re.findall(r'class="count">(\d+)', rest))
        for address, rest in re.findall(r'<a href="([^"]+)"(.*?)</a>', nav, re.DOTALL)
    }


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("vic", []),
        ("ana", []),
        ("leo", ["/ingest/", "/settings/rules/"]),
        ("mia", []),
        ("aud", ["/ingest/", "/audit/"]),
        ("ada", ["/ingest/", "/audit/", "/settings/people/"]),
    ],
)
def test_the_navigation_offers_each_role_what_it_may_open(
    request, signed_in, name, more
):
    client = signed_in(request.getfixturevalue(name))
    offered = list(places(client.get("/")))
    assert offered == LOOKING + more
    assert {client.get(address).status_code for address in offered} == {200}


def test_the_demo_offers_its_platform_and_says_that_the_data_is_made_up(
    signed_in, vic, settings
):
    settings.DEMO = True
    response = signed_in(vic).get("/")
    assert "/demo/platform/" in places(response)
    assert "Demonstration data" in response.content.decode()


def test_a_page_marks_where_one_is(signed_in, ada):
    page = signed_in(ada).get("/settings/keys/").content.decode()
    assert re.search(r'href="/settings/people/"[^>]*aria-current="page"', page)
    assert page.count('aria-current="page"') == 2  # its tab too


def test_open_cases_are_counted_for_those_who_work_on_them(signed_in, ana, vic):
    case_of(3, ana)
    assert places(signed_in(ana).get("/"))["/cases/"] == "1"
    assert places(signed_in(vic).get("/"))["/cases/"] == ""


def test_an_approval_waits_for_those_who_may_sign_it_until_it_expires(
    signed_in, ana, leo
):
    decide(case_of(30, ana), ana)
    assert places(signed_in(leo).get("/"))["/approvals/"] == "1"
    assert places(signed_in(ana).get("/"))["/approvals/"] == ""
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        assert places(signed_in(leo).get("/"))["/approvals/"] == ""


def test_nobody_waits_for_their_own_signature(signed_in, leo):
    decide(case_of(30, leo), leo)
    assert places(signed_in(leo).get("/"))["/approvals/"] == ""
