"""What is past its day goes, what is held stays, and ingest waits for neither."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from ingest.drain import writers
from ingest.drain.partitions import existing_days
from ingest.keeping import event_days, holds, retention
from ingest.keeping.retention_kinds import KINDS
from ingest.ledger import ledger
from ingest.models import (
    Account,
    AccountDay,
    AccountRecord,
    Batch,
    Event,
    EventKey,
    Excerpt,
    IngestKey,
    KeyRefusal,
    LegalHold,
    LegalHoldAccount,
    QuarantinedLine,
    RetentionRun,
    Sighting,
    Source,
)
from ingest.rolling import rollups
from tests.conftest import NOW
from tests.ingest.records import a_request, an_account, ndjson

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = NOW.date()
OLD = TODAY - timedelta(days=100)
LAST_MONTH = TODAY - timedelta(days=31)


@pytest.fixture(autouse=True)
def short(settings):
    """Thirty days for everything, so that a test's old day is old."""
    for kind in KINDS:
        setattr(settings, kind.setting, 30)


@pytest.fixture
def long_ago(deliver, settings):
    """Delivers records that were within their time when they came."""

    def send(*records, **more) -> Batch:
        settings.RETENTION_EVENTS_DAYS = 3650
        batch: Batch = deliver(*records, **more)
        settings.RETENTION_EVENTS_DAYS = 30
        return batch

    return send


def asked(n: int, day: date, account: str = "acct-1", **told):
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=9)
    told = {"event_id": f"ev-{account}-{day}-{n}", "account_id": account} | told
    return a_request(occurred_at=at.isoformat(), **told)


def hold(**told) -> LegalHold:
    told.setdefault("scope", "accounts")
    return holds.place(reason="Preservation request 12", placed_by="leo", **told)


def key_of(external_id: str) -> int:
    return Account.objects.get(external_id=external_id).pk


def events() -> set[str]:
    return set(Event.objects.values_list("event_id", flat=True))


def outcome(found, key: str) -> tuple[int, int]:
    [one] = [each for each in found if each.kind.key == key]
    return one.dropped, one.held


# --- Age ----------------------------------------------------------------------------


def test_a_day_past_its_time_goes_with_its_partition(long_ago):
    long_ago(asked(1, OLD), asked(2, OLD), asked(3, TODAY))
    found = retention.apply()
    assert outcome(found, "events") == (2, 0)
    assert events() == {f"ev-acct-1-{TODAY}-3"}
    assert OLD not in existing_days()
    assert [row for row in ledger() if not row.adds_up] == []


def test_the_last_day_that_may_stay_stays(long_ago):
    long_ago(asked(1, TODAY - timedelta(days=30)), asked(2, TODAY - timedelta(31)))
    retention.apply()
    assert events() == {f"ev-acct-1-{TODAY - timedelta(30)}-1"}


def test_the_keys_of_dropped_events_go_and_a_repeat_is_too_old(long_ago, deliver):
    long_ago(asked(1, OLD))
    assert EventKey.objects.count() == 1
    retention.apply()
    assert EventKey.objects.count() == 0
    again = deliver(asked(1, OLD))
    assert (again.stored, again.refused) == (0, 1)
    assert again.lines.get().code == "too_old"


def test_sums_go_and_what_was_shared_is_what_remaining_days_show(long_ago):
    long_ago(
        asked(1, OLD, device_id="old-phone"), asked(2, TODAY, device_id="new-phone")
    )
    rollups.refresh_stale()
    retention.apply()
    rollups.refresh_stale()
    assert [row.day for row in AccountDay.objects.all()] == [TODAY]
    devices = Sighting.objects.filter(indicator__kind="device")
    assert [each.indicator.value for each in devices] == ["new-phone"]


def test_kept_lines_go_and_the_ledger_still_closes(deliver, clock):
    clock.move_to(NOW - timedelta(days=31))
    deliver("not json", asked(1, LAST_MONTH))
    clock.move_to(NOW)
    assert outcome(retention.apply(), "quarantine") == (1, 0)
    assert QuarantinedLine.objects.count() == 0
    assert [row for row in ledger() if not row.adds_up] == []


