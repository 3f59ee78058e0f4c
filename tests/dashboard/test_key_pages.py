"""/settings/keys/<prefix>/: one key, its successor, its bounds and its end."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ingest.doors.errors import AddressNotAllowed
from ingest.drain import takeback, writers
from ingest.models import Batch, Event, IngestKey, TakeBack
from ingest.senders import key_blocks, keys, quotas
from investigations.actions.keys import audit_key_news
from investigations.models import AuditEntry
from tests.factories import SourceFactory
from tests.ingest.records import ndjson, requests

pytestmark = pytest.mark.django_db
WRITE = "ingest:write"


@pytest.fixture
def admin(signed_in, ada):
    return signed_in(ada)


@pytest.fixture
def key(db) -> IngestKey:
    return keys.issue_key(source=SourceFactory(), name="edge-1", scopes=[WRITE])[0]


def at(key: IngestKey, verb: str = "") -> str:
    return f"/settings/keys/{key.prefix}/{verb}"


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("sequence")


NEW_KEY = {"source": "edge", "name": "eu-1", "scopes": [WRITE], "days": ""}


def test_a_new_key_is_bound_as_it_was_asked(admin):
    bounds = {"networks": "203.0.113.7\n2001:db8::/48", "rows_per_minute": "500"}
    page = admin.post("/settings/keys/issue/", {**NEW_KEY, **bounds}).text
    assert "The new key" in page
    key = IngestKey.objects.get()
    assert key.networks == ["203.0.113.7/32", "2001:db8::/48"]
    assert (key.rows_per_minute, key.rows_per_day, key.made_by) == (500, None, "ada")
    assert last_entry().detail["limits"] == {"rows_per_minute": 500}


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"networks": "203.0.113.7/24"}, "Did you mean 203.0.113.0/24"),
        ({"networks": "everywhere"}, "is no address"),
        ({"rows_per_day": "-1"}, "greater than or equal to 0"),
    ],
)
def test_bounds_that_cannot_be_are_told_beside_their_field(admin, key, bounds, says):
    for url in ("/settings/keys/issue/", at(key, "change/")):
        answer = admin.post(url, {**NEW_KEY, **bounds})
        assert answer.status_code == 422
        assert says in answer.text
    assert IngestKey.objects.get().networks == []


def test_bounds_are_changed_and_audited_with_what_they_were(admin, key):
    admin.post(at(key, "change/"), {"networks": "10.0.0.0/8", "bytes_per_day": "0"})
    key.refresh_from_db()
    assert (key.networks, key.bytes_per_day) == (["10.0.0.0/8"], 0)
    entry = last_entry()
    assert entry.verb == "key.changed"
    assert entry.detail["before"] == {"networks": [], "limits": {}}
    assert entry.detail["after"]["networks"] == ["10.0.0.0/8"]


def test_a_rotated_keys_successor_is_shown_once(admin, key):
    page = admin.post(at(key, "rotate/"), {"hours": "24"}).text
    [secret] = set(re.findall(r"sw_[0-9a-f]{12}_[0-9a-f]{64}", page))
    successor = keys.authenticate(secret, WRITE)
    assert (successor.replaces, successor.made_by) == (key, "ada")
    key.refresh_from_db()
    assert timezone.now() < key.expires_at <= timezone.now() + timedelta(hours=24)
    assert secret not in admin.get(at(successor)).text
    entry = last_entry()
    assert (entry.verb, entry.object_ref) == ("key.rotated", key.prefix)
    assert entry.detail["successor"] == successor.prefix


def test_a_revoked_key_cannot_be_rotated(admin, key):
    keys.revoke_key(key)
    answer = admin.post(at(key, "rotate/"), {"hours": "24"})
    assert answer.status_code == 409
    assert IngestKey.objects.count() == 1


def test_the_page_shows_where_a_key_was_used_and_what_it_sent(admin, key, settings):
    settings.INGEST_ROWS_PER_DAY = 1234
    key_blocks.note(key.pk, "203.0.113.7", timezone.now())
    key.blocks.create(
        block="198.51.100.0/24",
        first_used_at=timezone.now(),
        last_used_at=timezone.now(),
        is_alarming=True,
    )
    page = admin.get(at(key)).text
    assert "203.0.113.0/24" in page
    assert "new place" in page
    assert "1,234" in page
    assert "new place" in admin.get("/settings/keys/").text


def test_a_new_place_and_a_forbidden_address_are_audited(db):
    key, secret = keys.issue_key(
        source=SourceFactory(), name="k", scopes=[WRITE], networks=["10.0.0.0/8"]
    )
    with pytest.raises(AddressNotAllowed):
        keys.authenticate(secret, WRITE, address="203.0.113.7")
    key.blocks.create(
        block="198.51.100.0/24",
        first_used_at=timezone.now(),
        last_used_at=timezone.now(),
        is_alarming=True,
    )
    assert audit_key_news() == 2
    assert audit_key_news() == 0
    entries = dict(AuditEntry.objects.values_list("verb", "detail"))
    assert entries["key.refused"]["address"] == "203.0.113.7"
    assert entries["key.seen_elsewhere"]["block"] == "198.51.100.0/24"


# --- Taking back ------------------------------------------------------------------

REASON = "The key was found in a public repository."


@pytest.fixture
def sent(key: IngestKey) -> IngestKey:
    origin = writers.Origin(key.source, key)
    writers.store_batch(writers.accept([ndjson(requests(3))], origin).pk)
    return key


def order(admin: Client, key: IngestKey, **changes: str):
    told = {"reason": REASON, "confirmation": key.prefix, **changes}
    return admin.post(at(key, "take-back/"), told)


def test_what_would_be_taken_out_is_counted_first(admin, sent):
    page = re.sub(r"<[^>]+>", " ", admin.get(at(sent, "take-back/")).text)
    assert re.search(r"Records\s+3", page)
    assert re.search(r"Accounts\s+1", page)
    assert re.search(r"Days\s+1", page)
    assert not TakeBack.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"confirmation": "yes"}, {"confirmation": ""}, {"reason": "leaked"}]
)
def test_nothing_happens_without_a_reason_and_the_typed_prefix(admin, sent, changes):
    assert order(admin, sent, **changes).status_code == 422
    sent.refresh_from_db()
    assert sent.revoked_at is None
    assert not TakeBack.objects.exists()


def test_an_order_revokes_the_key_and_runs_to_its_end(admin, sent):
    assert order(admin, sent).status_code == 302
    sent.refresh_from_db()
    assert sent.revoked_at
    assert last_entry().verb == "key.take_back_ordered"
    assert last_entry().detail["records"] == 3
    assert "every 3s" in admin.get(at(sent)).text
    assert takeback.go_on() == 1
    assert not Event.objects.exists()
    page = admin.get(at(sent, "progress/")).text
    assert "done" in page
    assert "every 3s" not in page
    assert "1 of 1" in page


def test_the_end_is_audited_with_its_figures(admin, sent):
    order(admin, sent)
    takeback.go_on()
    assert audit_key_news() == 1
    entry = last_entry()
    assert (entry.verb, entry.reason) == ("key.taken_back", REASON)
    assert entry.detail["records"] == 3
    assert entry.detail["asked_by"] == "ada"


def test_an_order_that_fails_three_times_stops_and_says_why(admin, sent, monkeypatch):
    order(admin, sent)

    def die(*args: object) -> None:
        raise RuntimeError("no room <b>left</b>")

    monkeypatch.setattr(takeback, "_take_day", die)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            takeback.go_on()
    assert takeback.go_on() == 0
    page = admin.get(at(sent)).text
    assert "stopped" in page
    assert "no room &lt;b&gt;left" in page
    assert "every 3s" not in page
    assert Batch.objects.get().excluded == 0


def test_quotas_are_shown_as_they_are_used(admin, sent):
    assert quotas.use_of(sent, timezone.now()).day_rows == 3
    assert re.search(r"Records today.{0,60}>3<", admin.get(at(sent)).text)
