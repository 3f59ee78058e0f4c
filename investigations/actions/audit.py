"""Writing down who did what. Each change and each sensitive look gets one entry."""

from contextvars import ContextVar

from django.contrib.auth.models import User
from django.utils import timezone

from investigations import access
from investigations.models import AuditEntry

# The id of the web request under way; whoever opens one sets it here.
request_id: ContextVar[str] = ContextVar("audit_request_id", default="")


def record(
    verb: str,
    *,
    by: User,
    object_type: str,
    object_ref: str,
    reason: str = "",
    **detail: object,
) -> AuditEntry:
    """Append one entry, in the transaction of the change that it tells of.

    `verb` is noun.past-participle (`case.decided`); `detail` must be JSON. The chain
    lock is taken here and held until that transaction ends, so an action writes its
    entry last. The database sets `sequence`, `previous_hash` and `hash`: they are not
    on the returned object until it is read again.
    """
    return AuditEntry.objects.create(
        sequence=0,
        at=timezone.now(),
        actor=by,
        actor_name=by.get_username(),
        actor_role=access.SYSTEM if access.is_system(by) else access.role_of(by),
        verb=verb,
        object_type=object_type,
        object_ref=object_ref,
        reason=reason,
        detail=detail,
        request_id=request_id.get(),
    )
