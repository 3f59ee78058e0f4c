from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection

from dashboard.celery import app
from investigations import access, tasks
from investigations.detection.models import Run
from investigations.models import Approval, Case, Effect, Report
from tests.investigations.scenes import case_of, cluster_of, decide

NAMES = {
    "investigations.open_cases": tasks.open_cases,
    "investigations.deliver_effects": tasks.deliver_effects,
    "investigations.freeze_weekly_report": tasks.freeze_weekly_report,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_timetable_knows_the_door_by_its_name(name):
    assert name in {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert NAMES[name].name == name


@pytest.mark.django_db
def test_cases_open_and_late_approvals_expire(ana):
    asked = decide(case_of(26, ana), ana)
    cluster_of(3)
    Approval.objects.filter(decision=asked)
    tasks.open_cases()
    assert Case.objects.count() == 2


def test_what_is_queued_is_delivered(ana, receiver, secret):
    decide(case_of(3, ana), ana)
    tasks.deliver_effects()
    assert Effect.objects.filter(state="delivered").count() == 3


@pytest.mark.django_db
def test_the_last_week_is_frozen():
    now = datetime.now(tz=UTC)
    Run.objects.create(
        as_of=now, finished_at=now - timedelta(hours=1), ruleset_hash="x"
    )
    tasks.freeze_weekly_report()
    tasks.freeze_weekly_report()
    assert Report.objects.count() == 1


@pytest.mark.django_db
def test_a_door_that_another_holds_is_left_alone():
    cluster_of(3)
    door = [tasks.LOCK_SPACE, tasks.OPEN_CASES]
    settings = connection.get_connection_params()
    settings.pop("cursor_factory", None)
    settings.pop("context", None)
    with psycopg.connect(**settings) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", door)
        tasks.open_cases()
        assert not Case.objects.exists()
        other.execute("SELECT pg_advisory_unlock(%s, %s)", door)
    tasks.open_cases()
    assert Case.objects.count() == 1


@pytest.mark.django_db
def test_the_roles_are_made_once_however_often_one_asks():
    call_command("setup_roles", verbosity=0)
    call_command("setup_roles", verbosity=0)
    assert set(Group.objects.values_list("name", flat=True)) == set(access.ROLES)
    machine = access.system_account()
    assert not machine.is_active
    assert not machine.has_usable_password()
