"""Ana decides a case on its page: preview, confirm, refusals that keep her words."""

import re
import uuid
from typing import Any

import pytest
from django.urls import reverse

from ingest.models import Account
from investigations import access
from investigations.actions.cases import add_note, assign_case, open_case
from investigations.detection.models import Cluster
from investigations.models import Case, Decision, Effect
from tests.dashboard.case_scenes import campaign
from tests.dashboard.reading import the
from tests.investigations.scenes import (
    add_members,
    case_of,
    cluster_of,
    members,
    new_account,
    new_accounts,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WHY = "Forty accounts share one card and one private template."


def small(by, size: int = 4) -> Case:
    return case_of(size, by=by)


def one_joins(case: Case) -> None:
    add_members(Cluster.objects.get(cases=case), new_accounts(1))


def said(case: Case, **more) -> dict[str, object]:
    """What the form holds once it is filled in, but for the preview."""
    return {
        "verdict": "ban",
        "scope": "everyone",
        "ground": "model_distillation",
        "reason": WHY,
        "version": case.version,
        "form_token": uuid.uuid4(),
        **more,
    }


def preview(client, case: Case, **more):
    url = reverse("cases:preview", args=[case.ref])
    return client.post(url, said(case, **more), headers=HTMX)


def sha_in(response) -> str:
    found = re.search(r'name="preview_sha256" value="(\w+)"', response.text)
    return found[1] if found else ""


def decide(client, case: Case, *, htmx: bool = True, **more):
    """Preview and decide as the page does; a given sha256 stands for an old preview."""
    form = said(case, **more)
    if "preview_sha256" not in form:
        form["preview_sha256"] = sha_in(preview(client, case, **more))
    url = reverse("cases:decide", args=[case.ref])
    return client.post(url, form, headers=HTMX if htmx else {})


# --- Who is hit ---------------------------------------------------------------------


def test_the_preview_counts_who_is_hit_before_a_reason_is_written(signed_in, ana):
    case = open_case(cluster=campaign(24), by=access.system_account())
    response = preview(signed_in(ana), case, reason="", ground="")
    assert response.status_code == 200
    assert "<strong>24</strong> accounts to ban" in response.text
    for heading in ("Score", "Plan", "Verified", "Age"):
        assert f"<dt>{heading}</dt>" in response.text
    assert "exchanges in the last 30 days" in response.text
    assert "only weakly tied to the rest" in response.text
    assert "second person" not in response.text


def test_the_machines_proposal_is_what_a_ban_starts_from(signed_in, ana):
    case = open_case(cluster=campaign(20, proposed=0.5), by=access.system_account())
    page = signed_in(ana).get(reverse("cases:detail", args=[case.ref])).text
    assert 'name="scope" value="proposed" checked' in page
    response = preview(signed_in(ana), case, scope="proposed")
    assert "<strong>10</strong> accounts to ban" in response.text


def test_above_25_accounts_the_preview_asks_for_a_second_person(signed_in, ana):
    case = open_case(cluster=campaign(26), by=access.system_account())
    response = preview(signed_in(ana), case)
    assert "a second person must approve" in response.text
    assert "Ask to ban 26 accounts" in response.text


def test_rows_ticked_in_the_table_are_the_ones_that_are_hit(signed_in, ana):
    case = small(ana)
    two = members(case)[:2]
    response = preview(signed_in(ana), case, scope="picked", account=two)
    assert "<strong>2</strong> accounts to ban" in response.text
    decide(signed_in(ana), case, scope="picked", account=two)
    targets = Decision.objects.get().target_list.targets
    assert set(targets.values_list("account", flat=True)) == set(two)


def test_an_account_of_another_case_cannot_be_slipped_in(signed_in, ana):
    case, stranger = small(ana), new_account()
    response = preview(signed_in(ana), case, scope="picked", account=[stranger.pk])
    assert response.status_code == 422
    assert "not part of" in response.text
    assert stranger.external_id in response.text


@pytest.mark.parametrize("junk", ["", "abc", "-1", "9" * 40, "1 OR 1=1", "²"])
def test_a_tick_that_names_nothing_hits_nobody(signed_in, ana, junk):
    response = preview(signed_in(ana), small(ana), scope="picked", account=[junk])
    assert response.status_code == 422
    assert "empty" in response.text


@pytest.mark.parametrize(
    ("missing", "asked"),
    [
        ({"verdict": ""}, "Choose to ban, to restrict or to clear."),
        ({"scope": ""}, "Choose which accounts this is about."),
        ({"verdict": "hang"}, "hang is not one of the available choices"),
    ],
)
def test_a_preview_says_what_it_still_needs(signed_in, ana, missing, asked):
    response = preview(signed_in(ana), small(ana), **missing)
    assert response.status_code == 422
    assert asked in response.text


def token_in(client, case: Case, **asked) -> str:
    page = client.get(reverse("cases:detail", args=[case.ref]), asked)
    return the(r'data-select-matching value="([^"]+)"', page)


def test_everyone_who_matches_a_filter_is_taken_at_once(signed_in, ana):
    case = open_case(cluster=campaign(60), by=access.system_account())
    client = signed_in(ana)
    token = token_in(client, case, min_score="90")
    wanted = Account.objects.filter(score__score__gte=90).count()
    response = preview(client, case, scope="picked", selection=token)
    assert f"<strong>{wanted}</strong> accounts to ban" in response.text


def test_when_others_match_the_filter_by_now_nobody_is_swept_up(signed_in, ana):
    case = small(ana)
    client = signed_in(ana)
    token = token_in(client, case)
    one_joins(case)
    response = preview(client, case, scope="picked", selection=token)
    assert response.status_code == 422
    assert "Other accounts match the filter now: 5." in response.text


@pytest.mark.parametrize("spoil", [lambda t: t[:-2], lambda t: "x" + t, lambda t: "x"])
def test_a_selection_that_was_tampered_with_is_refused(signed_in, ana, spoil):
    case = small(ana)
    client = signed_in(ana)
    token = spoil(token_in(client, case))
    response = preview(client, case, scope="picked", selection=token)
    assert response.status_code == 422


def test_the_selection_of_one_case_does_not_serve_another(signed_in, ana):
    mine, other = small(ana), small(ana)
    client = signed_in(ana)
    token = token_in(client, other)
    response = preview(client, mine, scope="picked", selection=token)
    assert response.status_code == 422


# --- Deciding -----------------------------------------------------------------------


def test_ana_bans_four_accounts_and_the_platform_is_told(signed_in, ana):
    case = small(ana)
    response = decide(signed_in(ana), case)
    case.refresh_from_db()
    assert response.status_code == 200
    assert case.status == "decided"
    assert Effect.objects.filter(kind="ban").count() == 4
    assert "0 of 4 delivered, 4 waiting" in response.text
    assert "case-changed" in response["HX-Trigger"]


def test_without_scripts_ana_sees_the_preview_on_the_page_and_then_the_case(
    signed_in, ana
):
    case, client = small(ana), signed_in(ana)
    url = reverse("cases:preview", args=[case.ref])
    page = client.post(url, said(case))
    assert "<html" in page.text
    assert WHY in page.text
    response = decide(client, case, htmx=False, preview_sha256=sha_in(page))
    assert response.status_code == 302
    assert response.url == f"/cases/{case.ref}/#decision-box"


def test_clearing_tells_the_platform_nothing(signed_in, ana):
    case = small(ana)
    response = decide(
        signed_in(ana), case, verdict="clear", ground="innocent_explanation"
    )
    assert "Nothing is sent to the platform" in response.text
    assert not Effect.objects.exists()


def test_a_large_ban_waits_and_does_nothing_yet(signed_in, ana):
    case = case_of(26, by=ana)
    response = decide(signed_in(ana), case)
    case.refresh_from_db()
    assert case.status == "awaiting_approval"
    assert "Waiting for a second person" in response.text
    assert "Withdraw" in response.text
    assert not Effect.objects.exists()


def test_a_double_click_is_one_decision_with_one_answer(signed_in, ana):
    case, client = small(ana), signed_in(ana)
    once: dict[str, Any] = {
        "form_token": uuid.uuid4(),
        "preview_sha256": sha_in(preview(client, case)),
    }
    first, second = decide(client, case, **once), decide(client, case, **once)
    assert (first.status_code, second.status_code) == (200, 200)
    assert Decision.objects.count() == 1
    assert Effect.objects.count() == 4


# --- Refusals -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "asked"),
    [
        ({"reason": "asdf"}, "at least 20 characters"),
        ({"reason": ""}, "This field is required."),
        ({"ground": ""}, "Choose the policy ground."),
        ({"ground": "innocent_explanation"}, "does not allow to ban"),
        ({"ground": "because"}, "not one of the available choices"),
        ({"preview_sha256": ""}, "Look at the preview before you decide."),
        ({"form_token": "not-a-token"}, ""),
    ],
)
def test_a_form_with_a_gap_comes_back_with_what_was_typed(signed_in, ana, wrong, asked):
    case = small(ana)
    response = decide(signed_in(ana), case, **{"reason": WHY, **wrong})
    assert response.status_code == 422
    assert asked in response.text
    assert wrong.get("reason", WHY) in response.text
    assert 'value="ban" data-key="d" checked' in response.text
    assert not Decision.objects.exists()


