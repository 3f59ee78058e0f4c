import pytest

from investigations import policies
from investigations.access import case_for, case_for_change, system_account
from investigations.actions.cases import (
    add_note,
    assign_case,
    close_case,
    escalate_case,
    open_case,
    reopen_case,
)
from investigations.errors import (
    AlreadyOpen,
    BadOutcome,
    BadReason,
    EmptyList,
    EmptyNote,
    IllegalMove,
    NotAllowed,
    NotFound,
    StaleCase,
    TooLong,
)
from investigations.models import AuditEntry, Case
from tests.conftest import make_person
from tests.investigations.scenes import (
    WHY,
    case_of,
    cluster_of,
    decide,
    new_account,
    new_accounts,
)

Status = Case.Status


def told(case: Case) -> list[str]:
    entries = AuditEntry.objects.filter(object_type="case", object_ref=case.ref)
    return list(entries.order_by("sequence").values_list("verb", flat=True))


def test_a_case_remembers_what_it_was_opened_on(ana):
    cluster = cluster_of(3, score=88.25, proposed_ban=[1, 2])
    case = open_case(cluster=cluster, by=ana)
    cluster.score = 10
    cluster.save()
    case.refresh_from_db()
    assert case.title == "Distillation campaign of 3 accounts"
    assert case.opened_on["score"] == 88.2
    assert case.opened_on["size"] == 3
    assert case.opened_on["proposed_ban"] == 2
    assert told(case) == ["case.opened"]


def test_a_case_is_opened_about_accounts_picked_by_hand(ana):
    picked = new_accounts(2)
    case = open_case(accounts=picked, by=ana)
    assert case.title == "2 accounts picked by hand"
    assert case.picked_accounts.count() == 2


def test_a_case_about_nothing_is_refused(ana):
    with pytest.raises(EmptyList):
        open_case(by=ana)


def test_a_title_that_is_too_long_is_refused(ana):
    with pytest.raises(TooLong):
        open_case(accounts=[new_account()], title="x" * 201, by=ana)


def test_a_cluster_has_one_unfinished_case(ana):
    case = case_of(2, ana)
    with pytest.raises(AlreadyOpen, match=case.ref):
        open_case(cluster=case.cluster, by=ana)


def test_vic_may_not_open_a_case(vic):
    with pytest.raises(NotAllowed, match="analyst, lead"):
        open_case(accounts=[new_account()], by=vic)


def test_an_assigned_case_is_in_review_and_back_with_nobody_it_is_open(ana, leo):
    case = assign_case(case=case_of(2, ana), to=leo, by=ana)
    assert (case.status, case.assignee) == (Status.IN_REVIEW, leo)
    case = assign_case(case=case, to=None, by=ana)
    assert (case.status, case.assignee) == (Status.OPEN, None)
    assert told(case)[1:] == ["case.assigned", "case.assigned"]


def test_a_case_is_not_assigned_to_someone_who_may_not_work_on_it(ana, vic):
    with pytest.raises(NotAllowed, match="vic may not work"):
        assign_case(case=case_of(2, ana), to=vic, by=ana)


def test_a_stale_tab_is_told_who_did_what_meanwhile(ana, leo):
    case = case_of(2, ana)
    assign_case(case=case, to=leo, by=leo)
    with pytest.raises(StaleCase, match="leo did so at") as stale:
        assign_case(case=case, to=ana, by=ana, version=case.version)
    assert [change["verb"] for change in stale.value.changes] == ["case.assigned"]
    case.refresh_from_db()
    assert case.assignee == leo


def test_a_note_is_kept_as_plain_text_and_makes_no_page_stale(ana):
    case = case_of(2, ana)
    text = "<script>alert(1)</script>\n\n![x](http://tracker.example/a.png)"
    note = add_note(case=case, text=f"  {text}\x00 ", by=ana)
    assert note.text == text
    assign_case(case=case, to=ana, by=ana, version=case.version)


def test_an_empty_note_and_a_huge_one_are_refused(ana):
    case = case_of(2, ana)
    with pytest.raises(EmptyNote):
        add_note(case=case, text=" \n\t ", by=ana)
    with pytest.raises(TooLong, match=r"5242880 characters; the limit is 20000"):
        add_note(case=case, text="x" * 5 * 1024 * 1024, by=ana)


