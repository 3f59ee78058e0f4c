"""Taking out what some batches brought, as if it had never been sent.

An order is kept and carried out in small steps, each a transaction of its own that
does no harm when repeated: a day's records, some hundred accounts, the templates.
What the rollups and claims are made of changes under them, and is marked so; they
follow as they follow any change. Nothing is forgotten of what happened: the batches
stay in the ledger with what was stored and what was taken out of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import F, ProtectedError, QuerySet, Sum
from django.utils import timezone

from ingest.drain import account_history, accounts, taken_days
from ingest.drain.partitions import start_of
from ingest.drain.repeats import LOCK
from ingest.mending import replay
from ingest.models import (
    Account,
    AccountRecord,
    Batch,
    IngestKey,
    ModelRelease,
    QuarantinedLine,
    ReleaseRecord,
    TakeBack,
    TakeBackAccount,
)
from ingest.rolling import marks
from ingest.texts import templates

ACCOUNTS_AT_ONCE: Final = 5_000
PREVIEW_PATIENCE: Final = "3s"
# One at a time, as long as a session lasts; the other kind of lock than `repeats`'.
RUNNER: Final = 7_301_005
MAX_ATTEMPTS: Final = 3
Step = TakeBack.Step


@dataclass(frozen=True)
class Preview:
    """What an order would take out. `accounts` is None where counting takes long.

    `kept` of the records came with another key too and would stay for its sake.
    """

    batches: int
    waiting: int
    records: int
    kept: int
    days: int
    first_day: date | None
    last_day: date | None
    accounts: int | None

    @property
    def span(self) -> str:
        return f"{self.first_day} to {self.last_day}"

    @property
    def waiting_words(self) -> str:
        return f"{self.waiting:,} of them are not stored yet" if self.waiting else ""


def preview(batches: QuerySet[Batch]) -> Preview:
    """Counts only."""
    pks = list(batches.filter(take_back=None).values_list("pk", flat=True))
    own = Batch.objects.filter(pk__in=pks)
    with connection.cursor() as cursor:
        cursor.execute(taken_days.PREVIEW, [pks])
        records, days, first, last, kept = cursor.fetchone()
    return Preview(
        batches=len(pks),
        waiting=own.exclude(state=Batch.State.STORED).count(),
        records=records,
        kept=kept,
        days=days,
        first_day=first,
        last_day=last,
        accounts=_count_accounts(pks, first, last) if records else 0,
    )


def _count_accounts(pks: list[int], first: date, last: date) -> int | None:
    start, end = start_of(first), start_of(last + timedelta(days=1))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{PREVIEW_PATIENCE}'")
            cursor.execute(taken_days.COUNT_ACCOUNTS, [pks, start, end, pks])
            return int(cursor.fetchone()[0])
    except OperationalError:
        return None


@transaction.atomic
def exclude(
    batches: QuerySet[Batch], *, by: str, reason: str, key: IngestKey | None = None
) -> TakeBack:
    """Orders that these batches be taken out; `proceed` does it.

    What of them is not stored yet never will be. Batches that an earlier order holds
    are left to it. `by` is the name of who asked, for the record.
    """
    order = TakeBack.objects.create(key=key, asked_by=by, reason=reason)
    # A repeat of one of these requests is to be taken anew, not to be told that it
    # was stored; so their Idempotency-Keys are free again.
    order.batches = batches.filter(take_back=None).update(
        take_back=order, idempotency_key=None
    )
    own = Batch.objects.filter(take_back=order)
    own.exclude(state=Batch.State.STORED).update(
        state=Batch.State.STORED,
        stored=F("accepted"),
        stored_events=0,
        stored_at=timezone.now(),
        payload=None,
        claimed_at=None,
        error="",
    )
    # Nobody is to mend and send again what is taken back.
    QuarantinedLine.objects.filter(
        batch__take_back=order, replayed_at=None, discarded_at=None
    ).update(discarded_at=timezone.now())
    order.records = own.aggregate(total=Sum("stored"))["total"] or 0
    order.days = len(_days(order))
    order.save(update_fields=["batches", "records", "days"])
    return order


def unfinished() -> QuerySet[TakeBack]:
    waiting = TakeBack.objects.filter(attempts__lt=MAX_ATTEMPTS)
    return waiting.exclude(step=Step.DONE).order_by("pk")


def go_on() -> int:
    """Carries out what was ordered, for the timetable; says how many orders."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [RUNNER])
        if not cursor.fetchone()[0]:
            return 0
        try:
            return len([proceed(order) for order in unfinished()])
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [RUNNER])


def proceed(order: TakeBack) -> TakeBack:
    """Carries an order out from where it stands to its end.

    What fails is tried again by the next call, from the step that failed.
    """
    TakeBack.objects.filter(pk=order.pk).update(attempts=F("attempts") + 1)
    order.refresh_from_db()
    try:
        _carry_out(order)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:1000].replace("\x00", "")
        TakeBack.objects.filter(pk=order.pk).update(error=reason)
        raise
    return order


