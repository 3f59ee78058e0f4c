"""Account records → what is known of an account, whatever order they came in. Pure.

Each field remembers when it was told, and the newest time wins; of two records with
the same time the greater value wins, so that every order ends in the same row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ingest.records import columns, normalise, schemas
from ingest.records.schemas import TEXTS
from ingest.texts import redaction

# Told fields that have a value even before anybody tells one.
DEFAULTED: Final = ("program", "verification", "contract", "status")
_PLAIN: Final = (
    "organization_id",
    "phone_hash",
    "payment_fingerprint",
    "signup_device_id",
    "plan",
    *DEFAULTED,
)
FIELDS: Final = (
    "created_at",
    "email_domain",
    "email_hash",
    "email_shape",
    "display_name",
    "organization",
    "phone_country",
    "payment_country",
    "signup_ip",
    "signup_user_agent",
    "referrer",
    *_PLAIN,
)
Times = dict[str, int]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    passed = at - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


@dataclass(frozen=True, slots=True)
class Telling:
    """One record, ready to be merged: `values` and `cut` name fields of FIELDS."""

    updated_at: datetime
    values: dict[str, object]
    cut: frozenset[str]


def telling(record: schemas.Account, mail_key: bytes) -> Telling:
    values = told(record, mail_key)
    cut = frozenset(columns.cut_fields(record)) & values.keys()
    return Telling(columns.in_utc(record.updated_at), values, cut)


def told(record: schemas.Account, mail_key: bytes) -> dict[str, object]:
    """The fields that this record tells, in canonical form; no raw address."""
    values: dict[str, object] = {name: getattr(record, name) for name in _PLAIN}
    for name in TEXTS.keys() & set(FIELDS):
        named = redaction.without_contacts(getattr(record, name) or "")
        values[name] = named[: TEXTS[name]]
    values["created_at"] = record.created_at and columns.in_utc(record.created_at)
    values["signup_ip"] = normalise.address(record.signup_ip or "")
    for name in ("phone_country", "payment_country"):
        values[name] = normalise.country(getattr(record, name) or "")
    values |= _mail(record, mail_key)
    return {name: value for name, value in values.items() if value not in (None, "")}


def _mail(record: schemas.Account, key: bytes) -> dict[str, object]:
    if record.email and (box := normalise.mailbox(record.email, key)) is not None:
        return {
            "email_domain": box.domain,
            "email_hash": box.hash,
            "email_shape": box.shape,
        }
    domain = normalise.mail_domain(record.email_domain or "")
    return {"email_domain": domain, "email_hash": record.email_hash}


def known_times(
    current: Mapping[str, object], updated_at: datetime | None, field_times: Times
) -> Times:
    """When each field was told, in microseconds since 1970; 0 for never."""
    if updated_at is None:
        return dict.fromkeys(FIELDS, 0)
    latest = micros(updated_at)
    return {
        name: field_times.get(name, latest if current[name] is not None else 0)
        for name in FIELDS
    }


def winners(
    current: Mapping[str, object], times: Times, new: Mapping[str, object], at: int
) -> dict[str, object]:
    """The new values that win over what is known; `times` is moved on for them."""
    won: dict[str, object] = {}
    for name, value in new.items():
        if (at, str(value)) > (times[name], str(current[name])):
            times[name] = at
            won[name] = value
    return won


def cut_after(
    known: list[str],
    won: Mapping[str, object],
    current: Mapping[str, object],
    times: Times,
    told: Telling,
) -> list[str]:
    """Which of the current values were cut, after `told` was merged.

    A value counts as cut where any record that told just it, at just that time, had
    to be cut: so the order of two such records makes no difference.
    """
    at = micros(told.updated_at)
    standing = {
        name
        for name in told.cut
        if times[name] == at and str(current[name]) == str(told.values[name])
    }
    return sorted((set(known) - won.keys()) | standing)


def kept_times(times: Times, updated_at: datetime) -> Times:
    """Only the times that `updated_at` does not say: the usual account has none."""
    latest = micros(updated_at)
    return {
        name: at
        for name, at in times.items()
        if at != latest and (at or name in DEFAULTED)
    }
