"""Two at once: the database decides, and nothing happens twice."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from investigations.actions import audit
from investigations.actions.cases import open_case, open_hot_cases
from investigations.actions.decisions import approve_decision, restore_accounts
from investigations.actions.targets import preview_targets
from investigations.delivery import deliver_pending
from investigations.errors import (
    AlreadyAnswered,
    AlreadyDecided,
    AlreadyOpen,
    DomainError,
    StaleCase,
)
from investigations.models import AuditEntry, Case, Decision, Effect
from investigations.selectors.audit_chain import Head, verify_chain
from tests.conftest import make_person
from tests.investigations.scenes import (
    became,
    case_of,
    cluster_of,
    decide,
    members,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each gave or was refused with, all having set off together."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return act()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


@pytest.mark.parametrize("time", range(5))
def test_of_two_analysts_deciding_one_case_one_wins_and_the_other_is_told(
    ana, leo, time
):
    case = case_of(2, ana)
    ids, version = members(case), case.version
    results = at_once(
        lambda: decide(case, ana, account_ids=ids, version=version),
        lambda: decide(case, leo, account_ids=ids),
    )
    (won,) = (r for r in results if isinstance(r, Decision))
    (lost,) = (r for r in results if isinstance(r, StaleCase | AlreadyDecided))
    assert won.made_by.get_username() in lost.sentence
    assert case.decisions.count() == 1
    assert Effect.objects.count() == 2


def test_a_form_sent_twice_at_once_is_one_decision(ana):
    case, token = case_of(2, ana), uuid.uuid4()
    ids = members(case)
    first, second = at_once(
        *[lambda: decide(case, ana, account_ids=ids, form_token=token, version=1)] * 2
    )
    assert first == second
    assert Effect.objects.count() == 2


def test_workers_looking_at_once_open_one_case_a_cluster(ana):
    for _ in range(3):
        cluster_of(2)
    at_once(*[open_hot_cases] * 3)
    assert Case.objects.count() == 3


def test_workers_looking_at_once_move_one_case_on_and_close_the_other_once():
    parts = [cluster_of(2), cluster_of(3)]
    open_hot_cases()
    whole = became(parts)
    at_once(*[open_hot_cases] * 3)
    assert Case.objects.unfinished().get().cluster == whole
    assert Case.objects.finished().get().outcome == Case.Outcome.DUPLICATE
    told = AuditEntry.objects.values_list("verb", flat=True)
    opened = ["case.opened"] * 2
    assert sorted(told) == ["case.closed", "case.followed", *opened]


def test_of_two_who_open_a_case_on_one_cluster_one_is_shown_the_others(ana, leo):
    cluster = cluster_of(2)
    results = at_once(
        lambda: open_case(cluster=cluster, by=ana),
        lambda: open_case(cluster=cluster, by=leo),
    )
    (opened,) = (r for r in results if isinstance(r, Case))
    (refused,) = (r for r in results if isinstance(r, AlreadyOpen))
    assert opened.ref in refused.sentence


def test_of_two_approvers_one_answers(ana, leo):
    asked, lea = decide(case_of(26, ana), ana), make_person("lea", "lead")
    results = at_once(
        lambda: approve_decision(decision=asked, by=leo),
        lambda: approve_decision(decision=asked, by=lea),
    )
    assert sum(isinstance(r, AlreadyAnswered) for r in results) == 1
    assert asked.effects.count() == 26


def test_of_two_restores_one_gives_back(ana, leo):
    ban = decide(case_of(3, ana), ana)
    why = "It was the school after all."
    at_once(
        lambda: restore_accounts(decision=ban, reason=why, by=ana),
        lambda: restore_accounts(decision=ban, reason=why, by=leo),
    )
    assert Effect.objects.filter(kind="restore").count() == 3


def test_many_writers_make_one_chain_without_gap_or_fork(ana):
    def write() -> None:
        for number in range(25):
            audit.record(
                "case.noted", by=ana, object_type="case", object_ref=f"C-{number}"
            )

    at_once(*[write] * 8)
    assert isinstance(verify_chain(), Head)
    assert AuditEntry.objects.latest("sequence").sequence == 200


def test_dispatchers_side_by_side_send_each_effect_once(ana, receiver, secret):
    decide(case_of(25, ana), ana)
    assert sum(at_once(*[deliver_pending] * 3)) == 25
    assert len(receiver.keys) == len(set(receiver.keys)) == 25


def test_deciding_while_delivering_neither_deadlocks_nor_loses_the_last_word(
    ana, receiver, secret
):
    why = "It was the school after all."
    bans = [decide(case_of(10, ana), ana) for _ in range(4)]

    def restore_all() -> None:
        for ban in bans:
            restore_accounts(decision=ban, reason=why, by=ana)

    at_once(restore_all, deliver_pending, deliver_pending)
    Effect.objects.update(leased_until=None)
    deliver_pending()
    assert len(receiver.applied) == 40
    assert set(receiver.applied.values()) == {(2, "restore")}


def test_a_preview_reads_while_somebody_decides(ana):
    case = case_of(3, ana)
    ids = members(case)
    decision, seen = at_once(
        lambda: decide(case, ana, account_ids=ids),
        lambda: preview_targets(case=case, account_ids=ids, action="ban"),
    )
    assert decision.effects.count() == seen.count == 3
