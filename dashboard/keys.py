"""Keys for machines, as an admin hands them out. Each change is audited."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from ingest.drain import takeback
from ingest.models import Batch, IngestKey, Source, TakeBack
from ingest.senders import keys
from ingest.senders.quotas import INHERITED, Limits, limits_of
from investigations import access
from investigations.actions import audit


@dataclass(frozen=True)
class Bounds:
    """What a key is kept within: CIDR blocks (none: anywhere) and quotas."""

    networks: tuple[str, ...] = ()
    limits: Limits = INHERITED

    def as_detail(self) -> dict[str, Any]:
        own = {name: n for name, n in self.limits.as_fields().items() if n is not None}
        return {"networks": list(self.networks), "limits": own}


def bounds_of(key: IngestKey) -> Bounds:
    return Bounds(tuple(key.networks), limits_of(key))


@transaction.atomic
def issue(
    *,
    source: str,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    bounds: Bounds = Bounds(),
    by: User,
) -> tuple[IngestKey, str]:
    """The key's row and its secret, which is shown once and kept nowhere."""
    access.require(by, access.MANAGE)
    sender, _ = Source.objects.get_or_create(name=source)
    key, secret = keys.issue_key(
        source=sender,
        name=name,
        scopes=scopes,
        expires_at=expires_at,
        networks=bounds.networks,
        limits=bounds.limits,
        made_by=by.get_username(),
    )
    detail = bounds.as_detail()
    _record("key.issued", key, by=by, scopes=scopes, **detail)
    return key, secret


@transaction.atomic
def rotate(*, key: IngestKey, overlap: timedelta, by: User) -> tuple[IngestKey, str]:
    """The successor and its secret. Raises KeyNotInForce."""
    access.require(by, access.MANAGE)
    made_by = by.get_username()
    successor, secret = keys.rotate_key(key, overlap=overlap, made_by=made_by)
    hours = int(overlap.total_seconds() // 3600)
    _record("key.rotated", key, by=by, successor=successor.prefix, overlap_hours=hours)
    return successor, secret


@transaction.atomic
def change(*, key: IngestKey, bounds: Bounds, by: User) -> None:
    access.require(by, access.MANAGE)
    before = bounds_of(key).as_detail()
    fields = {"networks": list(bounds.networks), **bounds.limits.as_fields()}
    IngestKey.objects.filter(pk=key.pk).update(**fields)
    key.refresh_from_db()
    _record("key.changed", key, by=by, before=before, after=bounds.as_detail())


@transaction.atomic
def revoke(*, key: IngestKey, by: User) -> None:
    access.require(by, access.MANAGE)
    keys.revoke_key(key)
    _record("key.revoked", key, by=by, scopes=key.scopes)


@transaction.atomic
def take_back(*, key: IngestKey, reason: str, by: User) -> TakeBack:
    """Revokes the key and orders that all it sent be taken out."""
    access.require(by, access.MANAGE)
    keys.revoke_key(key)
    order = takeback.exclude(
        sent_with(key), by=by.get_username(), reason=reason, key=key
    )
    _record(
        "key.take_back_ordered",
        key,
        by=by,
        reason=reason,
        batches=order.batches,
        records=order.records,
        days=order.days,
    )
    return order


def sent_with(key: IngestKey) -> QuerySet[Batch]:
    return Batch.objects.filter(key=key)


def _record(
    verb: str, key: IngestKey, *, by: User, reason: str = "", **detail: object
) -> None:
    audit.record(
        verb,
        by=by,
        object_type="key",
        object_ref=key.prefix,
        reason=reason,
        source=key.source.name,
        name=key.name,
        **detail,
    )
