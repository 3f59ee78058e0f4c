"""An account of the demo world, and what its provider records about it."""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NotRequired, TypedDict

from ingest.demo.clients import Stack
from ingest.demo.clock import stamp
from ingest.demo.dice import Dice, mark
from ingest.demo.identities import Organization, Person
from ingest.demo.internet import Route

Record = dict[str, object]
# What an exchange is for: its sender's own ends, a rival's training data, or to hide
# that among ordinary questions.
Purpose = Literal["organic", "harvest", "camouflage"]


# Seconds from sign-up to the first request: check, payment, key.
SETTLING = 420.0


class Entry(NamedTuple):
    """A record and its place in the stream: time, then kind, then id. `purpose` is the
    truth about an exchange; no record tells it."""

    at: float
    rank: int
    id: str
    record: Record
    purpose: Purpose = "organic"


def order_of(entry: Entry) -> tuple[float, int, str]:
    """Sorts a stream: an account before what it does."""
    return entry[:3]


class Truth(TypedDict):
    """What is really so; written apart, read by nothing but the evaluation."""

    account_id: str
    population: str
    campaign: str | None
    pool: str | None
    person: str
    organization: str | None
    # Campaigns that show this innocent's card or address, or use its stolen key.
    framed_by: NotRequired[str]
    robbed_by: NotRequired[str]


class ExchangeTruth(TypedDict):
    """What one exchange was really for."""

    event_id: str
    purpose: Purpose


@dataclass(slots=True)
class Account:
    """One customer account. Times are seconds since 1970."""

    truth: Truth
    created_at: float
    person: Person
    routes: tuple[Route, ...]
    stack: Stack
    signup_stack: Stack
    key_ids: tuple[str, ...]
    device_id: str | None = None
    organization: Organization | None = None
    card: str | None = None
    plan: str = "free"
    program: str = "none"
    verification: str = "email"
    contract: str = "standard"
    referrer: str | None = None
    signup_route: Route | None = None
    until: float = math.inf
    status: str = "active"
    # What an operator gave it: its part of the pool's work, its hours in UTC (None:
    # all), tools that no other account offers.
    share: float = 1.0
    hours: frozenset[int] | None = None
    tools_hash: str | None = None
    last_used: float = field(default=-math.inf)

    @property
    def id(self) -> str:
        return self.truth["account_id"]

    def is_active(self, at: float) -> bool:
        return self.created_at + SETTLING <= at < self.until

    def overdue(self, at: float) -> float:
        """How long it has waited for work, in units of what its share makes usual."""
        rested = at - max(self.last_used, self.created_at)
        return rested * self.share


def snapshot(account: Account, at: float, **changes: object) -> Entry:
    """The account record as the provider has it at that time."""
    person, org = account.person, account.organization
    route = account.signup_route or account.routes[0]
    record: Record = {
        "type": "account",
        "account_id": account.id,
        "updated_at": stamp(at),
        "created_at": stamp(account.created_at),
        "email": person.email,
        "display_name": person.name,
        "organization_id": org.id if org else None,
        "organization": org.name if org else None,
        "phone_hash": person.phone_hash,
        "phone_country": route.country if person.phone_hash else None,
        "payment_fingerprint": account.card,
        "payment_country": route.country if account.card else None,
        "signup_ip": route.ip,
        "signup_device_id": account.device_id,
        "signup_user_agent": account.signup_stack.user_agent,
        "plan": account.plan,
        "program": account.program,
        "verification": account.verification,
        "contract": account.contract,
        "referrer": account.referrer,
        "status": account.status,
    }
    record.update(changes)
    kept = {name: value for name, value in record.items() if value is not None}
    return Entry(at, 0, account.id, kept)


def activity(account: Account, kind: str, at: float, **extra: object) -> Entry:
    """Something the account did outside the model."""
    route = account.signup_route or account.routes[0]
    event_id = f"act_{mark(account.id, kind, round(at * 1000), length=20)}"
    record: Record = {
        "type": "activity",
        "event_id": event_id,
        "occurred_at": stamp(at),
        "account_id": account.id,
        "kind": kind,
        "client_ip": route.ip,
        "asn": route.asn,
        "country": route.country,
        "user_agent": account.signup_stack.user_agent,
        "ja4": account.signup_stack.ja4,
        "device_id": account.device_id,
        **extra,
    }
    kept = {name: value for name, value in record.items() if value is not None}
    return Entry(at, 1, event_id, kept)


def beginnings(account: Account, rng: Dice) -> list[Entry]:
    """Sign-up, check, payment and key, with the account record before and after."""
    at = account.created_at
    bare: Record = {"payment_fingerprint": None, "payment_country": None}
    bare |= {"plan": "free", "verification": "none", "status": "active"}
    entries = [
        snapshot(account, at, **bare),
        activity(account, "signup", at),
    ]
    at += rng.uniform(20, 150)
    entries.append(activity(account, "verification_passed", at))
    if account.card:
        at += rng.uniform(30, 200)
        paid = {"payment_fingerprint": account.card}
        entries.append(activity(account, "payment_added", at, **paid))
    for _ in account.key_ids:
        at += rng.uniform(5, 60)
        entries.append(activity(account, "key_created", at))
    entries.append(snapshot(account, at + 1, status="active"))
    return entries
