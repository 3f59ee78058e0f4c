"""Keys that machines show: made once, kept as a hash, found by their prefix."""

import hmac
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.db.models import Q
from django.utils import timezone

from ingest.errors import UnknownKey, WrongScope
from ingest.models import IngestKey, KeyRefusal, Source

MARK: Final = "sw"
# Last use is for people's eyes; a write for every request would be a price for it.
LAST_USE_STEP: Final = timedelta(minutes=1)
_MAX_TOKEN: Final = 256
# Compared against when no key has the prefix, so that both cases take as long.
_NOBODY: Final = sha256(b"nobody").digest()

log = logging.getLogger(__name__)


def issue_key(
    *,
    source: Source,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
) -> tuple[IngestKey, str]:
    """The key's row, and `sw_<prefix>_<secret>`, which is shown once.

    Raises ValueError for a scope that does not exist.
    """
    wanted = sorted(set(scopes))
    if unknown := set(wanted) - set(IngestKey.Scope.values):
        raise ValueError(f"There is no scope {', '.join(sorted(unknown))}.")
    prefix, secret = secrets.token_hex(6), secrets.token_hex(32)
    key = IngestKey.objects.create(
        source=source,
        name=name,
        prefix=prefix,
        secret_sha256=sha256(secret.encode()).digest(),
        scopes=wanted,
        expires_at=expires_at,
    )
    return key, f"{MARK}_{prefix}_{secret}"


def authenticate(token: str, scope: str) -> IngestKey:
    """The key in force that this token opens.

    Raises UnknownKey, in the same words whatever is wrong, and WrongScope.
    """
    key = _find(token)
    if key is None:
        raise UnknownKey
    now = timezone.now()
    if key.revoked_at is not None or (key.expires_at and key.expires_at <= now):
        _note_refusal(key, now)
        raise UnknownKey
    if scope not in key.scopes:
        raise WrongScope(scope)
    _note_use(key, now)
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


def _note_use(key: IngestKey, now: datetime) -> None:
    if key.last_used_at is not None and now - key.last_used_at < LAST_USE_STEP:
        return
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_STEP)
    IngestKey.objects.filter(long_ago, pk=key.pk).update(last_used_at=now)
    key.last_used_at = now


def _note_refusal(key: IngestKey, now: datetime) -> None:
    """Whoever shows a dead key may have found it: kept for the audit and its owner."""
    log.warning("Key %s… is revoked or expired and was used.", key.prefix)
    why = KeyRefusal.Why.REVOKED if key.revoked_at else KeyRefusal.Why.EXPIRED
    KeyRefusal.objects.bulk_create(
        [
            KeyRefusal(
                key=key,
                why=why,
                hour=now.replace(minute=0, second=0, microsecond=0),
                refused_at=now,
            )
        ],
        ignore_conflicts=True,
    )
