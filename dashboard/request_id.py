"""The id that ties one request's answer, its log lines and its audit entries."""

import re
import uuid

from investigations.actions import audit

ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")


def current_request_id() -> str:
    return audit.request_id.get()


def begin(sent: str | None) -> str:
    """Take the caller's id if it is a harmless one, else make one."""
    value = sent if sent and ACCEPTED.fullmatch(sent) else uuid.uuid4().hex
    audit.request_id.set(value)
    return value
