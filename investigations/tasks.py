"""Doors: each task finds its work, and two at once do no harm."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import shared_task
from django.db import connection

from investigations import delivery
from investigations.actions import cases, decisions, keys
from investigations.reports import weekly

# One lock for each door, in a space of our own (the first number).
LOCK_SPACE = 0x5717
OPEN_CASES, DELIVER, FREEZE = 1, 2, 3


@contextmanager
def only_one(door: int) -> Iterator[bool]:
    """True for one holder at a time; others are told no and need not wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, door])
        mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, door])


@shared_task(name="investigations.open_cases")
def open_cases() -> None:
    with only_one(OPEN_CASES) as mine:
        if mine:
            decisions.expire_approvals()
            cases.open_hot_cases()


@shared_task(name="investigations.deliver_effects")
def deliver_effects() -> None:
    with only_one(DELIVER) as mine:
        if mine:
            delivery.deliver_pending(limit=200)


@shared_task(name="investigations.freeze_weekly_report")
def freeze_weekly_report() -> None:
    with only_one(FREEZE) as mine:
        if mine:
            weekly.freeze_last_week()


@shared_task(name="investigations.audit_refused_keys")
def audit_refused_keys() -> None:
    # Rows are locked one by one, so two at once share the work.
    keys.audit_key_news()