def test_the_body_of_a_batch_that_could_not_be_stored_goes(source, clock):
    clock.move_to(NOW - timedelta(days=31))
    body = ndjson([asked(1, LAST_MONTH)])
    batch = writers.accept([body], writers.Origin(source))
    Batch.objects.filter(pk=batch.pk).update(state="parked")
    clock.move_to(NOW)
    placed = hold(account_ids=[1])
    retention.apply()
    batch.refresh_from_db()
    assert batch.payload is not None
    holds.release(placed, reason="Over", released_by="leo")
    retention.apply()
    batch.refresh_from_db()
    assert batch.payload is None


def test_an_old_answer_goes_and_its_batch_stays(deliver, clock):
    clock.move_to(NOW - timedelta(days=31))
    batch = deliver(asked(1, LAST_MONTH))
    Batch.objects.filter(pk=batch.pk).update(answer={"a": 1}, idempotency_key="once")
    clock.move_to(NOW)
    retention.apply()
    batch.refresh_from_db()
    assert (batch.answer, batch.idempotency_key, batch.stored) == ({}, None, 1)


def test_the_log_of_refused_keys_goes(source):
    key = IngestKey.objects.create(
        source=source, name="k", prefix="p", secret_sha256=b"s"
    )
    for at in (NOW, NOW - timedelta(days=40)):
        KeyRefusal.objects.create(key=key, why="revoked", hour=at, refused_at=at)
    retention.apply()
    assert [each.hour for each in KeyRefusal.objects.all()] == [NOW]


def test_of_an_accounts_history_only_what_still_counts_stays(deliver):
    deliver(
        an_account(updated_at="2026-01-01T00:00:00Z", plan="free", phone_hash="p"),
        an_account(updated_at="2026-02-01T00:00:00Z", plan="team"),
        an_account(updated_at="2026-03-01T00:00:00Z", plan="enterprise"),
    )
    retention.apply()
    told = [record.told for record in AccountRecord.objects.order_by("updated_at")]
    assert told == [{"plan": "free", "phone_hash": "p"}, {"plan": "enterprise"}]


def test_a_dry_run_says_it_all_and_deletes_nothing(long_ago, capsys):
    long_ago(asked(1, OLD), asked(2, OLD, account="held"), asked(3, TODAY))
    hold(account_ids=[key_of("held")])
    call_command("apply_retention", "--dry-run")
    said = capsys.readouterr().out
    assert f"before {TODAY - timedelta(30)}: 1 to delete, 1 kept by legal holds" in said
    assert Event.objects.count() == 3
    assert not RetentionRun.objects.exists()


def test_each_run_is_on_record(long_ago):
    long_ago(asked(1, OLD))
    call_command("apply_retention")
    run = RetentionRun.objects.get(kind="events")
    assert (run.dropped, run.held, run.error) == (1, 0, "")
    assert run.finished_at is not None
    assert RetentionRun.objects.count() == len(KINDS)


# --- Holds --------------------------------------------------------------------------


def test_a_held_accounts_rows_stay_and_go_once_it_is_released(long_ago):
    long_ago(asked(1, OLD), asked(2, OLD, account="held"))
    rollups.refresh_stale()
    placed = hold(account_ids=[key_of("held")])
    assert outcome(retention.apply(), "events") == (1, 1)
    assert events() == {f"ev-held-{OLD}-2"}
    assert [row.account.external_id for row in AccountDay.objects.all()] == ["held"]
    assert [row for row in ledger() if not row.adds_up] == []
    assert holds.release(placed, reason="Closed", released_by="leo")
    assert outcome(retention.apply(), "events") == (1, 0)
    assert events() == set()
    assert not AccountDay.objects.exists()
    assert [row for row in ledger() if not row.adds_up] == []