def test_an_escalated_case_leaves_its_assignee_and_waits_for_a_lead(ana, leo):
    case = assign_case(case=case_of(2, ana), to=ana, by=ana)
    case = escalate_case(case=case, reason=WHY, by=ana)
    assert (case.status, case.assignee) == (Status.ESCALATED, None)
    case = assign_case(case=case, to=leo, by=leo)
    assert case.status == Status.IN_REVIEW


def test_an_escalated_case_is_not_closed_below_the_rank_it_was_handed_to(ana, leo):
    case = escalate_case(case=case_of(2, ana), reason=WHY, by=ana)
    with pytest.raises(NotAllowed, match="lead"):
        close_case(case=case, outcome="no_action", reason=WHY, by=ana)
    close_case(case=case, outcome="no_action", reason=WHY, by=leo)


def test_a_case_closes_without_a_verdict_as_duplicate_or_no_action(ana):
    case = close_case(case=case_of(2, ana), outcome="duplicate", reason=WHY, by=ana)
    assert (case.status, case.outcome) == (Status.CLOSED, "duplicate")
    assert case.closed_at
    with pytest.raises(BadOutcome, match="duplicate, no_action"):
        close_case(case=case_of(2, ana), outcome="banned", reason=WHY, by=ana)


def test_a_decided_case_keeps_its_outcome_when_closed(ana):
    case = case_of(2, ana)
    decide(case, ana)
    case = close_case(case=case, outcome="no_action", reason=WHY, by=ana)
    assert case.outcome == "banned"


def test_a_closed_case_takes_no_second_closing(ana):
    case = close_case(case=case_of(2, ana), outcome="duplicate", reason=WHY, by=ana)
    with pytest.raises(IllegalMove):
        close_case(case=case, outcome="duplicate", reason=WHY, by=ana)


def test_a_reopened_case_is_worked_on_again_and_keeps_what_it_came_to(ana):
    case = case_of(2, ana)
    decide(case, ana)
    case = reopen_case(case=case, reason=WHY, by=ana)
    assert (case.status, case.outcome) == (Status.OPEN, "banned")
    assert close_case(case=case, outcome="", reason=WHY, by=ana).outcome == "banned"


def test_a_case_is_not_reopened_beside_its_clusters_newer_one(ana):
    case = close_case(case=case_of(2, ana), outcome="duplicate", reason=WHY, by=ana)
    newer = open_case(cluster=case.cluster, by=ana)
    with pytest.raises(AlreadyOpen, match=newer.ref):
        reopen_case(case=case, reason=WHY, by=ana)
    case.refresh_from_db()
    assert case.status == Status.CLOSED


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "asdf",
        "too short a reason",
        " " * 40,
        "." * 40,
        "asdf" * 10,
        "no\u200b " * 9,
    ],
)
def test_a_reason_that_says_nothing_is_refused(reason):
    with pytest.raises(BadReason):
        policies.clean_reason(reason)


@pytest.mark.parametrize(
    "reason",
    [
        WHY,
        "四十个账户共用一张银行卡并且使用完全相同的提示模板内容",
        "  Same card,\n  same template, same hours.  ",
    ],
)
def test_a_reason_that_says_something_is_taken_in_any_script(reason):
    assert policies.clean_reason(reason) == " ".join(reason.split())


@pytest.mark.parametrize(
    "ref", ["C-0", "C-", "C-x", "7", "C--1", "C-٣", "C-" + "9" * 40]
)
def test_an_unknown_case_is_not_found_whatever_the_reference_looks_like(ana, ref):
    with pytest.raises(NotFound, match="no such case"):
        case_for(ana, ref)


def test_vic_sees_a_case_and_may_not_work_on_it(ana, vic):
    case = case_of(2, ana)
    assert case_for(vic, case.ref) == case
    with pytest.raises(NotAllowed):
        case_for_change(vic, case.ref)


def test_someone_without_a_role_sees_nothing(ana):
    stranger = make_person("sam", "nothing")
    with pytest.raises(NotAllowed):
        case_for(stranger, case_of(2, ana).ref)


def test_the_machine_opens_cases_and_decides_nothing(ana):
    case = open_case(cluster=cluster_of(2), by=system_account())
    with pytest.raises(NotAllowed):
        decide(case, system_account())
    entry = AuditEntry.objects.get(verb="case.opened")
    assert (entry.actor_name, entry.actor_role) == ("stillwatch", "system")
