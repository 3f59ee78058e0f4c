"""What happens to keys by itself: facts until they are audited here."""

from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingest.models import IngestKey, KeyBlock, KeyRefusal, TakeBack
from investigations import access
from investigations.actions import audit

MOST_AT_ONCE = 100
_WHY_REFUSED = {
    KeyRefusal.Why.REVOKED: "The key is revoked and was used again.",
    KeyRefusal.Why.EXPIRED: "The key is expired and was used again.",
    KeyRefusal.Why.ADDRESS: "The key was used from an address it may not be used from.",
}


def audit_key_news() -> int:
    """Writes down refusals, uses from new places and finished take-backs."""
    return audit_refused_keys() + audit_new_blocks() + audit_taken_back()


@transaction.atomic
def audit_refused_keys() -> int:
    """Each new refusal of a key that is known; says how many there were."""
    waiting = KeyRefusal.objects.filter(audited_at=None).select_related("key__source")
    refusals = list(_locked(waiting))
    for refusal in refusals:
        why = KeyRefusal.Why(refusal.why)
        _record("key.refused", refusal.key, _WHY_REFUSED[why], address=refusal.address)
    _note(KeyRefusal.objects.filter(pk__in=[each.pk for each in refusals]))
    return len(refusals)


@transaction.atomic
def audit_new_blocks() -> int:
    """Each key that was at home in one address block and is used from another."""
    waiting = KeyBlock.objects.filter(is_alarming=True, audited_at=None)
    blocks = list(_locked(waiting.select_related("key__source")))
    for each in blocks:
        why = "The key is used from an address block it was never used from."
        _record("key.seen_elsewhere", each.key, why, block=each.block)
    _note(KeyBlock.objects.filter(pk__in=[each.pk for each in blocks]))
    return len(blocks)


@transaction.atomic
def audit_taken_back() -> int:
    """Each order that is done, with what it took out in the end."""
    waiting = TakeBack.objects.filter(
        audited_at=None, finished_at__isnull=False, key__isnull=False
    )
    orders = list(_locked(waiting.select_related("key__source")))
    for order in orders:
        assert order.key is not None
        _record(
            "key.taken_back",
            order.key,
            order.reason,
            asked_by=order.asked_by,
            batches=order.batches,
            records=order.records,
            kept=order.kept,
            accounts=order.accounts,
            days=order.days_done,
        )
    _note(TakeBack.objects.filter(pk__in=[each.pk for each in orders]))
    return len(orders)


Row = TypeVar("Row", KeyRefusal, KeyBlock, TakeBack)


def _locked(rows: QuerySet[Row]) -> QuerySet[Row]:
    locked = rows.select_for_update(skip_locked=True, of=("self",))
    return locked.order_by("pk")[:MOST_AT_ONCE]


def _note(rows: QuerySet[KeyRefusal] | QuerySet[KeyBlock] | QuerySet[TakeBack]) -> None:
    rows.update(audited_at=timezone.now())


def _record(verb: str, key: IngestKey, reason: str, **detail: object) -> None:
    audit.record(
        verb,
        by=access.system_account(),
        object_type="key",
        object_ref=key.prefix,
        reason=reason,
        source=key.source.name,
        name=key.name,
        **detail,
    )