def _carry_out(order: TakeBack) -> None:
    if order.step == Step.DAYS:
        for day in _days(order):
            _take_day(order, day)
        _take_tellings(order)
    if order.step == Step.ACCOUNTS:
        while _correct_some(order):
            pass
        _move_on(order, Step.TEMPLATES)
    if order.step == Step.TEMPLATES:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in taken_days.TEMPLATES:
                cursor.execute(
                    statement, {"order": order.pk, "shared": templates.SHARED_BY}
                )
        order.finished_at = timezone.now()
        _move_on(order, Step.DONE, "finished_at")


def _move_on(order: TakeBack, step: Step, *also: str) -> None:
    """A step that was reached proves that it goes on: attempts count from there."""
    order.step, order.attempts, order.error = step, 0, ""
    order.save(update_fields=["step", "attempts", "error", *also])


def _alone() -> None:
    """No writer judges or stores anything until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _days(order: TakeBack) -> list[date]:
    """Days of which some record is still to be taken out."""
    with connection.cursor() as cursor:
        cursor.execute(taken_days.DAYS, {"order": order.pk})
        return [day for (day,) in cursor.fetchall()]


@transaction.atomic
def _take_day(order: TakeBack, day: date) -> None:
    _alone()
    values = taken_days.values(order.pk, day)
    with connection.cursor() as cursor:
        for statement in taken_days.BEFORE:
            cursor.execute(statement, values)
        cursor.execute("SELECT count(*) FROM kept WHERE line IS NULL")
        staying = cursor.fetchone()[0]
        # Finding their events costs a digest for each event of the day.
        for statement in taken_days.LEAVE_TO_OTHERS if staying else ():
            cursor.execute(statement, values)
        for statement in taken_days.TAKE:
            cursor.execute(statement, values)
        cursor.execute("SELECT batch_id, line FROM kept WHERE line IS NOT NULL")
        conflicts = cursor.fetchall()
    for batch_id, line in conflicts:
        _send_again(batch_id, line)
    order.position, order.attempts = day, 0
    order.kept += staying + len(conflicts)
    order.days_done += 1
    order.save(update_fields=["position", "attempts", "kept", "days_done"])


def _send_again(batch_id: int, line: int) -> None:
    """What was a conflict with a record that is gone is the first of its id now."""
    kept = QuarantinedLine.objects.filter(
        batch=batch_id, line=line, fate=QuarantinedLine.Fate.CONFLICT
    )
    kept.update(discarded_at=None)
    replay.replay(list(kept))


@transaction.atomic
def _take_tellings(order: TakeBack) -> None:
    """What the batches told of accounts and releases counts no more."""
    _alone()
    batches = list(order.taken.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(taken_days.TOUCH_TOLD, {"order": order.pk})
    account_history.exclude(batches)
    records = ReleaseRecord.objects.filter(batch_id__in=batches)
    models = set(records.values_list("model", flat=True))
    records.delete()
    for model in models:
        _correct_release(model)
    order.accounts = order.touched.count()
    _move_on(order, Step.ACCOUNTS, "accounts")


def _correct_release(model: str) -> None:
    left = ReleaseRecord.objects.filter(model=model).order_by("released_at").first()
    release = ModelRelease.objects.filter(model=model)
    if left is None:
        release.delete()
    else:
        release.update(released_at=left.released_at)


@transaction.atomic
def _correct_some(order: TakeBack) -> bool:
    """Makes some touched accounts what the rest tells of them; False when all are."""
    touched = list(
        TakeBackAccount.objects.filter(take_back=order, is_corrected=False)
        .order_by("account_id")
        .values_list("account_id", flat=True)[:ACCOUNTS_AT_ONCE]
    )
    if not touched:
        return False
    _alone()
    untold = AccountRecord.objects.filter(
        account_id__in=touched,
        excluded_at__isnull=False,
        batch_id__in=order.taken.values("pk"),
    )
    untold_of = set(untold.values_list("account_id", flat=True))
    changed = {account.pk for account in accounts.rebuild(untold_of)}
    values: dict[str, Any] = {"order": order.pk, "accounts": touched}
    with connection.cursor() as cursor:
        for statement in (*taken_days.SEEN, taken_days.FIRST_SEEN):
            cursor.execute(statement, values)
        cursor.execute(taken_days.NOTHING_LEFT, values)
        gone = _forget([pk for (pk,) in cursor.fetchall()])
    marks.mark_accounts(changed - gone)
    TakeBackAccount.objects.filter(take_back=order, account_id__in=touched).update(
        is_corrected=True
    )
    return True


def _forget(pks: Iterable[int]) -> set[int]:
    """Deletes accounts of which nothing is left; gives those that are gone.

    One that people have judged stays, as a name without any facts.
    """
    going = set(pks)
    while going:
        try:
            with transaction.atomic():
                Account.objects.filter(pk__in=going).delete()
        except ProtectedError as error:
            held = {
                getattr(each, "account_id", None) for each in error.protected_objects
            }
            if not held & going:
                raise
            going -= held
        else:
            return going
    return set()
