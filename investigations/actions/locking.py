"""How every change of a case begins and ends: its row locked, its change kept."""

from datetime import datetime

import pghistory
from django.contrib.auth.models import User
from django.utils import timezone

from investigations.actions import audit
from investigations.errors import StaleCase
from investigations.models import AuditEntry, Case


def lock_case(case: Case) -> Case:
    """The case as it is now; nobody else changes it until the transaction ends."""
    return Case.objects.select_for_update(of=("self",)).get(pk=case.pk)


def check_version(case: Case, version: int | None) -> None:
    """Refuse when the case moved on since the version the person was looking at."""
    if version is None or case.version == version:
        return
    changes = changes_since(case, version)
    last = changes[-1] if changes else None
    who = f" {last['by']} did so at {last['at']}." if last else ""
    raise StaleCase(f"{case.ref} was changed since you opened it.{who}", changes)


def changes_since(case: Case, version: int) -> list[dict[str, str]]:
    """Who did what to the case after it had the given version, oldest first."""
    entries = AuditEntry.objects.filter(
        object_type="case", object_ref=case.ref, detail__version__gt=version
    )
    return [
        {
            "at": f"{entry.at:%Y-%m-%d %H:%M} UTC",
            "by": entry.actor_name,
            "verb": entry.verb,
            "reason": entry.reason,
        }
        for entry in entries.order_by("sequence")
    ]


def keep(
    case: Case, verb: str, *, by: User, reason: str = "", **detail: object
) -> None:
    """Save the changed case as its next version, and write that down."""
    case.version += 1
    case.changed_at = timezone.now()
    with pghistory.context(user=by.pk, verb=verb, reason=reason):
        case.save()
    audit.record(
        verb,
        by=by,
        object_type="case",
        object_ref=case.ref,
        reason=reason,
        version=case.version,
        status=case.status,
        **detail,
    )


def mark_finished(case: Case, at: datetime) -> None:
    """Remember how large the cluster was: what grows beyond it is new."""
    case.low_water = case.cluster.size if case.cluster else None
    if case.status == Case.Status.DECIDED:
        case.decided_at = at
    else:
        case.closed_at = at