def test_accounts_that_joined_since_the_preview_void_it(signed_in, ana):
    case, client = small(ana), signed_in(ana)
    old = sha_in(preview(client, case))
    one_joins(case)
    response = decide(client, case, preview_sha256=old)
    assert response.status_code == 409
    assert "not the accounts that the preview showed" in response.text
    assert WHY in response.text
    # The answer shows who would be hit now, ready to be decided on.
    assert "<strong>5</strong> accounts to ban" in response.text
    assert sha_in(response) != old


def test_a_protected_customer_stops_the_whole_list_and_is_named(signed_in, ana):
    reseller = new_account(contract="reseller", external_id="acct-reseller")
    cluster = cluster_of(4, accounts=[reseller, *new_accounts(3)])
    case = open_case(cluster=cluster, by=ana)
    response = preview(signed_in(ana), case)
    assert "1 protected: nothing can be done to this list." in response.text
    assert "acct-reseller" in response.text
    assert "confirm-decision" not in response.text
    refused = decide(signed_in(ana), case)
    assert refused.status_code == 409
    assert not Decision.objects.exists()


def test_a_stale_tab_is_told_who_changed_what_and_keeps_the_reason(signed_in, ana, leo):
    case, client = small(ana), signed_in(ana)
    assign_case(case=case, to=leo, by=leo)
    response = decide(client, case, version=1)
    assert response.status_code == 409
    assert "leo: assigned" in response.text
    assert WHY in response.text
    case.refresh_from_db()
    assert f'name="version" value="{case.version}"' in response.text
    assert decide(client, case).status_code == 200


