"""issue_key: what Settings → Keys can do, from the shell."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingest.models import IngestKey
from ingest.senders import keys

pytestmark = pytest.mark.django_db
WRITE = "ingest:write"


def issue(*words: str) -> str:
    out = io.StringIO()
    call_command("issue_key", *words, stdout=out)
    return out.getvalue().strip()


def test_a_key_is_made_with_all_it_may(clock):
    secret = issue(
        *("gateway", "--source", "edge", "--days", "30"),
        *("--allow", "203.0.113.0/24", "--rows-per-minute", "100"),
    )
    key = keys.authenticate(secret, WRITE, address="203.0.113.9")
    assert (key.source.name, key.networks) == ("edge", ["203.0.113.0/24"])
    assert (key.rows_per_minute, key.bytes_per_day) == (100, None)
    assert key.expires_at == timezone.now() + timedelta(days=30)


def test_a_key_is_rotated_by_its_prefix():
    issue("gateway", "--source", "edge")
    old = IngestKey.objects.get()
    secret = issue("--rotate", f"sw_{old.prefix}_…", "--overlap-hours", "2")
    assert keys.authenticate(secret, WRITE).replaces == old
    old.refresh_from_db()
    assert old.expires_at and old.expires_at <= timezone.now() + timedelta(hours=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "1 to 128"),
        (("k", "--source", "s", "--days", "0"), "1 to 3650"),
        (("k", "--source", "s", "--allow", "here"), "no address"),
        (("k", "--source", "s", "--rows-per-day", "-1"), "whole number"),
        (("--rotate", "000000000000"), "no key with this prefix"),
    ],
)
def test_what_cannot_be_made_says_what_to_change(words, says):
    with pytest.raises(CommandError, match=says):
        issue(*words)
    assert not IngestKey.objects.exists()
