"""PostgreSQL remembers the work: deaths, poison and races lose and double nothing."""

import threading
import time
import weakref
from contextlib import suppress
from datetime import date, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from ingest.drain import partitions, storing, writers
from ingest.ledger import ledger
from ingest.models import Batch, Event, EventKey, Source
from tests.ingest.records import a_request, an_account, ndjson, requests


@pytest.fixture
def accepted(source):
    return writers.accept([ndjson(requests(10))], writers.Origin(source))


def die(*args: object, **options: object) -> None:
    raise RuntimeError("out of memory")


def test_a_batch_whose_hint_was_lost_is_found(accepted):
    assert writers.store_pending() == 1
    assert Event.objects.count() == 10
    assert writers.store_pending() == 0


def test_storing_a_batch_twice_stores_it_once(accepted):
    writers.store_batch(accepted.pk)
    assert writers.store_batch(accepted.pk).stored == 10
    assert Event.objects.count() == 10


def test_a_worker_that_died_holds_its_batch_for_the_lease_only(accepted, wait):
    # Claimed, and then the process was gone.
    assert writers._claim(Batch.objects.all(), limit=1)
    assert writers.store_pending() == 0
    wait()
    assert writers.store_pending() == 1
    assert Event.objects.count() == 10


@pytest.fixture
def wait(clock):
    """Time passes until a failed or abandoned batch may be tried again."""
    return lambda: clock.shift(writers.LEASE + timedelta(seconds=1))


def test_a_failure_after_the_copy_leaves_no_half_batch(accepted, monkeypatch, wait):
    with monkeypatch.context() as broken:
        broken.setattr(storing, "_note_stored", die)
        writers.store_batch(accepted.pk)
    assert (Event.objects.count(), EventKey.objects.count()) == (0, 0)
    accepted.refresh_from_db()
    assert (accepted.state, accepted.error) == (
        "pending",
        "RuntimeError: out of memory",
    )
    assert writers.store_batch(accepted.pk).state == "pending"
    wait()
    assert writers.store_batch(accepted.pk).stored == 10


def test_a_poisonous_batch_is_parked_with_its_reason(accepted, monkeypatch, wait):
    monkeypatch.setattr(storing, "_note_stored", die)
    for _ in range(3):
        writers.store_pending()
        wait()
    accepted.refresh_from_db()
    assert accepted.state == "parked"
    assert "out of memory" in accepted.error
    assert accepted.payload


def test_a_batch_that_kills_its_worker_is_parked_too(accepted, wait):
    for _ in range(3):
        assert writers._claim(Batch.objects.all(), limit=1)
        wait()
    writers.store_pending()
    accepted.refresh_from_db()
    assert accepted.state == "parked"
    assert "without an answer" in accepted.error


def test_poison_does_not_stop_the_batches_beside_it(source, monkeypatch, wait):
    origin = writers.Origin(source)
    bad = writers.accept([ndjson([a_request(model="poison")])], origin)
    good = writers.accept([ndjson(requests(10))], origin)
    store = storing.store

    def store_or_die(parts, tally):
        records = [each for part in parts for each in part.records]
        if any(getattr(each, "model", "") == "poison" for each in records):
            die()
        store(parts, tally)

    monkeypatch.setattr(storing, "store", store_or_die)
    writers.store_pending()
    assert Event.objects.count() == 10
    for _ in range(2):
        wait()
        writers.store_pending()
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.state, good.stored, bad.state) == ("stored", 10, "parked")


def test_a_database_that_goes_away_is_no_fault_of_the_batch(accepted, monkeypatch):
    def gone(*args, **options):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(storing, "store", gone)
    for _ in range(5):
        with pytest.raises(OperationalError):
            writers.store_pending()
    accepted.refresh_from_db()
    assert (accepted.state, accepted.attempts) == ("pending", 0)


def a_source() -> Source:
    return Source.objects.create(name="gateway")


def test_batches_are_merged_only_as_far_as_memory_goes(source, monkeypatch):
    origin = writers.Origin(source)
    for n in range(4):
        writers.accept([ndjson([a_request(event_id=f"{n}")])], origin)
    size = Batch.objects.earliest("pk").byte_count
    monkeypatch.setattr(writers, "MERGED_BYTES", size * 3)
    assert len(writers._claim(Batch.objects.all(), limit=50)) == 3


