"""The table of moves, asked in Python and asked of the database."""

from itertools import product

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from investigations import transitions
from investigations.errors import AlreadyDecided, IllegalMove
from investigations.models import Approval, Case, Effect
from tests.investigations.scenes import case_of, decide, new_account

Status = Case.Status


def allowed_by_the_database(rows, field: str, to: str) -> bool:
    try:
        with transaction.atomic():
            rows.update(**{field: to})
            transaction.set_rollback(True)
    except IntegrityError:
        return False
    return True


def pairs(states):
    return [(a, b) for a, b in product(states, states) if a != b]


@pytest.mark.parametrize(("here", "there"), pairs(Status.values))
def test_the_database_moves_a_case_as_the_table_says(ana, here, there):
    case = Case.objects.create(
        title="t", status=here, opened_by=ana, opened_at=timezone.now(),
        changed_at=timezone.now(),
    )  # fmt: skip
    rows = Case.objects.filter(pk=case.pk)
    allowed = there in transitions.MOVES[here]
    assert allowed_by_the_database(rows, "status", there) is allowed
    assert transitions.may_move(case, there) is allowed


@pytest.mark.parametrize(("here", "there"), pairs(Effect.State.values))
def test_the_database_moves_an_effect_as_the_table_says(ana, here, there):
    decision = decide(case_of(1, ana), ana)
    effect = Effect.objects.create(
        decision=decision, account=new_account(), kind="ban", sequence=1, state=here,
        queued_at=timezone.now(), next_attempt_at=timezone.now(),
    )  # fmt: skip
    rows = Effect.objects.filter(pk=effect.pk)
    allowed = there in transitions.EFFECT_MOVES[here]
    assert allowed_by_the_database(rows, "state", there) is allowed


@pytest.mark.parametrize(("here", "there"), pairs(Approval.State.values))
def test_the_database_moves_an_approval_as_the_table_says(ana, here, there):
    approval = Approval.objects.create(
        decision=decide(case_of(1, ana), ana), state=here, requested_by=ana,
        requested_at=timezone.now(), expires_at=timezone.now(), sha256="0" * 64,
    )  # fmt: skip
    rows = Approval.objects.filter(pk=approval.pk)
    allowed = there in transitions.APPROVAL_MOVES[here]
    assert allowed_by_the_database(rows, "state", there) is allowed


def test_a_move_that_is_not_in_the_table_is_refused_in_a_sentence():
    case = Case(pk=7, status=Status.CLOSED)
    with pytest.raises(IllegalMove, match="C-7 is closed and cannot become escalated"):
        transitions.move(case, Status.ESCALATED)


def test_a_second_verdict_is_refused_naming_who_was_first(ana):
    case = case_of(1, ana)
    decide(case, ana)
    case.refresh_from_db()
    with pytest.raises(AlreadyDecided, match=f"{case.ref} is decided: ana sent it at"):
        transitions.move(case, Status.DECIDED)
