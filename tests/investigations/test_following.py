"""Open cases go on where their clusters do: parts of one campaign get one case."""

from datetime import timedelta

import pytest
from django.utils import timezone

from investigations import selectors
from investigations.actions.cases import (
    add_note,
    assign_case,
    escalate_case,
    open_case,
    open_hot_cases,
)
from investigations.detection.models import Cluster, Exposure
from investigations.models import AuditEntry, Case
from tests.investigations.scenes import WHY, became, cluster_of, decide

pytestmark = pytest.mark.django_db

Status = Case.Status


def reread(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_a_case_goes_on_as_the_case_of_what_its_cluster_became_part_of():
    part = cluster_of(5, score=80)
    (case,) = open_hot_cases()
    whole = became([part, cluster_of(15, score=40)])

    assert open_hot_cases() == []

    case = reread(case)
    assert (case.cluster, case.status, case.priority) == (whole, Status.OPEN, 97)
    assert case.title == "Distillation campaign of 20 accounts"
    assert selectors.case_size(case) == 20
    entry = AuditEntry.objects.get(verb="case.followed")
    assert entry.actor_role == "system"
    assert (entry.detail["before"], entry.detail["cluster"]) == (part.ref, whole.ref)


def test_of_several_parts_the_oldest_case_goes_on_and_the_others_are_duplicates():
    parts = [cluster_of(5, score=80), cluster_of(6, score=85)]
    first, second = open_hot_cases()
    whole = became(parts)

    assert open_hot_cases() == []

    assert Case.objects.unfinished().get() == min(first, second, key=lambda c: c.pk)
    assert Case.objects.unfinished().get().cluster == whole
    closed = Case.objects.finished().get()
    assert (closed.status, closed.outcome) == (Status.CLOSED, Case.Outcome.DUPLICATE)
    reason = AuditEntry.objects.get(verb="case.closed").reason
    assert f"C-{min(first.pk, second.pk)}" in reason


@pytest.mark.parametrize("touched", ["opened", "assigned", "noted"])
def test_a_duplicate_that_a_person_has_touched_is_left_to_people(ana, touched):
    parts = [cluster_of(5), cluster_of(6)]
    first = open_case(cluster=parts[0], by=ana)
    if touched == "opened":
        second = open_case(cluster=parts[1], by=ana)
    else:
        (second,) = open_hot_cases()
    if touched == "assigned":
        assign_case(case=second, to=ana, by=ana)
    if touched == "noted":
        add_note(case=second, text="These ask for proofs.", by=ana)
    whole = became(parts)

    open_hot_cases()

    assert reread(first).cluster == whole
    assert reread(second).is_unfinished
    assert reread(second).cluster == parts[1]


def test_the_case_that_someone_works_on_goes_on_with_them(ana):
    part = cluster_of(5)
    case = assign_case(case=open_case(cluster=part, by=ana), to=ana, by=ana)
    whole = became([part])

    open_hot_cases()

    case = reread(case)
    assert (case.cluster, case.status, case.assignee) == (whole, Status.IN_REVIEW, ana)


def test_an_escalated_case_stays_escalated(ana):
    part = cluster_of(5)
    case = escalate_case(case=open_case(cluster=part, by=ana), reason=WHY, by=ana)
    whole = became([part])

    open_hot_cases()

    assert reread(case).cluster == whole
    assert reread(case).status == Status.ESCALATED


def test_a_title_that_a_person_gave_stays(ana):
    part = cluster_of(5)
    case = open_case(cluster=part, by=ana, title="The ones with the green cards")
    became([part])

    open_hot_cases()

    assert reread(case).title == "The ones with the green cards"


def test_a_case_whose_cluster_fell_apart_is_left_to_people():
    part = cluster_of(8)
    (case,) = open_hot_cases()
    became([part], into=2, score=50)

    open_hot_cases()

    assert reread(case).cluster == part


def test_a_decided_case_does_not_move(ana):
    part = cluster_of(5)
    case = open_case(cluster=part, by=ana)
    decide(case, ana, "restrict")
    became([part])

    open_hot_cases()

    assert reread(case).cluster == part


def test_the_first_flag_stays_that_of_the_part_it_was_opened_on():
    early = timezone.now() - timedelta(hours=30)
    part = cluster_of(5, first_flagged_at=early)
    (case,) = open_hot_cases()
    whole = became([part])
    Cluster.objects.filter(pk=whole.pk).update(
        first_flagged_at=early + timedelta(hours=20)
    )
    Exposure.objects.create(cluster=whole, exchanges=100)

    open_hot_cases()

    flag = selectors.milestones(reread(case))[0]
    assert (flag.name, flag.at) == ("First flag", early)
