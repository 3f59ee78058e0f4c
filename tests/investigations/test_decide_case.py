import uuid

import pytest

from ingest.models import Account
from investigations import policies
from investigations.actions.cases import (
    assign_case,
    escalate_case,
    open_case,
    reopen_case,
)
from investigations.actions.targets import preview_targets
from investigations.detection.models import Label, Membership
from investigations.errors import (
    AlreadyDecided,
    BadGround,
    BadReason,
    BadVerdict,
    ListChanged,
    NotAllowed,
    NotInCase,
    StaleCase,
)
from investigations.models import AuditEntry, Case, Decision, Effect
from tests.investigations.scenes import (
    WHY,
    add_members,
    case_of,
    cluster_of,
    decide,
    members,
    new_account,
)

OUTCOMES = {
    "ban": ("banned", "ban", "confirmed"),
    "restrict": ("restricted", "restrict", None),
    "clear": ("cleared", None, "benign"),
}


@pytest.mark.parametrize("verdict", OUTCOMES)
def test_a_verdict_decides_the_case_queues_its_effects_and_tells_the_machine(
    ana, verdict
):
    outcome, effect, label = OUTCOMES[verdict]
    case = case_of(3, ana)
    decision = decide(case, ana, verdict)
    case.refresh_from_db()
    assert (case.status, case.outcome) == (Case.Status.DECIDED, outcome)
    assert [e.kind for e in decision.effects.all()] == ([effect] * 3 if effect else [])
    labels = Label.objects.filter(given_by=decision.ref)
    assert [row.kind for row in labels] == ([label] * 3 if label else [])


def test_a_decision_says_in_the_audit_what_was_decided_about_whom(ana):
    decision = decide(case_of(3, ana), ana)
    entry = AuditEntry.objects.get(verb="case.decided")
    assert entry.reason == WHY
    assert entry.detail["decision"] == decision.ref
    assert entry.detail["accounts"] == entry.detail["effects"] == 3
    assert entry.detail["list_sha256"] == decision.target_list.sha256


def test_the_platforms_own_record_of_an_account_is_left_alone(ana):
    decide(case_of(2, ana), ana)
    assert set(Account.objects.values_list("status", flat=True)) == {"active"}


def test_a_double_click_is_one_decision(ana):
    case, token = case_of(2, ana), uuid.uuid4()
    first = decide(case, ana, form_token=token, version=case.version)
    again = decide(case, ana, form_token=token, version=case.version)
    assert again == first
    assert Decision.objects.count() == 1
    assert Effect.objects.count() == 2


def test_a_form_sent_for_one_case_decides_no_other(ana):
    token = uuid.uuid4()
    first = case_of(1, ana)
    decide(first, ana, form_token=token)
    with pytest.raises(AlreadyDecided, match=first.ref):
        decide(case_of(1, ana), ana, form_token=token)


def test_a_decided_case_is_not_decided_twice(ana, leo):
    case = case_of(2, ana)
    decide(case, ana)
    with pytest.raises(AlreadyDecided, match=f"{case.ref} is decided"):
        decide(case, leo)


def test_a_stale_tab_decides_nothing_and_learns_who_was_first(ana, leo):
    case = case_of(2, ana)
    seen = case.version
    assign_case(case=case, to=leo, by=leo)
    with pytest.raises(StaleCase, match="leo"):
        decide(case, ana, version=seen)
    assert not Decision.objects.exists()


def test_a_list_changed_after_its_preview_is_refused(ana):
    case = case_of(3, ana)
    ids = members(case)
    seen = preview_targets(case=case, account_ids=ids[:2], action="ban")
    with pytest.raises(ListChanged):
        decide(case, ana, account_ids=ids, preview_sha256=seen.sha256)
    case.refresh_from_db()
    assert case.status == Case.Status.OPEN
    assert not Effect.objects.exists()


def test_an_account_that_left_the_cluster_since_the_preview_stops_the_decision(ana):
    case = case_of(3, ana)
    ids = members(case)
    seen = preview_targets(case=case, account_ids=ids, action="ban")
    Membership.objects.filter(account=ids[0]).delete()
    with pytest.raises(NotInCase):
        decide(case, ana, account_ids=ids, preview_sha256=seen.sha256)


