"""From a hot cluster to what the platform does about it, and back."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.utils import timezone

from investigations.actions.cases import assign_case, close_case, open_hot_cases
from investigations.actions.decisions import approve_decision, restore_accounts
from investigations.actions.endpoints import set_endpoint
from investigations.delivery import deliver_pending
from investigations.models import AuditEntry, Case, Effect
from investigations.reports.weekly import build
from investigations.selectors.audit_chain import Head, verify_chain
from tests.database import database_url
from tests.investigations.receiver import Receiver, Reply, listening
from tests.investigations.scenes import WHY, case_of, cluster_of, decide
from tests.waiting import wait_until

MISTAKE = "Four of them are one school, whose teacher wrote to us."
SEND = "import django; django.setup(); from investigations import delivery; delivery.deliver_pending()"  # noqa: E501


@pytest.fixture
def receiver(settings, ada):
    settings.DEMO = True
    with listening() as running:
        set_endpoint(url=running.url, by=ada, name="platform")
        yield running


def test_a_campaign_is_banned_by_two_people_and_its_innocents_given_back(
    ana, leo, receiver: Receiver
):
    cluster_of(30)
    (case,) = open_hot_cases()
    case = assign_case(case=case, to=ana, by=ana)

    asked = decide(case, ana, version=case.version)
    assert deliver_pending() == 0, "nothing leaves before the second person signs"
    approve_decision(decision=asked, by=leo)
    receiver.replies = [Reply(503), Reply(500)]
    while Effect.objects.filter(state="pending").exists():
        deliver_pending()
        Effect.objects.filter(state="pending").update(next_attempt_at=timezone.now())
    assert {what for _, what in receiver.applied.values()} == {"ban"}

    innocent = [e.account for e in asked.effects.order_by("pk")[:4]]
    restore_accounts(
        decision=asked,
        account_ids=[account.pk for account in innocent],
        reason=MISTAKE,
        by=ana,
    )
    assert deliver_pending() == 4
    close_case(case=Case.objects.get(pk=case.pk), outcome="", reason=WHY, by=ana)

    restored = {
        name for name, (_, what) in receiver.applied.items() if what == "restore"
    }
    assert restored == {account.external_id for account in innocent}
    document = build(timezone.now().date())
    figures = {figure["key"]: figure["value"] for figure in document["figures"]}
    assert figures["accounts_banned"] == 30
    assert figures["innocents_restored"] == 4
    assert figures["cases_closed"] == 1
    assert isinstance(verify_chain(), Head)
    told = AuditEntry.objects.filter(object_ref=case.ref).order_by("sequence")
    assert list(told.values_list("verb", flat=True)) == [
        "case.opened",
        "case.assigned",
        "approval.requested",
        "approval.given",
        "case.restored",
        "case.closed",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_dispatcher_killed_while_sending_loses_nothing_and_bans_once(
    ana, receiver: Receiver
):
    decision = decide(case_of(1, ana), ana)
    receiver.replies = [Reply(after=3)]
    dispatcher = subprocess.Popen(
        [sys.executable, "-c", SEND],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "DATABASE_URL": database_url(),
            "STILLWATCH_DEMO": "1",
        },
    )
    try:
        wait_until(lambda: receiver.received)
    finally:
        dispatcher.send_signal(signal.SIGKILL)
        dispatcher.wait()
    effect = decision.effects.get()
    assert (effect.state, effect.attempts) == ("pending", 1)

    Effect.objects.update(leased_until=timezone.now())  # the lease has run out
    assert deliver_pending() == 1
    first, second = receiver.received
    assert first.key == second.key == str(effect.delivery_key)
    assert json.loads(first.body) == json.loads(second.body)
    assert receiver.applied == {effect.account.external_id: (1, "ban")}