def test_an_expired_hold_holds_nothing(long_ago):
    long_ago(asked(1, OLD))
    hold(scope="everything", expires_at=NOW - timedelta(seconds=1))
    retention.apply()
    assert events() == set()


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"scope": "everything"}, 4),
        ({"scope": "everything", "to_day": OLD - timedelta(days=1)}, 0),
        ({"scope": "everything", "from_day": OLD, "to_day": OLD}, 4),
        ({"scope": "organization", "organization_id": "org-1"}, 2),
        ({"scope": "organization", "organization_id": "org-2"}, 1),
        ({"scope": "source"}, 3),
    ],
)
def test_a_hold_covers_what_it_names(long_ago, source, told, kept):
    other = Source.objects.create(name="other")
    long_ago(
        asked(1, OLD, account="member"),
        an_account(account_id="member", organization_id="org-1"),
        asked(2, OLD, account="moved"),
        # One who left is held with the organisation that he left, too.
        an_account(
            account_id="moved",
            organization_id="org-1",
            updated_at="2026-11-01T00:00:00Z",
        ),
        an_account(
            account_id="moved",
            organization_id="org-2",
            updated_at="2026-11-02T00:00:00Z",
        ),
        asked(3, OLD),
    )
    long_ago(asked(4, OLD), by=other)
    if told["scope"] == "source":
        told = told | {"source": source}
    hold(**told)
    retention.apply()
    assert Event.objects.count() == kept


def test_a_kept_line_that_names_a_held_account_stays(deliver, clock):
    clock.move_to(NOW - timedelta(days=31))
    deliver(
        an_account(account_id="held", updated_at="2026-10-01T00:00:00Z"),
        asked(1, LAST_MONTH, account="held", input_tokens=-1),
        asked(2, LAST_MONTH, account="other", input_tokens=-1),
    )
    clock.move_to(NOW)
    hold(account_ids=[key_of("held")])
    assert outcome(retention.apply(), "quarantine") == (1, 1)
    assert b'"held"' in bytes(QuarantinedLine.objects.get().raw)


@pytest.mark.parametrize("model", [LegalHold, LegalHoldAccount])
def test_the_database_keeps_holds(long_ago, model):
    long_ago(asked(1, OLD))
    hold(account_ids=[key_of("acct-1")])
    refused = pytest.raises(DatabaseError, match="legal holds are kept")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table}")


def test_the_database_keeps_what_a_hold_covers(db):
    placed = hold(scope="everything")
    with pytest.raises(DatabaseError, match="is not changed"), transaction.atomic():
        LegalHold.objects.filter(pk=placed.pk).update(to_day=OLD)
    holds.release(placed, reason="Closed", released_by="leo")
    with pytest.raises(DatabaseError, match="is not changed"), transaction.atomic():
        LegalHold.objects.filter(pk=placed.pk).update(released_at=None)


# --- In the way of others -----------------------------------------------------------


def test_a_reader_of_the_day_delays_the_drop_and_nobody_else(
    long_ago, deliver, monkeypatch
):
    long_ago(asked(1, OLD))
    monkeypatch.setattr(event_days, "PATIENCE", "300ms")
    reader = connections.create_connection("default")
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM ingest_event")
            [found] = [each for each in retention.apply() if each.kind.key == "events"]
            assert "statement timeout" in found.error
            deliver(asked(2, TODAY), asked(3, TODAY - timedelta(days=7)))
    finally:
        reader.rollback()
        reader.close()
    assert outcome(retention.apply(), "events") == (1, 0)
    assert len(events()) == 2


def test_a_run_that_died_half_way_is_finished_by_the_next(long_ago, monkeypatch):
    long_ago(asked(1, OLD), asked(2, OLD, account="held"))
    hold(account_ids=[key_of("held")])
    with monkeypatch.context() as dying:
        dying.setattr(event_days, "_replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            retention.apply()
    assert OLD not in existing_days()
    assert outcome(retention.apply(), "events") == (1, 1)
    assert events() == {f"ev-held-{OLD}-2"}


def test_two_runs_at_once_are_one(db):
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [retention._RUN_LOCK])
            with pytest.raises(retention.AlreadyRunning):
                retention.apply()
    finally:
        other.close()


