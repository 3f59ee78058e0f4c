"""What a skeleton is like is kept with it, whoever sent it and by which way."""

import random

import pytest
from django.core.management import call_command

from ingest import fingerprints
from ingest.drain import storing
from ingest.fingerprints import fingerprint
from ingest.models import Template, TemplateCandidate
from ingest.texts import templates
from tests.ingest.records import a_request

OLD = "f1:k=8c5b3bf6a1e90d27;s=02f4c7d1880ae3b6;i=1;w=6"  # as without sketches
TEXT = 'Write 3 lines about "love", please.'


def made(text: str = TEXT):
    return fingerprint(text, storing.fingerprint_key())


def sketched() -> list[tuple[int, bytes, bytes]]:
    rows = TemplateCandidate.objects.values_list("pk", "sketch", "embedding")
    return sorted((pk, bytes(one or b""), bytes(two or b"")) for pk, one, two in rows)


def test_a_new_skeleton_gets_its_sketches(deliver):
    deliver(a_request(prompt=TEXT))
    assert sketched() == [(made().skeleton, made().sketch, made().embedding)]


def test_a_gateways_sketches_are_taken_over(deliver):
    deliver(a_request(prompt_fingerprint=str(made())))
    assert sketched() == [(made().skeleton, made().sketch, made().embedding)]


def test_sketches_that_come_later_are_filled_in(deliver):
    old = str(made()).partition(";m=")[0]
    deliver(a_request(prompt_fingerprint=old))
    assert sketched() == [(made().skeleton, b"", b"")]
    deliver(a_request(event_id="2", prompt=TEXT))
    assert sketched() == [(made().skeleton, made().sketch, made().embedding)]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_does_not_matter(deliver, seed):
    texts = ["Why?", TEXT, "写诗", "Sum up:\n\nthis", "1 2 3", "  "]
    records = [
        a_request(event_id=f"{n}", account_id=f"a{n % 4}", prompt=texts[n % 6])
        for n in range(48)
    ]
    random.Random(seed).shuffle(records)
    for at in range(0, 48, 16):
        deliver(*records[at : at + 16])
    key = storing.fingerprint_key()
    whole = {fingerprint(text, key).skeleton: fingerprint(text, key) for text in texts}
    assert sketched() == sorted(
        (each.skeleton, each.sketch, each.embedding) for each in whole.values()
    )


def test_a_skeleton_that_tells_nothing_new_is_not_written_again(
    deliver, django_assert_num_queries
):
    for n in range(4):
        deliver(a_request(event_id=f"{n}", account_id=f"a{n}", prompt_fingerprint=OLD))
    told = fingerprints.parse(OLD)
    wordings: dict[int, templates.Wording] = {}
    templates.note(wordings, told, 5)
    with django_assert_num_queries(1):
        templates.store(wordings, storing.fingerprint_key())


def test_words_that_come_after_three_gateways_fingerprints_are_kept(deliver):
    for n in range(3):
        deliver(
            a_request(
                event_id=f"{n}", account_id=f"a{n}", prompt_fingerprint=str(made())
            )
        )
    assert not Template.objects.exists()
    deliver(a_request(event_id="text", prompt=TEXT))
    assert Template.objects.get().text == made().masked


def test_the_words_of_a_template_are_redacted(deliver):
    for n in range(templates.SHARED_BY):
        deliver(
            a_request(
                event_id=f"{n}",
                account_id=f"a{n}",
                prompt="Call my office on (030) 90 18 20 and ask, mary at lab dot org",
            )
        )
    text = Template.objects.get().text
    assert not any(char.isdigit() for char in text)
    assert "lab" not in text


def test_a_template_in_use_is_noted_once_a_day(deliver, clock):
    for n in range(4):
        deliver(a_request(event_id=f"{n}", account_id=f"a{n}", prompt=TEXT))
    clock.shift(86_400)
    deliver(a_request(event_id="later", account_id="a9", prompt=TEXT))
    seen = TemplateCandidate.objects.get()
    assert seen.seen_on.isoformat() == "2026-11-19"
    assert Template.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_template_that_nobody_sends_any_more_is_forgotten(deliver, clock):
    for n in range(4):
        deliver(a_request(event_id=f"{n}", account_id=f"a{n}", prompt=TEXT))
    deliver(a_request(event_id="other", prompt="Why?"))
    clock.shift(86_400 * 396)
    call_command("apply_retention")
    assert Template.objects.exists()
    clock.shift(86_400)
    call_command("apply_retention")
    assert not Template.objects.exists()
    assert not TemplateCandidate.objects.exists()