def test_an_account_that_joined_since_the_preview_is_not_swept_along(ana):
    case = case_of(2, ana)
    ids = members(case)
    seen = preview_targets(case=case, account_ids=ids, action="ban")
    assert case.cluster
    add_members(case.cluster, [new_account()])
    decision = decide(case, ana, account_ids=ids, preview_sha256=seen.sha256)
    assert decision.effects.count() == 2


@pytest.mark.parametrize("reason", ["", "asdf"])
def test_a_reason_that_says_nothing_decides_nothing(ana, reason):
    with pytest.raises(BadReason):
        decide(case_of(1, ana), ana, reason=reason)


@pytest.mark.parametrize(
    ("verdict", "ground"),
    [
        ("ban", "licensed_use"),
        ("clear", "fake_accounts"),
        ("ban", "because"),
        ("ban", "mistaken_decision"),
    ],
)
def test_a_ground_that_does_not_carry_the_verdict_is_refused(ana, verdict, ground):
    with pytest.raises(BadGround, match=policies.grounds_for(verdict)[0].key):
        decide(case_of(1, ana), ana, verdict, ground=ground)


def test_restoring_is_no_verdict_on_a_case(ana):
    with pytest.raises(BadVerdict, match="ban, restrict, clear"):
        decide(case_of(1, ana), ana, "restore", ground="mistaken_decision")


def test_vic_may_not_decide(ana, vic):
    with pytest.raises(NotAllowed):
        decide(case_of(1, ana), vic)


def test_an_escalated_case_is_decided_by_a_lead(ana, leo):
    case = escalate_case(case=case_of(1, ana), reason=WHY, by=ana)
    with pytest.raises(NotAllowed):
        decide(case, ana)
    decide(case, leo)


def test_banning_the_banned_again_does_nothing_and_says_so(ana):
    case = case_of(2, ana)
    first, second = members(case)
    decide(case, ana, account_ids=[first])
    case = reopen_case(case=case, reason=WHY, by=ana)
    decision = decide(case, ana, account_ids=[first, second])
    assert [e.account_id for e in decision.effects.all()] == [second]
    name = Account.objects.get(pk=first).external_id
    assert decision.target_list.preview["already_banned"] == [name]
    entry = AuditEntry.objects.filter(verb="case.decided").latest("sequence")
    assert entry.detail["already_banned"] == [name]


def test_an_account_the_platform_banned_itself_gets_no_second_ban(ana):
    banned = new_account(status="banned")
    case = open_case(cluster=cluster_of(1, accounts=[banned]), by=ana)
    assert decide(case, ana).effects.count() == 0


def test_a_restricted_account_can_be_banned_and_a_banned_one_not_restricted(ana):
    case = case_of(1, ana)
    decide(case, ana, "restrict")
    case = reopen_case(case=case, reason=WHY, by=ana)
    assert decide(case, ana, "ban").effects.count() == 1
    case = reopen_case(case=case, reason=WHY, by=ana)
    assert decide(case, ana, "restrict").effects.count() == 0


def test_a_newer_decision_takes_the_place_of_one_not_yet_delivered(ana):
    case = case_of(1, ana)
    restrict = decide(case, ana, "restrict").effects.get()
    case = reopen_case(case=case, reason=WHY, by=ana)
    ban = decide(case, ana, "ban").effects.get()
    restrict.refresh_from_db()
    assert (restrict.state, ban.state) == ("superseded", "pending")
    assert (restrict.sequence, ban.sequence) == (1, 2)


def test_twenty_five_accounts_need_nobody_else(ana):
    assert decide(case_of(25, ana), ana).effects.count() == 25


@pytest.mark.parametrize("verdict", OUTCOMES)
def test_above_twenty_five_accounts_nothing_happens_without_a_second_person(
    ana, verdict
):
    case = case_of(26, ana)
    decision = decide(case, ana, verdict)
    case.refresh_from_db()
    assert case.status == Case.Status.AWAITING_APPROVAL
    assert case.outcome == ""
    assert decision.approval.state == "requested"
    assert decision.approval.sha256 == decision.target_list.sha256
    assert not Effect.objects.exists()
    assert not Label.objects.exists()


def test_the_same_account_named_twice_counts_once(ana):
    case = case_of(13, ana)
    decision = decide(case, ana, account_ids=members(case) * 2)
    assert decision.target_list.count == 13
    assert decision.effects.count() == 13
