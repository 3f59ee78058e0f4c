"""promises.md section 4, 88 to 94 and what only shows over several requests: keys and
their use, accounts that change, texts that a page must show without running them."""

import io
import json
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from ingest.doors import api, arriving
from ingest.drain import account_history, writers
from ingest.ledger import ledger
from ingest.models import (
    Account,
    Batch,
    Event,
    Excerpt,
    IngestKey,
    KeyBlock,
    QuarantinedLine,
    RefusedRequest,
)
from ingest.senders import keys, quotas
from ingest.texts import excerpts
from investigations.actions.keys import audit_key_news
from investigations.models import AuditEntry
from tests.conftest import NOW
from tests.ingest.fixtures import URL, Gateway
from tests.ingest.records import a_request, an_account, ndjson, requests
from tests.investigations.scenes import WHY

WRITE = ["ingest:write"]


def new_key(source, **told) -> tuple[IngestKey, Gateway]:
    key, secret = keys.issue_key(source=source, name="k", scopes=WRITE, **told)
    return key, Gateway(secret)


# --- What only a second request shows ---------------------------------------------


def test_4_what_a_cut_request_held_can_be_sent_again(gateway, monkeypatch):
    body = ndjson(requests(3))
    with monkeypatch.context() as cut:
        cut.setattr(arriving, "read", lambda *args: body[:50])
        refused = gateway.post(body)
    assert (refused.status_code, refused.json()["code"]) == (400, "incomplete_body")
    assert not Batch.objects.exists()
    assert gateway.post(body).json()["accepted"] == 3
    writers.store_pending()
    assert Event.objects.count() == 3


def test_14_an_unknown_field_is_kept_out_and_counted(gateway):
    answer = gateway.send(a_request(colour="red"), a_request(event_id="2", colour=1))
    assert (answer.status_code, answer.json()["rejected"]) == (202, 0)
    batch = Batch.objects.get()
    assert batch.unknown_fields == {"colour": 2}
    assert gateway.get(str(batch.batch_id)).json()["unknown_fields"] == {"colour": 2}


def test_22_an_unknown_account_is_a_stub_until_its_record_comes(gateway):
    gateway.send(a_request())
    writers.store_pending()
    stub = Account.objects.get()
    assert (stub.external_id, stub.plan) == ("acct-1", None)
    gateway.send(an_account(plan="team"))
    writers.store_pending()
    assert Account.objects.get().plan == "team"
    assert Account.objects.get().pk == stub.pk


def test_23_an_account_that_changes_hands_keeps_its_history(gateway):
    for day, domain in (("01", "lab.example"), ("02", "firm.example")):
        gateway.send(
            an_account(updated_at=f"2026-11-{day}T00:00:00Z", email_domain=domain)
        )
    writers.store_pending()
    (change,) = account_history.changes(Account.objects.get().pk)
    assert (change.before, change.after) == ("lab.example", "firm.example")


class Drip(io.BytesIO):
    """A byte now and then, until the answer is out."""

    answered = threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.answered.wait(0.02)
        return super().read(1) if not self.answered.is_set() else b""


@pytest.fixture
def clock_of_the_body(monkeypatch):
    """The pace is measured while the clock of the records stands still."""
    with time_machine.travel(NOW, tick=True):
        yield