def test_a_note_by_someone_else_makes_nothing_stale(signed_in, ana, leo):
    case = small(ana)
    add_note(case=case, text="Looked at the card; it is a corporate one.", by=leo)
    assert decide(signed_in(ana), case, version=1).status_code == 200


def test_when_leo_was_faster_ana_keeps_her_words_to_copy(signed_in, ana, leo):
    case = small(ana)
    seen = sha_in(preview(signed_in(ana), case))
    decide(signed_in(leo), case)
    words = "Leo and I looked at the same card at the same time."
    response = decide(
        signed_in(ana), case, reason=words, preview_sha256=seen, version=1
    )
    assert response.status_code == 409
    assert words in response.text
    assert Decision.objects.count() == 1


def test_an_analyst_cannot_decide_what_was_handed_up(signed_in, ana, leo):
    case = small(ana)
    Case.objects.filter(pk=case.pk).update(status="escalated")
    case.refresh_from_db()
    seen = sha_in(preview(signed_in(leo), case))
    refused = decide(signed_in(ana), case, preview_sha256=seen)
    assert refused.status_code == 422
    assert "lead" in refused.text
    assert decide(signed_in(leo), case).status_code == 200


@pytest.mark.parametrize("name", ["vic", "mia", "aud", "ada"])
def test_whoever_only_reads_can_neither_preview_nor_decide(
    request, signed_in, ana, name
):
    case = small(ana)
    client = signed_in(request.getfixturevalue(name))
    assert preview(client, case).status_code == 403
    assert decide(client, case, preview_sha256="0" * 64).status_code == 403
    assert not Decision.objects.exists()


