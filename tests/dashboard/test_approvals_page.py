"""A second person's page: Leo answers what Ana asked for, with all there is to know."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from investigations import access, selectors
from investigations.actions.cases import open_case
from investigations.detection.models import Cluster, Membership, Score
from investigations.models import Approval, Case, Decision, Effect
from tests.dashboard.case_scenes import campaign
from tests.investigations.scenes import (
    WHY,
    add_members,
    case_of,
    decide,
    new_accounts,
)

pytestmark = pytest.mark.django_db
LIST = reverse("approvals:list")
NO = "The card belongs to one company; look at its contract."


@pytest.fixture
def asked(ana) -> Decision:
    """Ana has asked to ban 30 accounts."""
    case = open_case(cluster=campaign(30), by=access.system_account())
    return decide(case, ana)


def see(client, decision: Decision) -> str:
    page: str = client.get(reverse("approvals:detail", args=[decision.ref])).text
    return page


def answer(client, decision: Decision, word: str, note: str = ""):
    url = reverse("approvals:answer", args=[decision.ref])
    return client.post(url, {"answer": word, "note": note})


def test_leo_finds_what_waits_for_him(signed_in, leo, asked):
    text = signed_in(leo).get(LIST).text
    assert "Waiting for you" in text
    assert asked.ref in text
    assert "Look and answer" in text
    assert selectors.approvals_waiting_count(leo) == 1


def test_anas_own_request_waits_for_others_and_not_for_her(signed_in, ana, leo, asked):
    Group.objects.get_or_create(name="lead")
    text = signed_in(ana).get(LIST).text
    assert "Asked for by you" in text
    assert "Withdraw" in text
    assert "Look and answer" not in text
    assert selectors.approvals_waiting_count(ana) == 0


def test_all_there_is_to_judge_by_is_on_one_page(signed_in, leo, asked):
    text = see(signed_in(leo), asked)
    assert WHY in text
    assert "Harvesting answers to train another model" in text
    assert asked.target_list.sha256[:16] in text
    assert "as counted when the list was frozen" in text
    assert "Nothing has moved" in text
    assert "The strongest innocent explanation" in text
    assert "+12" in text
    assert asked.target_list.targets.first().account.external_id in text


def test_leo_approves_and_the_ban_goes_out(signed_in, leo, asked):
    response = answer(signed_in(leo), asked, "approve")
    assert response.url == reverse("cases:detail", args=[asked.case.ref])
    assert Effect.objects.filter(decision=asked).count() == 30
    assert Case.objects.get(pk=asked.case_id).status == "decided"


def test_leo_rejects_with_a_reason_that_ana_can_read(signed_in, ana, leo, asked):
    answer(signed_in(leo), asked, "reject", NO)
    assert Case.objects.get(pk=asked.case_id).status == "in_review"
    case = signed_in(ana).get(reverse("cases:detail", args=[asked.case.ref])).text
    assert NO in case
    assert not Effect.objects.exists()


def test_a_rejection_without_a_reason_is_not_taken(signed_in, leo, asked):
    response = answer(signed_in(leo), asked, "reject", "no")
    assert response.status_code == 422
    assert "at least 20 characters" in response.text
    assert ">\nno</textarea>" in response.text
    assert Approval.objects.get().state == "requested"


def test_ana_cannot_approve_her_own_request_even_as_a_lead(signed_in, ana, asked):
    ana.groups.set([Group.objects.get_or_create(name="lead")[0]])
    text = see(signed_in(ana), asked)
    assert "another person must answer" in text
    response = answer(signed_in(ana), asked, "approve")
    assert response.status_code == 403
    assert not Effect.objects.exists()


@pytest.mark.parametrize("name", ["vic", "mia", "aud", "ada"])
def test_whoever_may_not_approve_reads_and_is_refused(request, signed_in, name, asked):
    client = signed_in(request.getfixturevalue(name))
    text = see(client, asked)
    assert "A lead answers this." in text
    assert "<textarea" not in text[text.index("<main") :]
    assert answer(client, asked, "approve").status_code == 403
    assert Approval.objects.get().state == "requested"


def test_leo_who_was_demoted_meanwhile_is_refused(signed_in, leo, asked):
    client = signed_in(leo)
    see(client, asked)
    leo.groups.set([Group.objects.get_or_create(name="analyst")[0]])
    assert answer(client, asked, "approve").status_code == 403
    assert not Effect.objects.exists()


def test_a_second_answer_is_told_that_there_was_a_first(signed_in, leo, asked):
    client = signed_in(leo)
    answer(client, asked, "approve")
    again = answer(client, asked, "reject", NO)
    assert again.status_code == 409
    assert "already approved by leo" in again.text


def test_an_answer_that_comes_too_late_changes_nothing(signed_in, leo, asked):
    late = timezone.now() + timedelta(hours=5)
    client = signed_in(leo)
    with time_machine.travel(late, tick=False):
        client.force_login(leo)
        assert "Nobody answered in time" in see(client, asked)
        assert selectors.approvals_waiting_count(leo) == 0
        response = answer(client, asked, "approve")
    assert response.status_code == 409
    assert not Effect.objects.exists()


def test_ana_withdraws_her_request(signed_in, ana, asked):
    url = reverse("approvals:withdraw", args=[asked.ref])
    response = signed_in(ana).post(url, follow=True)
    assert f"{asked.ref} is withdrawn." in response.text
    assert Approval.objects.get().state == "withdrawn"


def test_leo_cannot_withdraw_what_ana_asked_for(signed_in, leo, asked):
    url = reverse("approvals:withdraw", args=[asked.ref])
    assert signed_in(leo).post(url).status_code == 403
    assert Approval.objects.get().state == "requested"


def test_what_moved_since_the_list_was_frozen_is_said(signed_in, ana, leo):
    case = case_of(30, by=ana)
    decision = decide(case, ana)
    listed = decision.target_list.targets.order_by("pk")
    Membership.objects.filter(account=listed[0].account).delete()
    Score.objects.create(
        account=listed[1].account, score=55, ruleset_hash="x", as_of=timezone.now()
    )
    type(listed[2].account).objects.filter(pk=listed[2].account_id).update(
        status="closed", updated_at=timezone.now()
    )
    add_members(Cluster.objects.get(cases=case), new_accounts(2))
    Membership.objects.exclude(account__in=listed.values("account")).update(
        joined_at=timezone.now()
    )
    text = " ".join(see(signed_in(leo), decision).split())
    assert "2 accounts joined the cluster and are not on the list." in text
    assert "1 of the list left the case." in text
    assert "1 changed in score by ten points or more." in text
    assert "1 stand otherwise with the platform" in text
    assert f"{listed[2].account.external_id}</bdi></span> closed" in text


def test_what_was_answered_stays_readable(signed_in, vic, leo, asked):
    answer(signed_in(leo), asked, "reject", NO)
    assert asked.ref in signed_in(vic).get(LIST).text
    assert NO in see(signed_in(vic), asked)


@pytest.mark.parametrize("ref", ["D-999999", "D-999999999999999999"])
def test_a_decision_that_waits_for_nobody_is_not_found(signed_in, leo, ref):
    assert signed_in(leo).get(f"/approvals/{ref}/").status_code == 404


def test_an_empty_list_says_what_would_come_here(signed_in, leo):
    assert "more than 25 accounts" in signed_in(leo).get(LIST).text


def test_the_pages_of_approvals_cost_little(
    signed_in, leo, asked, django_assert_max_num_queries
):
    client = signed_in(leo)
    client.get(LIST)
    with django_assert_max_num_queries(10):
        client.get(LIST)
    with django_assert_max_num_queries(17):
        see(client, asked)
