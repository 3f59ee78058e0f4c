"""Keys for machines, as an admin hands them out. Each change is audited."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from ingest.keys import issue_key, revoke_key
from ingest.models import IngestKey, Source
from investigations import access
from investigations.actions import audit


@transaction.atomic
def issue(
    *,
    source: str,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    by: User,
) -> tuple[IngestKey, str]:
    """The key's row and its secret, which is shown once and kept nowhere."""
    access.require(by, access.MANAGE)
    sender, _ = Source.objects.get_or_create(name=source)
    key, secret = issue_key(
        source=sender, name=name, scopes=scopes, expires_at=expires_at
    )
    _record("key.issued", key, by=by, scopes=scopes)
    return key, secret


@transaction.atomic
def revoke(*, key: IngestKey, by: User) -> None:
    access.require(by, access.MANAGE)
    revoke_key(key)
    _record("key.revoked", key, by=by, scopes=key.scopes)


def _record(verb: str, key: IngestKey, *, by: User, scopes: list[str]) -> None:
    audit.record(
        verb,
        by=by,
        object_type="key",
        object_ref=key.prefix,
        source=key.source.name,
        name=key.name,
        scopes=scopes,
    )
