"""Keys that machines show: made once, kept as a hash, found by their prefix."""

import hmac
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ingest.doors.errors import AddressNotAllowed, KeyNotInForce, UnknownKey, WrongScope
from ingest.models import IngestKey, KeyRefusal, Source
from ingest.senders import key_blocks, quotas, whereabouts

MARK: Final = "sw"
# Last use is for people's eyes; a write for every request would be a price for it.
LAST_USE_STEP: Final = timedelta(minutes=1)
# How long both keys open after a rotation, where nobody says otherwise.
OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=30)
_MAX_TOKEN: Final = 256
# Compared against when no key has the prefix, so that both cases take as long.
_NOBODY: Final = sha256(b"nobody").digest()

log = logging.getLogger(__name__)


def issue_key(  # noqa: PLR0913 - what a key is, said by name
    *,
    source: Source,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    networks: Iterable[str] = (),
    limits: quotas.Limits = quotas.INHERITED,
    made_by: str = "",
) -> tuple[IngestKey, str]:
    """The key's row, and `sw_<prefix>_<secret>`, which is shown once.

    Raises ValueError for a scope that does not exist.
    """
    wanted = sorted(set(scopes))
    if unknown := set(wanted) - set(IngestKey.Scope.values):
        raise ValueError(f"There is no scope {', '.join(sorted(unknown))}.")
    key = IngestKey(
        source=source,
        name=name,
        scopes=wanted,
        expires_at=expires_at,
        networks=list(networks),
        made_by=made_by,
        **limits.as_fields(),
    )
    return key, _make_secret(key)


def _make_secret(key: IngestKey) -> str:
    key.prefix, secret = secrets.token_hex(6), secrets.token_hex(32)
    key.secret_sha256 = sha256(secret.encode()).digest()
    key.save(force_insert=True)
    return f"{MARK}_{key.prefix}_{secret}"


@transaction.atomic
def rotate_key(
    key: IngestKey, *, overlap: timedelta = OVERLAP, made_by: str = ""
) -> tuple[IngestKey, str]:
    """A successor that may do what the key may; the key itself ends after `overlap`.

    The successor lives as long as the key was meant to. Raises KeyNotInForce.
    """
    now = timezone.now()
    old = IngestKey.objects.select_for_update().get(pk=key.pk)
    if not is_in_force(old, now):
        raise KeyNotInForce
    span = old.expires_at - old.created_at if old.expires_at else None
    successor = IngestKey(
        source_id=old.source_id,
        name=old.name,
        scopes=old.scopes,
        expires_at=now + span if span else None,
        networks=old.networks,
        made_by=made_by,
        replaces=old,
        **quotas.limits_of(old).as_fields(),
    )
    secret = _make_secret(successor)
    ends = now + min(max(overlap, timedelta()), LONGEST_OVERLAP)
    old.expires_at = min(ends, old.expires_at or ends)
    old.save(update_fields=["expires_at"])
    key.refresh_from_db()
    return successor, secret


def is_in_force(key: IngestKey, now: datetime) -> bool:
    expired = key.expires_at is not None and key.expires_at <= now
    return key.revoked_at is None and not expired


def authenticate(token: str, scope: str, *, address: str | None = None) -> IngestKey:
    """The key in force that this token opens, for this scope, from this address.

    Raises UnknownKey, in the same words whatever is wrong, WrongScope and
    AddressNotAllowed.
    """
    key = _find(token)
    if key is None:
        raise UnknownKey
    now = timezone.now()
    if not is_in_force(key, now):
        dead = KeyRefusal.Why.REVOKED if key.revoked_at else KeyRefusal.Why.EXPIRED
        _note_refusal(key, dead, now, address)
        raise UnknownKey().of(key.pk)
    if key.networks and not whereabouts.is_within(address, key.networks):
        _note_refusal(key, KeyRefusal.Why.ADDRESS, now, address)
        raise AddressNotAllowed(address).of(key.pk)
    if scope not in key.scopes:
        raise WrongScope(scope).of(key.pk)
    _note_use(key, now, address)
    return key


def revoke_key(key: IngestKey) -> None:
    """From now on the key opens nothing; revoking twice keeps the first time."""
    IngestKey.objects.filter(pk=key.pk, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    key.refresh_from_db()


def revoke_leaked(token: str) -> bool:
    """Revokes the key of a token that was shown where others could read it."""
    key = _find(token)
    if key is None:
        return False
    revoke_key(key)
    log.warning("Key %s… stood in an address and is revoked.", key.prefix)
    return True


def _find(token: str) -> IngestKey | None:
    mark, _, rest = token[:_MAX_TOKEN].partition("_")
    prefix, _, secret = rest.partition("_")
    key = None
    # An odd character could not be in any prefix, and some the database refuses.
    if mark == MARK and prefix.isascii() and prefix.isalnum():
        key = IngestKey.objects.select_related("source").filter(prefix=prefix).first()
    kept = bytes(key.secret_sha256) if key is not None else _NOBODY
    shown = sha256(secret.encode(errors="replace")).digest()
    return key if hmac.compare_digest(shown, kept) else None


def _note_use(key: IngestKey, now: datetime, address: str | None) -> None:
    if address is not None:
        key_blocks.note(key.pk, address, now)
    if key.last_used_at is not None and now - key.last_used_at < LAST_USE_STEP:
        return
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_STEP)
    IngestKey.objects.filter(long_ago, pk=key.pk).update(
        last_used_at=now, last_used_from=address
    )
    key.last_used_at, key.last_used_from = now, address


def _note_refusal(
    key: IngestKey, why: KeyRefusal.Why, now: datetime, address: str | None
) -> None:
    """Whoever shows such a key may have found it: for the audit and its owner."""
    log.warning("Key %s… was used and refused: %s.", key.prefix, why)
    KeyRefusal.objects.bulk_create(
        [
            KeyRefusal(
                key=key,
                why=why,
                hour=now.replace(minute=0, second=0, microsecond=0),
                refused_at=now,
                address=address,
            )
        ],
        ignore_conflicts=True,
    )
