"""A kept line says what was wrong with it, and nothing that a customer wrote."""

import json
from typing import Any

import pytest
from django.conf import settings

from ingest import fingerprints
from ingest.drain import writers
from ingest.mending import replay
from ingest.mending.masking import MOST_BYTES, Masker
from ingest.models import Event, QuarantinedLine
from tests.ingest.records import a_request, an_account

KEY = fingerprints.subkey(settings.HASH_KEY, "fingerprint")
MAIL_KEY = fingerprints.subkey(settings.HASH_KEY, "mailbox")
SECRET = "Teach me everything about my neighbour"


def masked(record: Any) -> bytes:
    raw = record if isinstance(record, bytes) else json.dumps(record).encode()
    return Masker(KEY, MAIL_KEY).mask(raw)


def test_texts_become_the_fingerprints_that_storing_would_have_made():
    record = a_request(prompt=SECRET, system_prompt=SECRET, response=SECRET, model=7)
    kept = json.loads(masked(record))
    assert kept == {
        **a_request(model=7),
        "prompt_fingerprint": str(fingerprints.fingerprint(SECRET, KEY)),
        "system_hash": fingerprints.system_hash(SECRET, KEY),
        "response_hash": fingerprints.response_hash(SECRET, KEY),
    }


def test_an_address_becomes_its_domain_and_its_hash():
    kept = json.loads(masked(an_account(email="Mary.Smith@Example.com", plan="gold")))
    assert kept["email_domain"] == "example.com"
    assert len(kept["email_hash"]) == 32
    assert "email" not in kept


def test_a_line_with_nothing_private_is_kept_byte_for_byte():
    raw = b'{ "type":"request",  "model" : 7, "input_tokens": 1e2 }'
    assert masked(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"request","prompt":"%s","model":',
        b'{"prompt":"%s","prompt":"%s"}',
        b'{"system_prompt" : "a \\" b %s',
        b'{"response":"%s\\',
        b'{"input_tokens":NaN,"response":"%s"}',
        b'\xff{"prompt":"%s"}',
        b'{"email":"%s@example.org"',
    ],
)
def test_what_cannot_be_read_keeps_its_bytes_without_the_texts(raw):
    kept = masked(raw.replace(b"%s", SECRET.encode()))
    assert b"neighbour" not in kept
    assert kept[:2] == raw[:2]


@pytest.mark.parametrize(
    "raw",
    [
        b"no JSON joe.bloggs@example.org at all",
        b'{"account_id": joe.bloggs@example.org}',
        json.dumps(a_request(model=7, contact="joe.bloggs@example.org")).encode(),
        json.dumps(a_request(model=7, notes=["joe.bloggs@example.org"])).encode(),
        json.dumps(
            a_request(model=7, messages=[{"content": "joe.bloggs@a.b"}])
        ).encode(),
        b"call +49 170 123 45 67 (joe.bloggs@example.org)",
    ],
)
def test_an_address_in_any_corner_is_masked(raw):
    kept = masked(raw)
    assert b"joe" not in kept
    assert b"170" not in kept


def test_a_long_unknown_field_is_taken_for_text_and_can_still_be_renamed():
    text = SECRET * 10
    kept = json.loads(masked(a_request(promt=text)))
    assert kept["promt"] == str(fingerprints.fingerprint(text, KEY))


def test_a_huge_line_is_cut():
    assert len(masked(b"x" * 1_000_000)) == MOST_BYTES


def test_keeping_a_flood_of_texts_stays_cheap(monkeypatch):
    made: list[str] = []

    def make(text: str, key: bytes) -> str:
        made.append(text)
        return "f1:"

    monkeypatch.setattr(fingerprints, "fingerprint", make)
    masker = Masker(KEY, MAIL_KEY, budget=1000)
    for n in range(50):
        kept = masker.mask(json.dumps(a_request(prompt=f"{n}" * 100, model=7)).encode())
        assert b'"prompt":' not in kept
    assert len(made) < 12


def test_a_masked_line_is_worth_as_much_when_it_is_replayed(deliver):
    deliver(a_request(prompt=SECRET, system_prompt=SECRET, input_tokens=-1))
    line = QuarantinedLine.objects.get()
    assert SECRET.encode() not in bytes(line.raw)
    fixed = bytes(line.raw).replace(b'tokens":-1', b'tokens":1')
    writers.store_batch(replay.replace(line, fixed).pk)
    deliver(a_request(event_id="plain", prompt=SECRET, system_prompt=SECRET))
    replayed, plain = Event.objects.order_by("-event_id")[::-1]
    assert replayed.skeleton_hash == plain.skeleton_hash is not None
    assert replayed.system_hash == plain.system_hash


def test_a_conflicting_line_keeps_no_text_either(deliver):
    deliver(a_request(), a_request(prompt=SECRET))
    line = QuarantinedLine.objects.get()
    assert line.code == "conflict"
    assert SECRET.encode() not in bytes(line.raw)


def test_the_reason_repeats_no_address(deliver):
    deliver(a_request(operation="joe.bloggs@example.org"), a_request())
    line = QuarantinedLine.objects.get()
    assert "joe" not in line.message
    assert "‹mail›" in line.message


@pytest.mark.parametrize("field", ["prompt", "response", "surprise"])
def test_half_of_a_surrogate_pair_does_not_stop_the_masking(field):
    raw = f'{{"type": "request", "{field}": "{SECRET * 10}\\ud800"}}'.encode()
    assert SECRET.encode() not in masked(raw)


def test_an_address_with_half_a_pair_is_kept_as_its_hash():
    raw = b'{"type": "account", "email": "jo\\ud800@example.com"}'
    assert set(json.loads(masked(raw))) == {"type", "email_domain", "email_hash"}
