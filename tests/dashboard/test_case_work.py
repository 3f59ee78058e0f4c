"""What Ana does with a case short of deciding it; Vic may do none of it."""

import pytest
from django.urls import reverse

from investigations import access
from investigations.actions.cases import assign_case, open_case
from investigations.models import Case, Note
from tests.dashboard.case_scenes import campaign
from tests.investigations.scenes import case_of, decide

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WHY = "Half of the traffic looks like ordinary customers of a reseller."
VERBS = ["assign", "note", "escalate", "close", "reopen"]


@pytest.fixture
def case() -> Case:
    return open_case(cluster=campaign(6), by=access.system_account())


def do(client, case: Case, verb: str, *, htmx: bool = True, **said):
    url = reverse(f"cases:{verb}", args=[case.ref])
    return client.post(url, said, headers=HTMX if htmx else {})


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_form_of_its_own_for_browsers_without_scripts(
    signed_in, ana, case, verb
):
    url = reverse(f"cases:{verb}", args=[case.ref])
    page, fragment = signed_in(ana).get(url), signed_in(ana).get(url, headers=HTMX)
    assert "<html" in page.text
    assert f'action="{url}"' in page.text
    assert "<html" not in fragment.text


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ["vic", "mia", "aud", "ada"])
def test_whoever_only_reads_is_refused_with_who_may(
    request, signed_in, name, case, verb
):
    client = signed_in(request.getfixturevalue(name))
    response = do(client, case, verb, reason=WHY, text="hello", outcome="duplicate")
    assert response.status_code == 403
    case.refresh_from_db()
    assert (case.status, case.version) == ("open", 1)


def test_leo_gives_the_case_to_ana(signed_in, leo, ana, case):
    response = do(signed_in(leo), case, "assign", to=ana.pk, version=1)
    case.refresh_from_db()
    assert response.status_code == 204
    assert (case.assignee, case.status) == (ana, "in_review")


def test_a_case_cannot_be_given_to_vic(signed_in, leo, vic, case):
    response = do(signed_in(leo), case, "assign", to=vic.pk)
    assert response.status_code == 422
    case.refresh_from_db()
    assert case.assignee is None


def test_a_note_is_kept_as_it_was_written_and_makes_no_page_stale(signed_in, ana, case):
    response = do(signed_in(ana), case, "note", text="  Two cards, one BIN.\n<b>  ")
    assert response.status_code == 204
    assert Note.objects.get().text == "Two cards, one BIN.\n<b>"
    case.refresh_from_db()
    assert case.version == 1


def test_an_empty_note_is_refused_in_words(signed_in, ana, case):
    response = do(signed_in(ana), case, "note", text="   ")
    assert response.status_code == 422
    assert "The note is empty." in response.text


def test_escalating_leaves_the_case_to_the_leads(signed_in, ana, case):
    response = do(signed_in(ana), case, "escalate", reason=WHY, version=1)
    case.refresh_from_db()
    assert (response.status_code, case.status) == (204, "escalated")
    page = signed_in(ana).get(reverse("cases:detail", args=[case.ref]))
    assert "a lead decides it" in page.text


@pytest.mark.parametrize("reason", ["", "asdf", "." * 40, "a" * 40])
def test_a_reason_that_says_nothing_is_refused_and_kept_in_the_form(
    signed_in, ana, case, reason
):
    response = do(signed_in(ana), case, "escalate", reason=reason, version=1)
    assert response.status_code == 422
    assert f">\n{reason}</textarea>" in response.text
    case.refresh_from_db()
    assert case.status == "open"


def test_closing_says_what_it_came_to(signed_in, ana, case):
    response = do(
        signed_in(ana),
        case,
        "close",
        htmx=False,
        outcome="duplicate",
        reason=WHY,
        version=1,
    )
    case.refresh_from_db()
    assert response.url == reverse("cases:detail", args=[case.ref])
    assert (case.status, case.outcome) == ("closed", "duplicate")


def test_a_verdict_cannot_be_slipped_in_by_closing(signed_in, ana, case):
    response = do(signed_in(ana), case, "close", outcome="banned", reason=WHY)
    assert response.status_code == 422
    case.refresh_from_db()
    assert case.status == "open"


def test_a_decided_case_is_closed_with_the_outcome_it_has(signed_in, ana):
    case = case_of(3, by=ana)
    decide(case, ana)
    response = do(signed_in(ana), case, "close", reason=WHY)
    case.refresh_from_db()
    assert (response.status_code, case.status, case.outcome) == (
        204,
        "closed",
        "banned",
    )


def test_a_closed_case_is_taken_up_again(signed_in, ana, case):
    do(signed_in(ana), case, "close", outcome="no_action", reason=WHY)
    response = do(signed_in(ana), case, "reopen", reason=WHY)
    case.refresh_from_db()
    assert (response.status_code, case.status) == (204, "open")


def test_a_stale_form_is_told_what_changed_and_keeps_its_text(
    signed_in, ana, leo, case
):
    assign_case(case=case, to=leo, by=leo)
    client = signed_in(ana)
    response = do(client, case, "escalate", reason=WHY, version=1)
    assert response.status_code == 409
    assert "leo did so" in response.text
    assert WHY in response.text
    # Having seen it, she may send the same text again.
    assert 'name="version" value="2"' in response.text
    again = do(client, case, "escalate", reason=WHY, version=2)
    assert again.status_code == 204


def test_what_the_case_forbids_is_said_and_not_done(signed_in, ana, case):
    do(signed_in(ana), case, "close", outcome="no_action", reason=WHY)
    response = do(signed_in(ana), case, "escalate", reason=WHY)
    assert response.status_code == 409
    assert "is closed and cannot become escalated" in response.text


def test_a_note_of_five_megabytes_is_refused(signed_in, ana, case):
    response = do(signed_in(ana), case, "note", text="x" * 5_000_000)
    assert response.status_code in {413, 422}
    assert not Note.objects.exists()
