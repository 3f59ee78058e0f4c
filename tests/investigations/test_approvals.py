from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ingest.models import Account
from investigations import access
from investigations.actions.decisions import (
    approve_decision,
    expire_approvals,
    reject_decision,
    withdraw_decision,
)
from investigations.detection.models import Label
from investigations.errors import (
    AlreadyAnswered,
    ApprovalExpired,
    BadReason,
    IllegalMove,
    ListChanged,
    NotAllowed,
    ProtectedAccounts,
    SecondPersonNeeded,
)
from investigations.models import Approval, AuditEntry, Case, Decision, Effect
from tests.conftest import make_person
from tests.investigations.scenes import WHY, case_of, decide

Status = Case.Status
MANY = 26


@pytest.fixture
def asked(ana) -> Decision:
    """Ana asks to ban 26 accounts."""
    return decide(case_of(MANY, ana), ana)


def status(decision: Decision) -> str:
    return Case.objects.get(pk=decision.case_id).status


def test_a_second_person_carries_the_decision_out(asked, leo):
    approve_decision(decision=asked, by=leo, note="I looked at ten of them.")
    assert status(asked) == Status.DECIDED
    assert asked.effects.count() == MANY
    assert Label.objects.filter(kind="confirmed").count() == MANY
    entry = AuditEntry.objects.get(verb="approval.given")
    assert (entry.actor_name, entry.reason) == ("leo", "I looked at ten of them.")


def test_nobody_approves_their_own_decision(leo):
    own = decide(case_of(MANY, leo), leo)
    with pytest.raises(SecondPersonNeeded):
        approve_decision(decision=own, by=leo)
    with pytest.raises(SecondPersonNeeded):
        reject_decision(decision=own, by=leo, note=WHY)
    assert not Effect.objects.exists()


def test_the_database_refuses_an_approval_by_the_proposer(asked, ana):
    approval = Approval.objects.filter(decision=asked)
    refused = pytest.raises(IntegrityError, match="approver_is_not_proposer")
    with refused, transaction.atomic():
        approval.update(state="approved", answered_by=ana)


def test_an_analyst_may_not_approve(asked):
    with pytest.raises(NotAllowed, match="lead"):
        approve_decision(decision=asked, by=make_person("ann", "analyst"))


def test_an_approver_who_lost_the_role_meanwhile_is_refused(asked, leo):
    assert access.can(leo, access.APPROVE)
    User.objects.get(pk=leo.pk).groups.set(
        [Group.objects.get_or_create(name="viewer")[0]]
    )
    with pytest.raises(NotAllowed):
        approve_decision(decision=asked, by=leo)
    assert status(asked) == Status.AWAITING_APPROVAL


def test_an_approval_is_good_for_four_hours(asked, leo):
    later = time_machine.travel(timezone.now() + timedelta(hours=4, seconds=1))
    with later, pytest.raises(ApprovalExpired, match=asked.ref):
        approve_decision(decision=asked, by=leo)
    assert status(asked) == Status.IN_REVIEW
    assert asked.approval.state == "requested"  # as it was loaded
    assert Approval.objects.get(decision=asked).state == "expired"
    assert not Effect.objects.exists()


def test_just_before_four_hours_it_still_counts(asked, leo):
    with time_machine.travel(timezone.now() + timedelta(hours=3, minutes=59)):
        approve_decision(decision=asked, by=leo)
    assert status(asked) == Status.DECIDED


def test_overdue_approvals_expire_by_themselves_once(asked):
    assert expire_approvals() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        assert expire_approvals() == 1
        assert expire_approvals() == 0
    assert AuditEntry.objects.get(verb="approval.expired").actor_role == "system"


def test_a_rejection_sends_the_case_back_to_whoever_asked(asked, ana, leo):
    reject_decision(decision=asked, by=leo, note="Ten of these are one school.")
    case = Case.objects.get(pk=asked.case_id)
    assert (case.status, case.assignee) == (Status.IN_REVIEW, ana)
    assert not Effect.objects.exists()
    decide(case, ana)
    assert case.decisions.count() == 2


def test_a_rejection_needs_a_reason(asked, leo):
    with pytest.raises(BadReason):
        reject_decision(decision=asked, by=leo, note="no")


def test_only_the_proposer_withdraws(asked, ana, leo):
    with pytest.raises(SecondPersonNeeded):
        withdraw_decision(decision=asked, by=leo)
    withdraw_decision(decision=asked, by=ana)
    assert status(asked) == Status.IN_REVIEW


@pytest.mark.parametrize("answer", [approve_decision, reject_decision])
def test_an_answered_decision_takes_no_second_answer(asked, leo, answer):
    approve_decision(decision=asked, by=leo)
    lea = make_person("lea", "lead")
    with pytest.raises(AlreadyAnswered, match="approved by leo"):
        answer(decision=asked, by=lea, note=WHY)
    assert asked.effects.count() == MANY


def test_a_decision_that_waits_for_nobody_cannot_be_approved(ana, leo):
    small = decide(case_of(2, ana), ana)
    with pytest.raises(IllegalMove):
        approve_decision(decision=small, by=leo)


def test_an_account_protected_since_then_stops_the_whole_batch(asked, leo):
    account = Account.objects.earliest("pk")
    Account.objects.filter(pk=account.pk).update(contract="evaluation")
    with pytest.raises(ProtectedAccounts, match=account.external_id):
        approve_decision(decision=asked, by=leo)
    assert status(asked) == Status.AWAITING_APPROVAL
    assert not Effect.objects.exists()


def test_a_frozen_list_edited_behind_our_back_voids_the_approval(asked, leo):
    with connection.cursor() as cursor:  # as only the tables' owner could
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE investigations_targetaccount DISABLE TRIGGER USER")
        cursor.execute(
            "DELETE FROM investigations_targetaccount WHERE id ="
            " (SELECT min(id) FROM investigations_targetaccount)"
        )
        cursor.execute("ALTER TABLE investigations_targetaccount ENABLE TRIGGER USER")
    with pytest.raises(ListChanged):
        approve_decision(decision=asked, by=leo)
    assert not Effect.objects.exists()
