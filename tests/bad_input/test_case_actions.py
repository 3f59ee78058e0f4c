"""Case actions, rows 71 to 80 of the table: what a person may send that is wrong.

Each row: what was sent, the code and status it gets. Nothing may have changed, and
the sentence must not be empty.
"""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from investigations.actions.cases import add_note, assign_case, close_case, reopen_case
from investigations.actions.decisions import approve_decision, restore_accounts
from investigations.errors import DomainError
from investigations.models import AuditEntry, Case, Decision, Effect, TargetList
from tests.investigations.scenes import (
    WHY,
    case_of,
    decide,
    members,
    new_account,
)

People = dict[str, User]


def stale_tab(who: People) -> Callable[[], Any]:
    case = case_of(2, who["ana"])
    assign_case(case=case, to=who["leo"], by=who["leo"])
    return lambda: decide(case, who["ana"], version=case.version)


def never_banned(who: People) -> Callable[[], Any]:
    case = case_of(2, who["ana"])
    banned, never = members(case)
    ban = decide(case, who["ana"], account_ids=[banned])
    return lambda: restore_accounts(
        decision=ban, account_ids=[banned, never], reason=WHY, by=who["ana"]
    )


def protected_in_list(who: People) -> Callable[[], Any]:
    accounts = [new_account(), new_account(contract="reseller")]
    case = case_of(2, who["ana"], accounts=accounts)
    return lambda: decide(case, who["ana"])


def edited_list(who: People) -> Callable[[], Any]:
    case = case_of(3, who["ana"])
    return lambda: decide(case, who["ana"], preview_sha256="0" * 64)


def own_request(who: People) -> Callable[[], Any]:
    asked = decide(case_of(26, who["leo"]), who["leo"])
    return lambda: approve_decision(decision=asked, by=who["leo"])


def role_lost(who: People) -> Callable[[], Any]:
    asked = decide(case_of(26, who["ana"]), who["ana"])
    viewers = Group.objects.get_or_create(name="viewer")[0]
    User.objects.get(pk=who["leo"].pk).groups.set([viewers])
    return lambda: approve_decision(decision=asked, by=who["leo"])


def empty_reason(who: People) -> Callable[[], Any]:
    case = case_of(1, who["ana"])
    return lambda: decide(case, who["ana"], reason="")


def thoughtless_reason(who: People) -> Callable[[], Any]:
    case = case_of(1, who["ana"])
    return lambda: close_case(
        case=case, outcome="duplicate", reason="asdf", by=who["ana"]
    )


def huge_note(who: People) -> Callable[[], Any]:
    case = case_of(1, who["ana"])
    return lambda: add_note(case=case, text="x" * 5 * 1024**2, by=who["ana"])


REFUSED = [
    pytest.param(stale_tab, 409, "stale_case", id="72 stale tab"),
    pytest.param(never_banned, 409, "not_restorable", id="74 restore never banned"),
    pytest.param(protected_in_list, 409, "protected_accounts", id="75 protected"),
    pytest.param(edited_list, 409, "list_changed", id="76 list edited"),
    pytest.param(own_request, 403, "second_person_needed", id="77 own request"),
    pytest.param(role_lost, 403, "not_allowed", id="78 approver lost role"),
    pytest.param(empty_reason, 400, "bad_reason", id="79 no reason"),
    pytest.param(thoughtless_reason, 400, "bad_reason", id="79 asdf"),
    pytest.param(huge_note, 413, "too_long", id="80 note of 5 MB"),
]


def everything() -> list[Any]:
    rows: list[Any] = [Decision, Effect, TargetList, AuditEntry]
    return [
        *(model.objects.count() for model in rows),
        list(Case.objects.order_by("pk").values()),
    ]


@pytest.mark.parametrize(("scene", "status", "code"), REFUSED)
def test_it_is_refused_in_a_sentence_and_nothing_has_changed(
    ana, leo, scene, status, code
):
    send = scene({"ana": ana, "leo": leo})
    before = everything()
    with pytest.raises(DomainError) as refusal:
        send()
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert refusal.value.sentence.endswith(".")
    assert everything() == before


def test_71_a_double_click_is_one_action_with_the_same_reply(ana):
    case, token = case_of(2, ana), uuid.uuid4()
    replies = {decide(case, ana, form_token=token, version=1).pk for _ in range(3)}
    assert len(replies) == 1
    assert Effect.objects.count() == 2


def test_73_banning_the_banned_is_a_no_op_reported_for_each_account(ana):
    banned = new_account(status="banned")
    case = case_of(2, ana, accounts=[banned, new_account()])
    decision = decide(case, ana)
    assert decision.effects.count() == 1
    told = AuditEntry.objects.get(verb="case.decided").detail["already_banned"]
    assert (
        told == decision.target_list.preview["already_banned"] == [banned.external_id]
    )


def test_74_the_possible_ones_go_ahead_when_chosen(ana):
    case = case_of(2, ana)
    banned, never = members(case)
    ban = decide(case, ana, account_ids=[banned])
    again = reopen_case(case=Case.objects.get(pk=case.pk), reason=WHY, by=ana)
    assert again.status == Case.Status.OPEN
    restore = restore_accounts(
        decision=ban,
        account_ids=[banned, never],
        reason=WHY,
        by=ana,
        only_possible=True,
    )
    assert restore.effects.get().account_id == banned
