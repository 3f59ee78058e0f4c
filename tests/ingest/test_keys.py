"""Keys: hashed, found by prefix, in force or not, and only for what they are for."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ingest.doors.errors import KeyNotInForce, UnknownKey, WrongScope
from ingest.models import IngestKey
from ingest.senders import keys
from ingest.senders.quotas import Limits, limits_of

WRITE = "ingest:write"


def test_a_key_opens_what_its_scope_says(source):
    key, secret = keys.issue_key(source=source, name="k", scopes=[WRITE])
    assert keys.authenticate(secret, WRITE) == key
    with pytest.raises(WrongScope, match="read"):
        keys.authenticate(secret, "read")


def test_the_secret_is_kept_nowhere(source):
    key, secret = keys.issue_key(source=source, name="k", scopes=[WRITE])
    mark, prefix, hidden = secret.split("_")
    assert (mark, prefix) == ("sw", key.prefix)
    assert hidden not in str(IngestKey.objects.values().get())
    assert hidden.encode() not in bytes(key.secret_sha256)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda secret: "",
        lambda secret: secret[:-1],
        lambda secret: secret + "0",
        lambda secret: secret.replace("sw_", "ws_"),
        lambda secret: "sw_" + "0" * 12 + secret[15:],
        lambda secret: "sw_\x00_" + secret,
        lambda secret: secret.upper(),
        lambda secret: "é" + secret,
        lambda secret: "sw__" + secret,
    ],
)
def test_a_spoilt_key_is_unknown(source, spoil):
    _, secret = keys.issue_key(source=source, name="k", scopes=[WRITE])
    with pytest.raises(UnknownKey):
        keys.authenticate(spoil(secret), WRITE)


def test_a_revoked_key_is_unknown(source):
    key, secret = keys.issue_key(source=source, name="k", scopes=[WRITE])
    keys.revoke_key(key)
    with pytest.raises(UnknownKey):
        keys.authenticate(secret, WRITE)


def test_an_expired_key_is_unknown(source, clock):
    soon = timezone.now() + timedelta(hours=1)
    _, secret = keys.issue_key(source=source, name="k", scopes=[WRITE], expires_at=soon)
    assert keys.authenticate(secret, WRITE)
    clock.shift(timedelta(hours=1))
    with pytest.raises(UnknownKey):
        keys.authenticate(secret, WRITE)


def test_last_use_is_noted_at_most_once_a_minute(
    source, clock, django_assert_num_queries
):
    _, secret = keys.issue_key(source=source, name="k", scopes=[WRITE])
    first = keys.authenticate(secret, WRITE).last_used_at
    clock.shift(timedelta(seconds=59))
    with django_assert_num_queries(1):
        assert keys.authenticate(secret, WRITE).last_used_at == first
    clock.shift(timedelta(seconds=2))
    assert keys.authenticate(secret, WRITE).last_used_at == timezone.now()


def test_a_scope_that_does_not_exist_is_refused(source):
    with pytest.raises(ValueError, match="everything"):
        keys.issue_key(source=source, name="k", scopes=["everything"])


# --- Rotation (promises.md 94) ---------------------------------------------------


def test_a_rotated_key_and_its_successor_both_open_until_the_overlap_ends(
    source, clock
):
    old, old_secret = keys.issue_key(
        source=source, name="eu-1", scopes=[WRITE], networks=["203.0.113.0/24"]
    )
    new, new_secret = keys.rotate_key(old, overlap=timedelta(hours=6), made_by="ada")
    for secret in (old_secret, new_secret):
        assert keys.authenticate(secret, WRITE, address="203.0.113.7")
    clock.shift(timedelta(hours=6))
    assert keys.authenticate(new_secret, WRITE, address="203.0.113.7") == new
    with pytest.raises(UnknownKey):
        keys.authenticate(old_secret, WRITE, address="203.0.113.7")


def test_a_successor_may_what_its_predecessor_might(source):
    limits = Limits(rows_per_minute=7, bytes_per_day=0)
    old, _ = keys.issue_key(
        source=source,
        name="eu-1",
        scopes=[WRITE],
        networks=["203.0.113.0/24"],
        limits=limits,
        expires_at=timezone.now() + timedelta(days=90),
    )
    new, _ = keys.rotate_key(old, made_by="ada")
    assert (new.source, new.name, new.scopes) == (source, "eu-1", [WRITE])
    assert (new.networks, limits_of(new)) == (["203.0.113.0/24"], limits)
    assert (new.replaces, new.made_by) == (old, "ada")
    assert new.expires_at == timezone.now() + timedelta(days=90)


def test_an_overlap_never_prolongs_a_key(source):
    soon = timezone.now() + timedelta(hours=1)
    old, _ = keys.issue_key(source=source, name="k", scopes=[WRITE], expires_at=soon)
    keys.rotate_key(old, overlap=timedelta(hours=24))
    assert old.expires_at == soon


def test_a_key_not_in_force_cannot_be_rotated(source):
    key, _ = keys.issue_key(source=source, name="k", scopes=[WRITE])
    keys.revoke_key(key)
    with pytest.raises(KeyNotInForce):
        keys.rotate_key(key)
    assert IngestKey.objects.count() == 1
