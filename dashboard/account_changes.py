"""How a change of an account's record reads: what changed, private values masked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dashboard.display import mask
from ingest.drain.account_history import Change

# Fields whose values are the platform's own words; every other is the customer's.
_OPEN: Final = ("plan", "program", "verification", "contract", "status", "created_at")
_LABELS: Final = {
    "created_at": "Sign-up time",
    "email_domain": "E-mail domain",
    "email_hash": "E-mail address",
    "email_shape": "Shape of the e-mail address",
    "display_name": "Display name",
    "organization_id": "Organisation id",
    "organization": "Organisation",
    "phone_hash": "Phone number",
    "phone_country": "Phone country",
    "payment_fingerprint": "Payment instrument",
    "payment_country": "Payment country",
    "signup_ip": "Sign-up address",
    "signup_device_id": "Sign-up device",
    "signup_user_agent": "Sign-up user agent",
    "plan": "Plan",
    "program": "Programme",
    "verification": "Verified by",
    "contract": "Contract",
    "referrer": "Referrer",
    "status": "Status",
}


@dataclass(frozen=True, slots=True)
class ShownChange:
    at: datetime
    label: str
    before: str
    after: str
    private: bool


def shown(change: Change) -> ShownChange:
    private = change.field not in _OPEN
    return ShownChange(
        change.at,
        _LABELS[change.field],
        _value(change.before, private=private),
        _value(change.after, private=private),
        private,
    )


def _value(value: object, *, private: bool) -> str:
    if isinstance(value, datetime):
        return f"{value:%-d %b %Y %H:%M}"
    return mask(str(value)) if private else str(value).replace("_", " ")
