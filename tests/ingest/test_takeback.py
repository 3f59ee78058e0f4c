"""Taking back what one key sent: equal to a run that never had it (promises.md I12)."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.forms.models import model_to_dict

from ingest.drain import takeback, writers
from ingest.ledger import ledger
from ingest.models import (
    Account,
    AccountDay,
    Batch,
    Event,
    EventKey,
    IngestKey,
    ModelRelease,
    ResponseHash,
    Sighting,
    Source,
    TakeBack,
    Template,
    TemplateCandidate,
)
from ingest.rolling import rollups
from ingest.senders import keys
from investigations.detection import labels
from investigations.detection.models import Label
from tests.ingest.records import a_release, a_request, an_account, ndjson

WRITE = "ingest:write"
Send = Callable[..., Batch]


@pytest.fixture
def send(source: Source) -> Send:
    """Sends records with the key of this name, and stores them at once."""

    def deliver(name: str, *records: Any, **promise: str) -> Batch:
        key = source.keys.filter(name=name).first()
        if key is None:
            key, _ = keys.issue_key(source=source, name=name, scopes=[WRITE])
        origin = writers.Origin(source, key, "http", promise.get("promise"))
        return writers.store_batch(writers.accept([ndjson(records)], origin).pk)

    return deliver


def take_back(name: str = "bad") -> TakeBack:
    key = IngestKey.objects.get(name=name)
    order = takeback.exclude(
        Batch.objects.filter(key=key), by="ada", reason="The key leaked.", key=key
    )
    takeback.proceed(order)
    writers.store_pending()
    rollups.refresh_stale()
    return order


def facts() -> dict[str, Any]:
    """Everything that detection reads, by names that do not depend on the run."""
    rollups.refresh_stale()
    names = dict(Account.objects.values_list("pk", "external_id"))
    days = {
        (names[day.account_id], day.day): model_to_dict(day, exclude=["id", "account"])
        for day in AccountDay.objects.all()
    }
    return {
        "accounts": {
            each.external_id: model_to_dict(each, exclude=["id"])
            for each in Account.objects.all()
        },
        "days": days,
        "sightings": set(
            Sighting.objects.values_list(
                "account__external_id",
                "indicator__kind",
                "indicator__value",
                "first_seen_on",
                "last_seen_on",
                "count",
            )
        ),
        "events": sorted(
            Event.objects.values_list(
                "event_id", "account__external_id", "occurred_at", "model", "skewed"
            )
        ),
        "answers": sorted(
            (answer, names[account], at)
            for answer, account, at in ResponseHash.objects.values_list(
                "response_hash", "account_id", "occurred_at"
            )
        ),
        "releases": set(ModelRelease.objects.values_list("model", "released_at")),
        "templates": set(Template.objects.values_list("skeleton_hash", flat=True)),
        "candidates": {
            # Which three of many is chance, and nobody asks.
            (skeleton, len(accounts))
            for skeleton, accounts in TemplateCandidate.objects.values_list(
                "skeleton_hash", "account_ids"
            )
        },
        "records": EventKey.objects.count(),
    }


@contextmanager
def another_run() -> Iterator[None]:
    """What is stored within is forgotten afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_events_of_one_key_alone_are_gone_with_their_account(send):
    with another_run():
        send("good", a_request(event_id="g"))
        without = facts()
    send("good", a_request(event_id="g"))
    send("bad", a_request(event_id="b", account_id="acct-2", response="an answer"))
    assert facts() != without
    order = take_back()
    assert facts() == without
    assert (order.step, order.records, order.accounts) == ("done", 1, 1)