def test_batches_are_merged_only_as_far_as_one_copy_goes(source, monkeypatch):
    """A transaction that names accounts twice may wait for another in a ring."""
    origin = writers.Origin(source)
    for n in range(4):
        records = [a_request(event_id=f"{n}-{each}") for each in range(5)]
        writers.accept([ndjson(records)], origin)
    monkeypatch.setattr(writers, "FLUSH_RECORDS", 12)
    assert len(writers._claim(Batch.objects.all(), limit=50)) == 2


def test_a_batch_that_lost_a_deadlock_is_stored_all_the_same(accepted, monkeypatch):
    really, tries = storing.store, iter([deadlocked, deadlocked])
    monkeypatch.setattr(storing, "store", lambda *args: next(tries, really)(*args))
    assert writers.store_pending() == 1
    accepted.refresh_from_db()
    assert (accepted.state, accepted.attempts) == ("stored", 1)


def deadlocked(*args: object) -> None:
    raise OperationalError("deadlock detected") from DeadlockDetected()


@pytest.mark.parametrize("failure", [OperationalError, RuntimeError])
def test_what_failed_does_not_hold_on_to_its_records(accepted, monkeypatch, failure):
    """Who reports the failure keeps it, and a worker must not grow with each."""
    held: list[weakref.ref[set[int]]] = []

    def fail(parts: object, tally: object) -> None:
        records = {1, 2, 3}
        held.append(weakref.ref(records))
        raise failures[0]

    failures = [failure("broken off")]
    monkeypatch.setattr(storing, "store", fail)
    with suppress(OperationalError):
        writers.store_pending()
    assert failures[0].__traceback__ is not None
    assert held[0]() is None


def in_threads(count, work):
    """Runs work(n) in threads that start together; raises what any of them raised."""
    failures: list[BaseException] = []
    gate = threading.Barrier(count)

    def run(n: int) -> None:
        gate.wait()
        try:
            work(n)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.django_db(transaction=True)
def test_senders_of_the_same_events_at_once_make_one_row_each():
    origin = writers.Origin(a_source())
    records = [*requests(200), an_account(plan="team")]

    def send(n: int) -> None:
        turned = records[n * 20 :] + records[: n * 20]
        batch = writers.accept([ndjson(turned)], origin)
        writers.store_batch(batch.pk)

    in_threads(6, send)
    while writers.store_pending():
        pass
    assert Event.objects.count() == 200
    assert EventKey.objects.count() == 201
    (row,) = ledger()
    assert row.adds_up
    assert (row.received, row.stored, row.duplicate) == (1206, 201, 1005)


@pytest.mark.django_db(transaction=True)
def test_those_who_meet_a_new_day_at_once_make_it_once():
    day, made = date(2024, 3, 15), []
    try:
        in_threads(4, lambda n: made.append(partitions.ensure_partitions([day])))
    finally:
        with connection.cursor() as cursor:
            name = partitions.partition_name(day)
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
    assert sorted(made) == [0, 0, 0, 1]


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_share_the_batches():
    origin = writers.Origin(a_source())
    for n in range(12):
        body = ndjson([a_request(event_id=f"{n}-{i}") for i in range(20)])
        writers.accept([body], origin)
    in_threads(4, lambda n: writers.store_pending())
    assert Event.objects.count() == 240
    assert not Batch.objects.exclude(state="stored").exists()


@pytest.mark.django_db(transaction=True)
def test_who_only_looks_for_work_keeps_nobody_from_what_is_claimed(monkeypatch):
    source = a_source()
    for n in range(3):
        writers.accept([ndjson([a_request(event_id=f"{n}")])], writers.Origin(source))
    claim, looking = writers._claim, threading.Event()

    def look_at_all(pks):
        with transaction.atomic():
            list(Batch.objects.filter(pk__in=pks).select_for_update())
            looking.set()
            time.sleep(0.05)
        connection.close()

    def claimed(*args, **options):
        batches = claim(*args, **options)
        if batches and not looking.is_set():
            pks = [batch.pk for batch in batches]
            threading.Thread(target=look_at_all, args=[pks]).start()
            looking.wait()
        return batches

    monkeypatch.setattr(writers, "_claim", claimed)
    writers.store_pending()
    assert Event.objects.count() == 3
    assert not Batch.objects.filter(state=Batch.State.PENDING).exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_idempotency_key_at_once_makes_one_batch():
    origin = writers.Origin(a_source(), idempotency_key="once")
    body = ndjson(requests(5))
    answers = []
    in_threads(4, lambda n: answers.append(writers.accept([body], origin).answer))
    assert Batch.objects.count() == 1
    assert all(answer == answers[0] for answer in answers)
