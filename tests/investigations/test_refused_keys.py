"""A key that is shown after it died: somebody still has it, and people hear of it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ingest.doors.errors import UnknownKey
from ingest.models import KeyRefusal
from ingest.senders import keys
from investigations.actions.keys import audit_refused_keys
from investigations.models import AuditEntry
from tests.factories import SourceFactory

WRITE = "ingest:write"


@pytest.fixture
def dead_key(db) -> tuple[str, str]:
    """Prefix and secret of a revoked key."""
    key, secret = keys.issue_key(source=SourceFactory(), name="old", scopes=[WRITE])
    keys.revoke_key(key)
    return key.prefix, secret


def show(secret: str) -> None:
    with pytest.raises(UnknownKey):
        keys.authenticate(secret, WRITE)


def test_its_use_is_in_the_audit_log(dead_key):
    prefix, secret = dead_key
    show(secret)
    assert audit_refused_keys() == 1
    entry = AuditEntry.objects.get(verb="key.refused")
    assert (entry.object_ref, entry.detail["name"]) == (prefix, "old")


def test_it_is_written_down_once_however_often_it_is_tried(dead_key):
    for _ in range(3):
        show(dead_key[1])
    assert audit_refused_keys() == 1
    assert audit_refused_keys() == 0


def test_an_expired_key_is_told_apart_from_a_revoked_one(db):
    gone = timezone.now() - timedelta(minutes=1)
    _, secret = keys.issue_key(
        source=SourceFactory(), name="k", scopes=[WRITE], expires_at=gone
    )
    show(secret)
    assert KeyRefusal.objects.get().why == "expired"


def test_leo_sees_on_the_ingest_page_that_somebody_still_has_it(
    dead_key, leo, signed_in
):
    show(dead_key[1])
    assert "still shown" in signed_in(leo).get(reverse("ingest:overview")).text