@pytest.mark.django_db(transaction=True)
def test_who_stored_before_knows_of_accounts_that_are_gone_or_younger(send):
    """What a worker remembers of accounts ends with the take-back."""
    late, early = "2026-11-18T11:00:00Z", "2026-11-18T10:00:00Z"
    send("good", a_request(event_id="g", account_id="known", occurred_at=late))
    send("bad", a_request(event_id="b", account_id="gone"))
    send("bad", a_request(event_id="e", account_id="known", occurred_at=early))
    take_back()
    assert not Account.objects.filter(external_id="gone").exists()
    between = "2026-11-18T10:30:00Z"
    send("good", a_request(event_id="n", account_id="gone", occurred_at=between))
    send("good", a_request(event_id="m", account_id="known", occurred_at=between))
    seen = dict(Account.objects.values_list("external_id", "first_seen_at"))
    assert {name: f"{at:%H:%M}" for name, at in seen.items()} == {
        "gone": "10:30",
        "known": "10:30",
    }
    assert Event.objects.get(event_id="n").account.external_id == "gone"


def test_an_event_that_another_key_sent_too_stays_for_its_sake(send):
    bad = send("bad", a_request(event_id="x"), a_request(event_id="only-bad"))
    good = send("good", a_request(event_id="x"))
    order = take_back()
    event = Event.objects.get()
    assert (event.event_id, event.batch_id) == ("x", good.pk)
    assert event.received_at == good.received_at
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.stored, good.duplicates, bad.excluded) == (1, 0, 2)
    assert order.kept == 1


def test_what_came_in_one_transaction_with_its_first_copy_stays_too(source):
    bad, _ = keys.issue_key(source=source, name="bad", scopes=[WRITE])
    good, _ = keys.issue_key(source=source, name="good", scopes=[WRITE])
    for key in (bad, good):
        writers.accept([ndjson([a_request()])], writers.Origin(source, key))
    writers.store_pending()
    take_back()
    assert Event.objects.count() == 1


def test_a_conflict_with_what_is_gone_becomes_the_event(send):
    with another_run():
        send("good", a_request(event_id="x", model="true"))
        without = facts()
    send("bad", a_request(event_id="x", model="forged"))
    assert send("good", a_request(event_id="x", model="true")).conflicts == 1
    take_back()
    assert facts() == without
    assert Event.objects.get().model == "true"


def test_an_event_that_a_good_key_sent_first_is_not_touched(send):
    first = send("good", a_request(event_id="x"))
    send("bad", a_request(event_id="x"))
    take_back()
    assert Event.objects.get().batch_id == first.pk


def test_the_same_ids_can_be_sent_again_by_another_key(send):
    send("bad", a_request(event_id="x"), promise="once")
    take_back()
    batch = send("good", a_request(event_id="x"), promise="once")
    assert (batch.stored, batch.duplicates) == (1, 0)


def test_what_a_bad_key_told_of_an_account_is_untold(send):
    told = an_account(plan="team", updated_at="2026-11-01T00:00:00Z")
    with another_run():
        send("good", told, a_request())
        without = facts()
    send("good", told, a_request())
    send("bad", an_account(plan="free", organization="Victim", referrer="r"))
    assert Account.objects.get().organization == "Victim"
    take_back()
    assert facts() == without


def test_what_two_keys_told_alike_stays_told(send):
    with another_run():
        send("good", an_account(plan="team"), a_release())
        without = facts()
    send("bad", an_account(plan="team"), a_release())
    send("good", an_account(plan="team"), a_release())
    take_back()
    assert facts() == without


def test_a_release_goes_back_to_what_the_others_told(send):
    send("good", a_release(released_at="2026-11-05T00:00:00Z"))
    send("bad", a_release(released_at="2020-01-01T00:00:00Z"), a_release(model="no"))
    take_back()
    assert [(model, at.date().isoformat()) for model, at in facts()["releases"]] == [
        ("nova-2", "2026-11-05")
    ]


def test_a_batch_that_waits_is_never_stored(source):
    key, _ = keys.issue_key(source=source, name="bad", scopes=[WRITE])
    writers.accept([ndjson([a_request()])], writers.Origin(source, key))
    take_back()
    assert not Event.objects.exists()
    batch = Batch.objects.get()
    assert (batch.state, batch.payload, batch.stored) == ("stored", None, 1)


