import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from investigations.actions.cases import add_note, escalate_case
from investigations.actions.reports import freeze_report
from investigations.models import TargetAccount, TargetList
from tests.conftest import NOW
from tests.investigations.scenes import WHY, case_of, decide, new_account

KEPT_AS_WRITTEN = ["decision", "targetlist", "targetaccount", "note", "report"]
KEPT = ["case", "approval", "effect", "caseevent"]


def run(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Checks that wait for the commit would come in the way of TRUNCATE first.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)


@pytest.fixture
def one_of_each(ana, leo):
    case = case_of(2, ana)
    add_note(case=case, text="Looks like one hand.", by=ana)
    decide(case, ana)
    decide(case_of(26, ana), ana)
    freeze_report(week=NOW.date(), document={"week": "2026-W47"}, by=leo)


@pytest.mark.parametrize("model", KEPT_AS_WRITTEN)
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_a_judgement_is_neither_edited_nor_deleted(one_of_each, model, verb):
    with pytest.raises(IntegrityError, match="keeps what was written"):
        run(verb.format(f"investigations_{model}"))


@pytest.mark.parametrize("model", KEPT)
def test_what_moves_on_is_never_deleted(one_of_each, model):
    with pytest.raises(IntegrityError, match="keeps what was written"):
        run(f"DELETE FROM investigations_{model}")


@pytest.mark.parametrize("model", [*KEPT_AS_WRITTEN, *KEPT])
def test_truncate_is_refused(one_of_each, model):
    with pytest.raises(IntegrityError, match="TRUNCATE refused"):
        run(f"TRUNCATE investigations_{model} CASCADE")


def test_a_frozen_list_takes_no_further_account(one_of_each):
    frozen = TargetList.objects.latest("pk")
    late = TargetAccount(
        target_list=frozen, account=new_account(), score=0, status_before="active"
    )
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        late.save()


@pytest.mark.parametrize(
    "change",
    [
        "effect SET kind = 'restore'",
        "effect SET sequence = 7",
        "effect SET delivery_key = gen_random_uuid()",
        "approval SET sha256 = repeat('0', 64)",
        "approval SET expires_at = expires_at + interval '1 day'",
        "case SET opened_on = '{}'::jsonb || '{\"score\": 1}'",
    ],
)
def test_what_was_asked_or_queued_stays_what_it_was(one_of_each, change):
    with pytest.raises(IntegrityError, match="keeps what was written"):
        run(f"UPDATE investigations_{change}")


def test_every_state_of_a_case_is_kept_with_who_and_why(ana):
    case = case_of(2, ana)
    escalate_case(case=case, reason=WHY, by=ana)
    CaseEvent = apps.get_model("investigations", "CaseEvent")
    history = CaseEvent.objects.filter(pgh_obj=case).order_by("pgh_id")
    assert [event.status for event in history] == ["open", "escalated"]
    assert history[1].pgh_context.metadata["user"] == ana.pk
    assert history[1].pgh_context.metadata["reason"] == WHY
