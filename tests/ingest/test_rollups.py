"""Account-days and sightings: the same rows from the same events in any order."""

import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection

from ingest.models import (
    Account,
    AccountDay,
    Event,
    EventKey,
    Indicator,
    Sighting,
    StaleDay,
    UnsummedBatch,
)
from ingest.rolling import rollups
from tests.ingest.orders import everything, some_traffic
from tests.ingest.records import a_request, an_account, an_activity

AGENT = "OpenAI/Python 1.52.0"


@pytest.fixture
def roll_up(deliver):
    def deliver_and_roll_up(*records: Any) -> AccountDay | None:
        deliver(*records)
        rollups.refresh_stale()
        return AccountDay.objects.order_by("day").last()

    return deliver_and_roll_up


def test_a_day_is_the_sum_of_its_events(roll_up):
    day = roll_up(
        a_request(cached_input_tokens=7, tool_count=2, http_status=500),
        a_request(event_id="2", reasoning_tokens=9, image_count=1, model="nova-3"),
        an_activity(),
    )
    assert (day.requests, day.failures) == (2, 1)
    assert (day.input_tokens, day.output_tokens) == (200, 400)
    assert (day.cached_input_tokens, day.reasoning_tokens) == (7, 9)
    assert (day.tool_requests, day.image_requests) == (1, 1)
    assert day.by_model == {"nova-2": 1, "nova-3": 1}
    assert day.hours[9] == sum(day.hours) == 2
    assert day.intents == {"tool_use": 1, "vision": 1}


def test_conversations_and_single_shots(roll_up):
    day = roll_up(
        a_request(conversation_id="long", turn=1),
        a_request(event_id="2", conversation_id="long", turn=2),
        a_request(event_id="3", conversation_id="alone", turn=1),
        a_request(event_id="4", conversation_id="left over", turn=8),
        a_request(event_id="5"),
    )
    assert (day.conversations, day.single_shots) == (3, 1)


def test_a_session_starts_with_a_conversation_or_after_half_an_hour(roll_up):
    def at(clock: str, n: int, **told: Any) -> dict[str, Any]:
        return a_request(event_id=f"{n}", occurred_at=f"2026-11-18T{clock}Z", **told)

    day = roll_up(
        at("01:00:00", 1, turn=3),
        at("01:29:00", 2, turn=4),
        at("02:00:00", 3, turn=5),
        at("02:06:00", 4, turn=1),
    )
    assert (day.session_hours[1], day.session_hours[2]) == (1, 2)


def test_a_day_tells_that_its_first_session_may_have_begun_the_evening_before(roll_up):
    late = a_request(occurred_at="2026-11-16T23:50:00Z", turn=3)
    early = a_request(event_id="2", occurred_at="2026-11-17T00:12:00Z", turn=4)
    roll_up(early)
    day = roll_up(late)
    assert (day.day, day.requests, sum(day.session_hours)) == (date(2026, 11, 17), 1, 1)
    assert day.resumed_at == datetime(2026, 11, 17, 0, 10, tzinfo=UTC)


def test_a_day_that_begins_with_a_conversation_resumed_nothing(roll_up):
    assert roll_up(a_request(turn=1)).resumed_at is None


def test_shared_values_are_sighted_with_first_and_last_day(roll_up):
    shown = {"client_ip": "198.51.100.9", "device_id": "d", "user_agent": AGENT}
    roll_up(
        a_request(occurred_at="2026-11-10T00:00:00Z", **shown),
        a_request(event_id="2", tools_hash="t", system_hash="s", **shown),
        an_activity(kind="payment_added", payment_fingerprint="card"),
    )
    seen = {
        (sighting.indicator.kind, sighting.indicator.value): sighting
        for sighting in Sighting.objects.select_related("indicator")
    }
    assert seen.keys() == {
        ("address", "198.51.100.9"),
        ("block", "198.51.100.0/24"),
        ("device", "d"),
        ("client_stack", "-|openai/python/1"),
        ("tools", "t"),
        ("system", "s"),
        ("payment", "card"),
    }
    address = seen["address", "198.51.100.9"]
    days = (address.first_seen_on.day, address.last_seen_on.day, address.count)
    assert days == (10, 18, 2)


def test_an_ipv6_address_is_blocked_by_48_bits(roll_up):
    roll_up(a_request(client_ip="2001:db8:1:2::3"))
    block = Indicator.objects.get(kind="block")
    assert block.value == "2001:db8:1::/48"


def test_what_an_accounts_record_tells_is_sighted_on_its_first_day(roll_up):
    roll_up(
        an_account(
            created_at="2026-11-05T10:00:00Z",
            email="a.b@lab.example",
            phone_hash="p",
            payment_fingerprint="card",
            signup_ip="198.51.100.9",
            signup_device_id="d",
            referrer="r",
        )
    )
    kinds = Sighting.objects.values_list("indicator__kind", flat=True)
    assert sorted(kinds) == [
        "address",
        "block",
        "device",
        "email",
        "email_domain",
        "payment",
        "phone",
        "referrer",
    ]
    assert {each.first_seen_on.day for each in Sighting.objects.all()} == {5}


