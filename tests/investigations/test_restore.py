import uuid

import pytest

from ingest.models import Account
from investigations.actions.cases import open_case, reopen_case
from investigations.actions.decisions import restore_accounts
from investigations.detection.models import Label
from investigations.errors import BadReason, NotAllowed, NotRestorable
from investigations.models import AuditEntry, Case, Decision, Effect
from investigations.selectors.standing import standings
from tests.investigations.scenes import (
    WHY,
    case_of,
    cluster_of,
    decide,
    members,
    new_account,
)

MISTAKE = "The school's teacher explained the shared card."


def test_a_restore_gives_every_account_back_and_labels_it_innocent(ana):
    ban = decide(case_of(3, ana), ana)
    restore = restore_accounts(decision=ban, reason=MISTAKE, by=ana)
    assert restore.reverses == ban
    assert [e.kind for e in restore.effects.all()] == ["restore"] * 3
    assert [e.sequence for e in restore.effects.all()] == [2] * 3
    assert Label.objects.filter(kind="benign", given_by=restore.ref).count() == 3
    assert AuditEntry.objects.get(verb="case.restored").detail["reverses"] == ban.ref


def test_a_restore_needs_no_second_person(ana, leo):
    ban = decide(case_of(25, ana), ana)
    assert restore_accounts(decision=ban, reason=MISTAKE, by=ana).effects.count() == 25


def test_some_accounts_are_restored_and_the_others_stay_banned(ana):
    case = case_of(3, ana)
    ban = decide(case, ana)
    one, *others = members(case)
    restore_accounts(decision=ban, account_ids=[one], reason=MISTAKE, by=ana)
    assert standings([one, *others]) == {
        one: "active",
        **dict.fromkeys(others, "banned"),
    }


def test_an_account_never_banned_stops_the_restore_and_is_named(ana):
    case = case_of(3, ana)
    banned, *others = members(case)
    ban = decide(case, ana, account_ids=[banned])
    name = Account.objects.get(pk=others[0]).external_id
    with pytest.raises(NotRestorable, match=ban.ref) as refusal:
        restore_accounts(
            decision=ban, account_ids=[banned, others[0]], reason=MISTAKE, by=ana
        )
    assert refusal.value.accounts == [name]
    assert not Decision.objects.filter(verdict="restore").exists()


def test_the_others_go_ahead_only_when_chosen(ana):
    case = case_of(2, ana)
    banned, never = members(case)
    ban = decide(case, ana, account_ids=[banned])
    restore = restore_accounts(
        decision=ban, account_ids=[banned, never], reason=MISTAKE, by=ana,
        only_possible=True,
    )  # fmt: skip
    assert [e.account_id for e in restore.effects.all()] == [banned]


def test_what_is_restored_is_not_restored_twice(ana):
    ban = decide(case_of(2, ana), ana)
    restore_accounts(decision=ban, reason=MISTAKE, by=ana)
    with pytest.raises(NotRestorable):
        restore_accounts(decision=ban, reason=MISTAKE, by=ana)


def test_a_double_click_is_one_restore(ana):
    ban, token = decide(case_of(2, ana), ana), uuid.uuid4()
    first = restore_accounts(decision=ban, reason=MISTAKE, by=ana, form_token=token)
    again = restore_accounts(decision=ban, reason=MISTAKE, by=ana, form_token=token)
    assert first == again
    assert Effect.objects.filter(kind="restore").count() == 2


def test_a_decision_still_waiting_for_approval_has_nothing_to_restore(ana):
    asked = decide(case_of(26, ana), ana)
    with pytest.raises(NotRestorable):
        restore_accounts(decision=asked, reason=MISTAKE, by=ana)


def test_an_older_decision_does_not_undo_a_newer_one(ana):
    case = case_of(1, ana)
    restrict = decide(case, ana, "restrict")
    case = reopen_case(case=case, reason=WHY, by=ana)
    decide(case, ana, "ban")
    with pytest.raises(NotRestorable):
        restore_accounts(decision=restrict, reason=MISTAKE, by=ana)


def test_an_account_returns_to_the_state_it_was_in_before(ana):
    account = new_account(status="restricted")
    case = open_case(cluster=cluster_of(1, accounts=[account]), by=ana)
    ban = decide(case, ana)
    assert standings([account.pk]) == {account.pk: "banned"}
    restore_accounts(decision=ban, reason=MISTAKE, by=ana)
    assert standings([account.pk]) == {account.pk: "restricted"}


def test_what_the_platform_did_itself_after_our_delivery_counts(ana):
    case = case_of(1, ana)
    effect = decide(case, ana).effects.get()
    Effect.objects.filter(pk=effect.pk).update(
        state="delivered", delivered_at=effect.queued_at
    )
    Account.objects.update(updated_at=effect.queued_at, status="active")
    assert set(standings(members(case)).values()) == {"banned"}
    later = effect.queued_at.replace(year=effect.queued_at.year + 1)
    Account.objects.update(updated_at=later, status="active")
    assert set(standings(members(case)).values()) == {"active"}


def test_a_restored_account_can_be_banned_again(ana):
    case = case_of(1, ana)
    restore_accounts(decision=decide(case, ana), reason=MISTAKE, by=ana)
    case = reopen_case(case=Case.objects.get(pk=case.pk), reason=WHY, by=ana)
    assert decide(case, ana).effects.get().sequence == 3


def test_a_restore_needs_a_reason_and_the_right_to_decide(ana, vic):
    ban = decide(case_of(1, ana), ana)
    with pytest.raises(BadReason):
        restore_accounts(decision=ban, reason="oops", by=ana)
    with pytest.raises(NotAllowed):
        restore_accounts(decision=ban, reason=MISTAKE, by=vic)