def test_a_template_that_only_bad_accounts_shared_is_forgotten(send):
    def sharing(key: str, *accounts: str) -> None:
        for account in accounts:
            prompt = f'Please translate "{account}" into French for me, all of it'
            send(key, a_request(event_id=account, account_id=account, prompt=prompt))

    with another_run():
        sharing("good", "anna")
        without = facts()
    sharing("good", "anna")
    sharing("bad", "berta", "carla", "dora")
    assert Template.objects.exists()
    take_back()
    assert facts() == without


def test_the_ledger_closes_and_says_what_was_taken_out(send):
    send("bad", *[a_request(event_id=f"{n}") for n in range(5)], "not json")
    send("good", a_request(event_id="0"), a_request(event_id="new"))
    take_back()
    assert all(row.adds_up for row in ledger())
    assert sum(row.excluded for row in ledger()) == 5


def test_an_order_that_was_cut_off_goes_on_where_it_stopped(send, monkeypatch):
    days = ("2026-11-16", "2026-11-17", "2026-11-18")
    send("bad", *[a_request(event_id=d, occurred_at=f"{d}T08:00:00Z") for d in days])
    key = IngestKey.objects.get(name="bad")
    order = takeback.exclude(Batch.objects.all(), by="ada", reason="…", key=key)
    take_day = takeback._take_day

    def die_on_the_third(order, day):
        if day.day == 18:
            raise RuntimeError("out of memory")
        take_day(order, day)

    with monkeypatch.context() as broken, pytest.raises(RuntimeError):
        broken.setattr(takeback, "_take_day", die_on_the_third)
        takeback.proceed(order)
    order.refresh_from_db()
    assert (order.days, order.days_done, Event.objects.count()) == (3, 2, 1)
    assert "out of memory" in order.error
    takeback.proceed(order)
    assert (order.step, order.error, Event.objects.count()) == ("done", "", 0)


def test_batches_are_taken_back_once(send):
    send("bad", a_request())
    assert take_back().batches == 1
    assert take_back().batches == 0


@pytest.mark.parametrize("seed", range(5))
def test_any_mixture_without_the_bad_key_is_the_run_without_it(send, seed):
    """Records of three keys, shuffled, half of them sent by two."""
    chance = random.Random(seed)
    sent = [(chance.choice("abc"), record) for record in mixture(chance)]
    sent += [(chance.choice("abc"), record) for _, record in chance.sample(sent, 60)]
    with another_run():
        for key, record in sent:
            if key != "a":
                send(key, record)
        without = facts()
    for key, record in sent:
        send(key, record)
    take_back("a")
    assert facts() == without


def mixture(chance: random.Random) -> Iterator[Any]:
    for n in range(90):
        account = f"acct-{chance.randrange(12)}"
        hour, minute = chance.randrange(24), chance.randrange(60)
        at = f"2026-11-{chance.randrange(10, 15)}T{hour:02}:{minute:02}:00Z"
        yield a_request(
            event_id=f"ev-{n}",
            account_id=account,
            occurred_at=at,
            client_ip=f"203.0.113.{chance.randrange(4)}",
            payment_fingerprint=chance.choice([None, "pm-1", "pm-2"]),
            prompt=f"Tell me about number {chance.randrange(3)} in detail please",
            response=f"answer {chance.randrange(30)}",
        )
        if chance.random() < 0.3:
            yield an_account(
                account_id=account,
                updated_at=at,
                plan=chance.choice(["free", "team"]),
                organization=chance.choice(["Acme", "Bolt", None]),
            )


def test_an_account_that_people_judged_stays_as_a_name(send):
    send("bad", an_account(plan="team"), a_request())
    judged = Account.objects.get()
    send("bad", a_request(event_id="2", account_id="acct-2"))
    labels.record(
        account_ids=[judged.pk],
        kind=Label.Kind.BENIGN,
        reason="A known customer.",
        given_by="D-1",
        at=judged.first_seen_at,
    )
    take_back()
    left = Account.objects.get()
    assert (left.pk, left.plan) == (judged.pk, None)
    assert Label.objects.filter(account=judged).exists()