def test_32_a_body_that_drips_gives_up_its_place(secret, settings, clock_of_the_body):
    settings.INGEST_BODY_GRACE, settings.INGEST_BODY_PACE = 0.1, 32 * 1024
    body = ndjson([a_request()])
    environ = RequestFactory().generic("POST", URL).environ | {
        "wsgi.input": Drip(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-ndjson",
        "HTTP_AUTHORIZATION": f"Bearer {secret}",
    }
    answer = api.Telemetry.as_view()(WSGIRequest(environ))
    Drip.answered.set()
    assert answer.status_code == 408
    assert json.loads(answer.content)["code"] == "body_too_slow"
    assert answer["Connection"] == "close"
    assert not Batch.objects.exists()


@pytest.fixture
def every_prompt_drawn(monkeypatch):
    monkeypatch.setattr(excerpts, "HIGHEST", 2**63 - 1)


HOSTILE = [
    ("37 script", "<script>alert(1)</script></textarea> {{7*7}}", "&lt;script&gt;"),
    ("38 marks", "say \u202egnp.exe\u202c and \u200bthis", "U+202E"),
]


@pytest.mark.parametrize(("said", "shown"), [c[1:] for c in HOSTILE], ids=["37", "38"])
def test_what_an_excerpt_says_is_kept_as_it_is_and_shown_as_text(
    gateway, every_prompt_drawn, signed_in, ana, said, shown
):
    gateway.send(a_request(prompt=said))
    writers.store_pending()
    assert Excerpt.objects.get().text == said
    page = signed_in(ana).post(
        reverse("accounts:excerpts", args=["acct-1"]), {"reason": WHY}
    )
    assert page.status_code == 200
    assert shown in page.text
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text


def test_39_who_claims_to_be_another_source_is_refused(gateway):
    answer = gateway.send(a_request(), X_Stillwatch_Source="another")
    assert (answer.status_code, answer.json()["code"]) == (403, "source_mismatch")
    assert not Batch.objects.exists()
    own = gateway.send(a_request(), X_Stillwatch_Source="gateway")
    assert own.status_code == 202


def test_40_a_flood_is_told_to_wait_and_nothing_is_half_stored(source):
    quotas._seen.clear()
    _, gateway = new_key(source, limits=quotas.Limits(rows_per_minute=10))
    assert gateway.send(*requests(8)).status_code == 202
    refused = gateway.send(*requests(8, turn=2), "not json")
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert 1 <= int(refused["Retry-After"]) <= 120
    writers.store_pending()
    assert (Event.objects.count(), QuarantinedLine.objects.count()) == (8, 0)
    (row,) = ledger()
    assert (row.received, row.stored) == (8, 8)
    assert RefusedRequest.objects.get().code == "quota_exceeded"


# --- Keys -------------------------------------------------------------------------


def test_89_the_use_of_a_dead_key_is_in_the_audit_log(source):
    key, gateway = new_key(source)
    keys.revoke_key(key)
    assert gateway.send(a_request()).json()["code"] == "unknown_key"
    audit_key_news()
    entry = AuditEntry.objects.get(verb__startswith="key.")
    assert key.prefix in f"{entry.object_ref} {entry.detail}"


def test_92_a_key_bound_to_addresses_opens_from_there_only(source):
    _, gateway = new_key(source, networks=["203.0.113.0/24"])
    answer = gateway.send(a_request())
    assert (answer.status_code, answer.json()["code"]) == (403, "address_not_allowed")
    assert not Batch.objects.exists()


def test_92_a_settled_key_that_turns_up_elsewhere_is_an_alarm(source, clock):
    _, secret = keys.issue_key(source=source, name="k", scopes=WRITE)

    def send_from(address: str) -> None:
        Client(REMOTE_ADDR=address).post(
            URL,
            ndjson([a_request()]),
            content_type="application/x-ndjson",
            headers={"Authorization": f"Bearer {secret}"},
        )

    send_from("203.0.113.7")
    clock.shift(timedelta(days=8))
    send_from("203.0.113.7")
    send_from("198.51.100.1")
    alarm = KeyBlock.objects.get(is_alarming=True)
    assert alarm.block == "198.51.100.0/24"


def test_93_a_keys_name_is_shown_and_not_run(signed_in, ada, source):
    name = "<script>alert(1)</script>\u202elive"
    keys.issue_key(source=source, name=name, scopes=WRITE)
    page = signed_in(ada).get(reverse("settings:keys")).text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


def test_94_two_keys_overlap_until_the_time_that_was_set(source, clock):
    old, before = new_key(source)
    _, secret = keys.rotate_key(old, overlap=timedelta(hours=6), made_by="ada")
    after = Gateway(secret)
    assert before.send(a_request()).status_code == 202
    assert after.send(a_request()).status_code == 202
    clock.shift(timedelta(hours=6))
    assert before.send(a_request()).status_code == 401
    assert after.send(a_request()).status_code == 202


def test_refused_bytes_are_in_the_ledger(gateway):
    gateway.post(b"hello\n")
    refused = RefusedRequest.objects.get()
    assert (refused.code, refused.count, refused.byte_count) == ("not_json", 1, 6)