def test_accounts_that_are_banned_already_are_counted_as_such(signed_in, ana):
    case = small(ana)
    Account.objects.filter(pk=members(case)[0]).update(status="banned")
    response = preview(signed_in(ana), case)
    assert "1 of them banned already" in response.text
    decide(signed_in(ana), case)
    assert Effect.objects.count() == 3


# --- Afterwards ---------------------------------------------------------------------


def test_the_outcome_asks_again_until_every_delivery_has_ended(signed_in, ana):
    case, client = small(ana), signed_in(ana)
    decide(client, case)
    url = reverse("cases:box", args=[case.ref])
    moving = client.get(url, {"kind": "done"}, headers=HTMX)
    assert "every 3s" in moving.text
    Effect.objects.update(state="delivered")
    ended = client.get(url, {"kind": "done"}, headers=HTMX)
    assert "4 of 4 delivered" in ended.text
    assert "every 3s" not in ended.text


def test_a_parked_delivery_is_shown_with_what_went_wrong(signed_in, ana):
    case, client = small(ana), signed_in(ana)
    decide(client, case)
    Effect.objects.filter(pk=Effect.objects.earliest("pk").pk).update(
        state="parked", last_error="410 Gone", attempts=1
    )
    page = client.get(reverse("cases:detail", args=[case.ref])).text
    assert "1 parked" in page
    assert "410 Gone" in page


def test_ana_sends_what_was_parked_again_with_a_reason(signed_in, ana):
    case, client = small(ana), signed_in(ana)
    decide(client, case)
    Effect.objects.update(state="parked", last_error="410 Gone")
    url = reverse("cases:replay", args=[case.ref, Decision.objects.get().ref])
    refused = client.post(url, {"reason": "again"}, headers=HTMX)
    assert refused.status_code == 422
    reason = "The platform's endpoint was moved and answers again."
    assert client.post(url, {"reason": reason}, headers=HTMX).status_code == 204
    assert set(Effect.objects.values_list("state", flat=True)) == {"pending"}


def test_ana_restores_what_was_taken_with_a_reason(signed_in, ana):
    case, client = small(ana), signed_in(ana)
    decide(client, case)
    url = reverse("cases:restore", args=[case.ref, Decision.objects.get().ref])
    form = client.get(url, headers=HTMX)
    token = the(r'name="form_token" value="([\w-]+)"', form)
    sent = {"ground": "mistaken_decision", "form_token": token}
    empty = client.post(url, {**sent, "reason": "oops"}, headers=HTMX)
    assert empty.status_code == 422
    reason = "The card belongs to one company, as its contract shows."
    done = client.post(url, {**sent, "reason": reason}, headers=HTMX)
    assert done.status_code == 204
    assert Effect.objects.filter(kind="restore").count() == 4
    twice = client.post(url, {**sent, "reason": reason}, headers=HTMX)
    assert twice.status_code == 204
    assert Decision.objects.filter(verdict="restore").count() == 1


@pytest.mark.parametrize("verb", ["restore", "replay"])
def test_vic_can_neither_restore_nor_send_again(signed_in, ana, vic, verb):
    case = small(ana)
    decide(signed_in(ana), case)
    url = reverse(f"cases:{verb}", args=[case.ref, Decision.objects.get().ref])
    refused = signed_in(vic).post(url, {"reason": WHY})
    assert refused.status_code == 403


def test_a_decision_is_not_restored_through_another_case(signed_in, ana):
    case, other = small(ana), small(ana)
    decide(signed_in(ana), case)
    url = reverse("cases:restore", args=[other.ref, Decision.objects.get().ref])
    assert signed_in(ana).get(url).status_code == 404


def test_the_form_is_left_alone_while_someone_types_into_it(signed_in, ana):
    case = small(ana)
    url = reverse("cases:box", args=[case.ref])
    still = signed_in(ana).get(url, {"kind": "form"}, headers=HTMX)
    assert still.status_code == 204


def test_a_cluster_that_proposes_nobody_offers_no_proposal(signed_in, ana):
    case = small(ana)
    Cluster.objects.update(proposed_ban=[])
    page = signed_in(ana).get(reverse("cases:detail", args=[case.ref])).text
    assert "The machine's proposal" not in page
    assert 'name="scope" value="everyone" checked' in page
