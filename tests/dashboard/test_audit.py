"""The audit log as Aud reads it."""

import re

import pytest
from django.urls import reverse

from investigations.actions import audit
from investigations.actions.cases import add_note
from tests.dashboard.reading import has, the
from tests.investigations.scenes import case_of

LOG = reverse("audit:list")

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(signed_in, aud):
    return signed_in(aud)


def sequences(response) -> list[int]:
    found = re.findall(r'<th scope="row" class="number">(\d+)</th>', response.text)
    return [int(each) for each in found]


def test_an_empty_log_says_what_will_be_in_it(auditor):
    assert "Nothing has happened yet" in auditor.get(LOG).text


def test_each_change_tells_who_what_about_what_and_why(auditor, ana):
    case = case_of(3, by=ana)
    add_note(case=case, text="Same card as C-1.", by=ana)
    shown = auditor.get(LOG)
    assert "case.noted" in shown.text
    assert f"?q={case.ref}" in shown.text
    assert has(r">ana</span>\s*<span class=.muted.>analyst", shown)


def test_the_newest_stands_first_and_older_pages_miss_nothing(auditor, ana):
    for n in range(230):
        audit.record("probe.made", by=ana, object_type="probe", object_ref=str(n))
    page = auditor.get(LOG)
    seen = sequences(page)
    while has('rel="next"', page):
        page = auditor.get(the(r'rel="next" href="([^"]+)', page))
        seen += sequences(page)
    assert seen == list(range(230, 0, -1))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"verb": "probe.made"}, [3, 1]),
        ({"actor": "leo"}, [3]),
        ({"about": "C-7"}, [2, 1]),
        ({"verb": "probe.made", "actor": "ana"}, [1]),
        ({"actor": "%"}, []),
        ({"about": "' OR 1=1--"}, []),
        ({"before": "2"}, [1]),
    ],
)
def test_filters_narrow_the_log(auditor, ana, leo, asked, found):
    audit.record("probe.made", by=ana, object_type="case", object_ref="C-7")
    audit.record("probe.taken", by=ana, object_type="case", object_ref="C-7")
    audit.record("probe.made", by=leo, object_type="case", object_ref="C-8")
    shown = auditor.get(LOG, asked)
    assert sequences(shown) == found
    assert found or "No entry matches" in shown.text


@pytest.mark.parametrize(
    "asked",
    ["before=-1", "before=x", "before=" + "9" * 30, "page=2", "actor=" + "a" * 151],
)
def test_what_is_not_understood_is_named_and_refused(auditor, asked):
    assert auditor.get(f"{LOG}?{asked}").status_code == 400


def test_what_someone_typed_is_shown_and_never_run(auditor, ana):
    audit.record(
        "probe.made",
        by=ana,
        object_type="probe",
        object_ref="<script>alert(1)</script>",
        reason="see \u202eevil\u202c <img src=x onerror=alert(1)>",
        note="{{ 7|add:7 }}</dd><script>",
    )
    text = auditor.get(LOG).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "U+202E" in text
    assert "{{ 7|add:7 }}&lt;/dd&gt;" in text


@pytest.mark.parametrize("name", ["vic", "ana", "leo", "mia"])
def test_who_may_not_read_it_does_not(request, signed_in, name, ana):
    audit.record("probe.made", by=ana, object_type="probe", object_ref="hidden-1")
    response = signed_in(request.getfixturevalue(name)).get(LOG)
    assert response.status_code == 403
    assert "hidden-1" not in response.text
    assert "auditor" in response.text


def test_a_page_costs_the_same_for_one_entry_as_for_a_hundred(
    auditor, ana, django_assert_max_num_queries
):
    for n in range(120):
        audit.record("probe.made", by=ana, object_type="probe", object_ref=str(n))
    auditor.get(LOG)
    with django_assert_max_num_queries(5):
        auditor.get(LOG)
