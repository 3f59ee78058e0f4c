"""What only the values of a well-formed record tell: can it be true at all? Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ingest import fingerprints
from ingest.records import normalise, schemas
from ingest.records.verdicts import QUARANTINED, Verdict, shown

SKEW_QUARANTINED: Final = timedelta(hours=24)
SKEW_FLAGGED: Final = timedelta(minutes=10)
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """What "now" and "too old" mean for one batch."""

    now: datetime
    oldest: datetime

    @property
    def latest(self) -> datetime:
        return self.now + SKEW_QUARANTINED


def of_texts(record: schemas.Record) -> Verdict | None:
    """A NUL character inside any text: PostgreSQL cannot hold one."""
    for name in record.__struct_fields__:
        value = getattr(record, name)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and "\x00" in text:
                return Verdict(
                    "nul_char",
                    f"`{name}` holds a NUL character, which cannot be stored; "
                    "leave it out.",
                    name,
                )
    return None


def of_meaning(record: schemas.Record, clock: Clock) -> Verdict | None:
    """What only the values can tell: times, addresses, countries, fingerprints."""
    return _of_times(record, clock) or _of_values(record)


def _of_times(record: schemas.Record, clock: Clock) -> Verdict | None:
    for name in ("occurred_at", "updated_at", "created_at", "released_at"):
        at: datetime | None = getattr(record, name, None)
        if at is None:
            continue
        if at > clock.latest:
            return Verdict(
                "clock_skew",
                f"`{name}` ({at.isoformat()}) is more than 24 hours ahead of this "
                "clock; set the sender's clock right and replay the line.",
                name,
                QUARANTINED,
            )
        if name == "occurred_at" and at < clock.oldest:
            return Verdict(
                "too_old",
                f"`{name}` ({at.isoformat()}) lies before {clock.oldest:%Y-%m-%d}, the "
                "oldest day that is kept; leave such events out.",
                name,
            )
        if at < EARLIEST:
            return Verdict("bad_time", f"`{name}` lies before 1970; correct it.", name)
    return None


def _of_values(record: schemas.Record) -> Verdict | None:
    for name in ("client_ip", "signup_ip"):
        told = getattr(record, name, None)
        if told and normalise.address(told) is None:
            return Verdict(
                "bad_value",
                f"`{name}` ({shown(told)}) is no IPv4 or IPv6 address.",
                name,
            )
    for name in ("country", "phone_country", "payment_country"):
        told = getattr(record, name, None)
        if told and normalise.country(told) is None:
            return Verdict(
                "bad_value",
                f"`{name}` ({shown(told)}) is no ISO 3166-1 alpha-2 code such as DE.",
                name,
            )
    email = getattr(record, "email", None)
    if email and normalise.mailbox(email, b"") is None:
        return Verdict("bad_value", "`email` is no e-mail address.", "email")
    if isinstance(record, schemas.Request) and record.prompt_fingerprint:
        return _of_fingerprint(record.prompt_fingerprint)
    return None


def _of_fingerprint(written: str) -> Verdict | None:
    try:
        fingerprints.parse(written)
    except fingerprints.BadFingerprint as error:
        name = "prompt_fingerprint"
        return Verdict("bad_value", f"`{name}` cannot be used. {error}", name)
    return None
