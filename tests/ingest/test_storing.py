"""Each event once, however often, however split, and first wins."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from ingest.drain import storing, writers
from ingest.models import (
    Account,
    Batch,
    Event,
    EventKey,
    ModelRelease,
    QuarantinedLine,
    ResponseHash,
    Template,
    UnsummedBatch,
)
from ingest.selectors import batch_report
from tests.factories import SourceFactory
from tests.ingest.records import (
    a_release,
    a_request,
    an_account,
    an_activity,
    ndjson,
    requests,
)


def test_every_field_of_a_request_arrives(deliver):
    told = {
        "api_key_id": "key-7",
        "operation": "completion",
        "cached_input_tokens": 5,
        "reasoning_tokens": 6,
        "max_tokens": 4096,
        "temperature": 0.7,
        "latency_ms": 1234,
        "http_status": 429,
        "finish_reason": "length",
        "stream": True,
        "tool_count": 3,
        "image_count": 2,
        "conversation_id": "conv-1",
        "turn": 4,
        "asn": 64500,
        "country": "DE",
        "user_agent": "OpenAI/Python 1.52.0",
        "ja4": "t13d1516h2_8daaf6152771_b0da82dd1658",
        "device_id": "dev-1",
        "tools_hash": "tools",
        "system_hash": "system",
        "response_hash": "answer",
        "prior_response_hashes": ["one", 'tw"o', "th\\ree"],
    }
    deliver(a_request(client_ip="192.0.2.7", **told))
    event = Event.objects.get()
    assert {name: getattr(event, name) for name in told} == told
    assert event.client_ip == "192.0.2.7"
    assert event.client_stack == f"{told['ja4']}|openai/python/1"
    assert event.occurred_at == datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
    assert event.account.external_id == "acct-1"


def test_text_with_every_awkward_character_comes_back_as_it_was(deliver):
    agent = 'a"b\\c\td\re\nf,g]\n[h{i}\\.\x1b[31m\u202eé漢😀null'
    deliver(a_request(user_agent=agent), a_request(event_id="2", user_agent="null"))
    stored = Event.objects.order_by("event_id").values_list("user_agent", flat=True)
    assert list(stored) == ["null", agent]


def test_empty_text_is_no_value(deliver):
    deliver(a_request(device_id="", client_ip="", country="", user_agent="", ja4=""))
    event = Event.objects.get()
    assert (event.device_id, event.client_ip, event.client_stack) == (None, None, None)


def test_defaults_are_those_of_the_contract(deliver):
    deliver(a_request())
    event = Event.objects.get()
    assert (event.operation, event.http_status) == ("chat", 200)


def test_an_unknown_account_is_a_stub_until_its_record_comes(deliver):
    deliver(a_request())
    assert Account.objects.get().updated_at is None
    deliver(an_account(plan="team"))
    account = Account.objects.get()
    assert (account.plan, account.updated_at is None) == ("team", False)


def test_a_batch_sent_again_is_all_duplicates(deliver):
    records = [*requests(5), an_activity(), an_account(), a_release()]
    assert deliver(*records).stored == 8
    again = deliver(*reversed(records))
    assert (again.stored, again.duplicates) == (0, 8)
    assert Event.objects.count() == 6


def test_the_same_content_in_another_spelling_is_a_duplicate(deliver):
    deliver(a_request(temperature=1, stream=None))
    again = deliver(
        a_request(
            temperature=1.0, operation="chat", occurred_at="2026-11-18T10:30:00+01:00"
        )
    )
    assert again.duplicates == 1


def test_the_same_id_with_other_content_is_kept_as_a_conflict(deliver):
    deliver(a_request())
    batch = deliver(a_request(input_tokens=999))
    line = QuarantinedLine.objects.get()
    assert (batch.conflicts, batch.stored, line.fate) == (1, 0, "conflict")
    assert Event.objects.get().input_tokens == 100
    assert b"999" in bytes(line.raw)


def test_two_sources_may_use_the_same_event_id(deliver):
    deliver(a_request())
    assert deliver(a_request(), by=SourceFactory()).stored == 1
    assert Event.objects.count() == 2


def test_an_event_lands_in_the_day_it_happened(deliver):
    deliver(
        a_request(occurred_at="2026-11-18T00:30:00+02:00"),
        a_request(event_id="2", occurred_at="2025-12-01T00:00:00Z"),
    )
    days = sorted(key.occurred_on.isoformat() for key in EventKey.objects.all())
    assert days == ["2025-12-01", "2026-11-17"]
    assert Event.objects.count() == 2


def test_a_clock_ahead_is_flagged_and_both_times_are_kept(deliver):
    batch = deliver(
        a_request(occurred_at="2026-11-18T12:10:01Z"),
        a_request(event_id="2", occurred_at="2026-11-18T12:09:59Z"),
    )
    assert batch_report(batch)["clock_ahead"] == 1
    flagged = Event.objects.get(skewed=True)
    assert flagged.event_id == "ev-1"
    assert flagged.received_at == datetime(2026, 11, 18, 12, tzinfo=UTC)


def test_long_texts_are_cut_and_the_exchange_is_kept(deliver):
    deliver(a_request(user_agent="é" * 2000, prompt="p" * 40_000, response="r" * 9))
    event = Event.objects.get()
    assert len(event.user_agent or "") == 1024
    assert event.cut_fields == ["user_agent", "prompt"]
    assert event.skeleton_hash is not None


def test_no_text_is_kept_anywhere(deliver):
    from django.db import connection

    canary = "unmistakable canary sentence"
    deliver(
        a_request(prompt=canary, system_prompt=canary, response=canary),
        an_account(email="canary.person+tag@example.org"),
    )
    assert Batch.objects.get().payload is None
    with connection.cursor() as cursor:
        for model in (Event, Account, Batch, Template, ResponseHash, QuarantinedLine):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            assert "canary" not in str(cursor.fetchall())


def test_a_gateways_fingerprint_is_as_good_as_the_text(deliver):
    from ingest.fingerprints import fingerprint

    text = "Explain step by step how “tides” work to 3 pupils."
    written = str(fingerprint(text, storing.fingerprint_key()))
    deliver(a_request(prompt=text), a_request(event_id="2", prompt_fingerprint=written))
    one, two = Event.objects.order_by("event_id")
    assert one.skeleton_hash == two.skeleton_hash
    assert (one.slot_hash, one.intents) == (two.slot_hash, two.intents)


def test_an_answer_is_found_again_by_its_hash(deliver):
    from ingest.fingerprints import response_hash

    deliver(a_request(response="The tide  is high.", conversation_id="c"))
    kept = ResponseHash.objects.get()
    key = storing.fingerprint_key()
    assert kept.response_hash == response_hash("The tide is high.", key)
    assert (kept.conversation_id, kept.account.external_id) == ("c", "acct-1")


def test_a_template_is_kept_in_words_from_the_third_account_on(deliver):
    for n in range(2):
        for turn in range(3):
            deliver(
                a_request(
                    event_id=f"{n}-{turn}",
                    account_id=f"a{n}",
                    prompt=f'Write {turn + 2} lines about "{n}".',
                )
            )
    assert not Template.objects.exists()
    deliver(a_request(account_id="a2", prompt='Write 99 lines about "love".'))
    assert Template.objects.get().text == "write ‹number› lines about ‹quote›."


def test_the_earliest_release_time_counts(deliver):
    deliver(a_release(released_at="2026-11-10T00:00:00Z"))
    deliver(a_release(released_at="2026-11-09T00:00:00Z"))
    deliver(a_release(released_at="2026-11-11T00:00:00Z"))
    assert ModelRelease.objects.get().released_at.day == 9


def test_first_seen_is_the_earliest_time_told(deliver):
    deliver(a_request(occurred_at="2026-11-10T00:00:00Z"))
    deliver(a_request(event_id="2", occurred_at="2026-11-03T00:00:00Z"))
    deliver(a_request(event_id="3", occurred_at="2026-11-05T00:00:00Z"))
    assert Account.objects.get().first_seen_at.day == 3


def test_a_stored_batch_says_how_many_events_there_are_to_sum_and_where(deliver):
    batch = deliver(
        a_request(),
        a_request(event_id="2", occurred_at="2026-11-10T23:45:00Z"),
        an_activity(),
        an_account(),
    )
    waiting = UnsummedBatch.objects.get()
    assert (waiting.batch_id, waiting.events) == (batch.pk, 3)
    assert (waiting.first_on.day, waiting.last_on.day) == (10, 18)


def test_hidden_duplicates_in_merged_batches_are_counted_with_their_batch(source):
    origin = writers.Origin(source)
    first = writers.accept([ndjson(requests(3))], origin)
    second = writers.accept([ndjson(requests(4))], origin)
    assert writers.store_pending() == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.stored, first.duplicates) == (3, 0)
    assert (second.stored, second.duplicates) == (1, 3)


@pytest.mark.parametrize("seed", range(5))
def test_a_re_split_re_ordered_retry_adds_nothing(deliver, seed):
    rng = random.Random(seed)
    records = [*requests(60), *(an_activity(event_id=f"a{n}") for n in range(20))]
    for _ in range(3):
        rng.shuffle(records)
        cut = rng.randrange(1, 79)
        deliver(*records[:cut])
        deliver(*records[cut:])
    assert Event.objects.count() == 80
    assert sum(Batch.objects.values_list("stored", flat=True)) == 80


def test_an_activity_carries_its_payment(deliver):
    deliver(an_activity(kind="payment_added", payment_fingerprint="card-1"))
    event = Event.objects.get()
    assert (event.kind, event.payment_fingerprint) == ("payment_added", "card-1")


def test_a_day_far_back_within_the_retention_is_made_when_needed(deliver, source):
    long_ago = datetime(2026, 11, 18, tzinfo=UTC) - timedelta(days=395)
    assert deliver(a_request(occurred_at=long_ago.isoformat())).stored == 1
