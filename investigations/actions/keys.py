"""Keys that were shown after they had died: facts until they are audited here."""

from django.db import transaction
from django.utils import timezone

from ingest.models import KeyRefusal
from investigations import access
from investigations.actions import audit

MOST_AT_ONCE = 100


@transaction.atomic
def audit_refused_keys() -> int:
    """Writes each new refusal of a revoked or expired key down; how many there were."""
    waiting = KeyRefusal.objects.filter(audited_at=None).select_related("key__source")
    locked = waiting.select_for_update(skip_locked=True, of=("self",))
    refusals = list(locked.order_by("pk")[:MOST_AT_ONCE])
    for refusal in refusals:
        audit.record(
            "key.refused",
            by=access.system_account(),
            object_type="key",
            object_ref=refusal.key.prefix,
            reason=f"The key is {refusal.why} and was used again.",
            source=refusal.key.source.name,
            name=refusal.key.name,
        )
    found = [refusal.pk for refusal in refusals]
    KeyRefusal.objects.filter(pk__in=found).update(audited_at=timezone.now())
    return len(refusals)