# --- Everything at once -------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_held_when_nothing_past_its_day_is_left_and_nothing_held_is_gone(
    long_ago, source, clock, seed
):
    dice = random.Random(seed)
    other = Source.objects.create(name="other")
    days = [TODAY - timedelta(days=n) for n in (1, 29, 30, 31, 32, 60, 61, 100)]
    names = [f"acct-{n}" for n in range(4)]
    for sender in (source, other):
        long_ago(
            *(
                asked(n, day, account=name, event_id=f"{name}{day}{n}{sender.pk}")
                for name in names
                for day in days
                for n in range(dice.randint(0, 2))
            ),
            *(
                an_account(account_id=name, organization_id=dice.choice("ab"))
                for name in names
            ),
            by=sender,
        )
    make_excerpts(days, dice)
    rollups.refresh_stale()
    placed: list[LegalHold] = []
    for _ in range(4):
        clock.shift(timedelta(hours=dice.randint(1, 30)))
        match dice.randint(0, 3):
            case 0 if placed:
                holds.release(dice.choice(placed), reason="Over", released_by="leo")
            case 1 | 2:
                placed.append(hold(**some_hold(dice, days, [source, other])))
        expected = [what_may_stay(model) for model in (Event, AccountDay, Excerpt)]
        retention.apply()
        for model, (stays, goes) in zip(
            (Event, AccountDay, Excerpt), expected, strict=True
        ):
            left = set(map(identity, model._default_manager.all()))
            assert stays <= left, f"{model.__name__}: held rows are gone"
            assert not goes & left, f"{model.__name__}: rows past their day are left"
        assert [row for row in ledger() if not row.adds_up] == []


def some_hold(dice, days, sources) -> dict[str, object]:
    first, last = sorted(dice.sample(days, 2))
    told: dict[str, object] = dice.choice(
        [{}, {"from_day": first}, {"to_day": last}, {"from_day": first, "to_day": last}]
    )
    if dice.random() < 0.3:
        told["expires_at"] = timezone.now() + timedelta(hours=dice.randint(1, 60))
    scope = dice.choice(["accounts", "organization", "source", "everything"])
    names = dice.sample(list(Account.objects.values_list("pk", flat=True)), 2)
    return told | {
        "scope": scope,
        "account_ids": names if scope == "accounts" else [],
        "organization_id": dice.choice("ab") if scope == "organization" else None,
        "source": dice.choice(sources) if scope == "source" else None,
    }


def make_excerpts(days, dice) -> None:
    for event in Event.objects.all():
        if dice.random() < 0.5:
            Excerpt.objects.create(
                source=event.source,
                event_id=event.event_id,
                account=event.account,
                occurred_at=event.occurred_at,
                day=event.occurred_at.date(),
                skeleton_hash=1,
                rank=1,
                text="…",
            )


def identity(row) -> tuple[object, ...]:
    if isinstance(row, AccountDay):
        return row.account_id, row.day
    return row.source_id, row.event_id


def what_may_stay(model) -> tuple[set[object], set[object]]:
    """Rows that a hold keeps although they are past their day, and those that go."""
    before = timezone.now().date() - timedelta(days=30)
    stays: set[object] = set()
    goes: set[object] = set()
    for row in model._default_manager.select_related("account"):
        day = row.day if hasattr(row, "day") else row.occurred_at.date()
        if day < before:
            (stays if is_held(row, day) else goes).add(identity(row))
    return stays, goes


def is_held(row, day: date) -> bool:
    """As a lawyer would say it, one hold after the other."""
    now = timezone.now()
    for each in LegalHold.objects.filter(released_at=None):
        if each.expires_at and each.expires_at <= now:
            continue
        if (each.from_day and day < each.from_day) or (
            each.to_day and day > each.to_day
        ):
            continue
        if each.scope == "everything":
            return True
        if each.scope == "source":
            # Sums do not tell their source: they stay with every source of the day.
            if isinstance(row, AccountDay) or row.source_id == each.source_id:
                return True
        elif each.scope == "organization":
            told = row.account.records.values_list("told__organization_id", flat=True)
            if each.organization_id in told:
                return True
        elif each.accounts.filter(account_id=row.account_id).exists():
            return True
    return False