def test_a_public_mail_domain_is_no_indicator(roll_up):
    roll_up(an_account(email="somebody@gmail.com"))
    assert not Indicator.objects.filter(kind="email_domain").exists()
    assert Indicator.objects.filter(kind="email").count() == 1


def test_a_value_that_a_newer_record_replaced_is_sighted_no_more(roll_up):
    roll_up(an_account(phone_hash="old"))
    roll_up(an_account(phone_hash="new", updated_at="2026-11-18T10:00:00Z"))
    sighting = Sighting.objects.select_related("indicator").get()
    assert sighting.indicator.value == "new"


@pytest.mark.parametrize(
    "device",
    ["tab\tbreak\nreturn\r", "back\\slash \\N \\t", '"quote', "\\N", "Å\u2028é"],
)
def test_whatever_a_client_calls_itself_is_sighted_word_for_word(roll_up, device):
    day = roll_up(a_request(device_id=device), a_request(event_id="2", device_id="d"))
    assert day.indicators["device"] == {device: 1, "d": 1}
    assert Indicator.objects.filter(kind="device", value=device).exists()


def test_a_day_keeps_its_twenty_most_used_skeletons(roll_up):
    prompts = ["Write about gulls and rats"] * 3
    prompts += ["tell me" + " again" * n for n in range(30)]
    day = roll_up(
        *(a_request(event_id=f"{n}", prompt=text) for n, text in enumerate(prompts))
    )
    assert len(day.skeletons) == 20
    assert max(day.skeletons.values()) == 3
    assert day.distinct_skeletons == 31


def test_a_late_event_opens_its_day_again(roll_up):
    roll_up(a_request(occurred_at="2026-11-10T10:00:00Z"))
    roll_up(a_request(event_id="2", occurred_at="2026-11-10T08:00:00Z"))
    assert AccountDay.objects.get().requests == 2


def test_a_day_without_events_has_no_row(roll_up):
    roll_up(an_account(created_at="2026-11-01T00:00:00Z"))
    assert not AccountDay.objects.exists()
    assert not StaleDay.objects.exists()


def test_refreshing_again_changes_nothing(roll_up):
    roll_up(*some_traffic(random.Random(1)))
    before = everything()
    for account in Account.objects.all():
        StaleDay.objects.create(account=account, day=date(2026, 11, 18))
    rollups.refresh_stale()
    assert everything() == before


def test_batches_far_apart_are_added_together_and_nothing_between_them(deliver):
    for n in range(40):
        a_batch_number_further_on(1000)
        deliver(a_request(event_id=f"{n}", account_id=f"far-{n}"))
        deliver(a_request(event_id=f"{n} again", account_id=f"near-{n}"))
    waiting = list(UnsummedBatch.objects.order_by("batch_id"))
    for stored in waiting[1::2]:
        stored.delete()
    rollups.refresh_stale()
    added = AccountDay.objects.values_list("account__external_id", "requests")
    assert sorted(added) == sorted((f"far-{n}", 1) for n in range(40))


def a_batch_number_further_on(step):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(sequence, nextval(sequence) + %s) FROM "
            "(SELECT pg_get_serial_sequence('ingest_batch', 'id')) AS own (sequence)",
            [step],
        )


def test_only_the_hours_of_a_batch_change_and_they_add_up(deliver):
    for n, hour in enumerate((3, 3, 21, 4)):
        deliver(a_request(event_id=f"{n}", occurred_at=f"2026-11-18T{hour:02}:30:00Z"))
        rollups.refresh_stale()
    day = AccountDay.objects.get()
    assert {hour: n for hour, n in enumerate(day.hours) if n} == {3: 2, 4: 1, 21: 1}


def test_a_limit_takes_some_accounts_and_leaves_the_marks_of_the_others(deliver):
    deliver(*(a_request(event_id=f"{n}", account_id=f"a{n}") for n in range(5)))
    rollups.refresh_stale()
    AccountDay.objects.all().delete()
    rollups.mark((each.pk, date(2026, 11, 18)) for each in Account.objects.all())
    rollups.refresh_stale(limit=2)
    assert AccountDay.objects.count() == 2
    assert StaleDay.objects.values("account").distinct().count() == 3
    rollups.refresh_stale()
    assert AccountDay.objects.count() == 5


def test_taking_back_a_batch_leaves_what_would_be_there_without_it(deliver):
    good, bad = a_request(output_tokens=1), a_request(event_id="2", output_tokens=5)
    gone = a_request(event_id="3", account_id="gone")
    deliver(good)
    batch = deliver(bad, gone)
    rollups.refresh_stale()
    rollups.mark_batches([batch.pk])
    for model in (Event, EventKey):
        model._default_manager.filter(batch_id=batch.pk).delete()
    batch.delete()
    rollups.refresh_stale()
    left = AccountDay.objects.values_list(
        "account__external_id", "requests", "output_tokens"
    )
    assert list(left) == [("acct-1", 1, 1)]
