"""Legal holds, as a lead or an admin places and releases them. Each is audited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction

from ingest.keeping import holds
from ingest.models import Account, LegalHold, Source
from investigations import access, policies
from investigations.actions import audit
from investigations.errors import BadHold
from investigations.selectors.members import case_accounts

Scope = LegalHold.Scope


@dataclass(frozen=True)
class Covered:
    """What a hold is to cover: of `scope`, only that which belongs to it is read.

    `accounts` are external ids, the days UTC and both included; None is no bound.
    """

    scope: str
    accounts: Sequence[str] = ()
    case_ref: str = ""
    organization_id: str = ""
    source: str = ""
    from_day: date | None = None
    to_day: date | None = None


@transaction.atomic
def place_hold(
    *, covered: Covered, reason: str, by: User, expires_at: datetime | None = None
) -> LegalHold:
    """Nothing that is covered is deleted with age from now on.

    Raises NotAllowed, BadReason, BadHold for what is not there.
    """
    access.require(by, access.HOLD)
    why = policies.clean_reason(reason)
    account_ids = _account_ids(covered, by)
    organization = covered.scope == Scope.ORGANIZATION
    hold = holds.place(
        scope=covered.scope,
        reason=why,
        placed_by=by.get_username(),
        account_ids=account_ids,
        case_ref=covered.case_ref if covered.scope == Scope.CASE else "",
        organization_id=_organization(covered) if organization else None,
        source=_source(covered) if covered.scope == Scope.SOURCE else None,
        from_day=covered.from_day,
        to_day=covered.to_day,
        expires_at=expires_at,
    )
    _record("hold.placed", hold, why, by, accounts=len(account_ids))
    return hold


@transaction.atomic
def release_hold(*, hold: LegalHold, reason: str, by: User) -> None:
    """What it kept goes in the next run. Raises NotAllowed, BadReason, BadHold."""
    access.require(by, access.HOLD)
    why = policies.clean_reason(reason)
    if not holds.release(hold, reason=why, released_by=by.get_username()):
        raise BadHold("reason", "This hold is over already.")
    _record("hold.released", hold, why, by)


def _account_ids(covered: Covered, by: User) -> list[int]:
    if covered.scope == Scope.CASE:
        case = access.case_for(by, covered.case_ref)
        found = list(case_accounts(case).values_list("pk", flat=True))
        if not found:
            raise BadHold("case_ref", "This case has no accounts.")
        return found
    if covered.scope != Scope.ACCOUNTS:
        return []
    wanted = set(covered.accounts)
    known = dict(
        Account.objects.filter(external_id__in=wanted).values_list("external_id", "pk")
    )
    if not wanted:
        raise BadHold("accounts", "Name at least one account.")
    if unknown := sorted(wanted - known.keys()):
        shown = ", ".join(each[:128] for each in unknown[:5])
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise BadHold("accounts", f"No such account: {shown}{more}.")
    return list(known.values())


def _organization(covered: Covered) -> str:
    known = Account.objects.filter(organization_id=covered.organization_id)
    if not covered.organization_id or not known.exists():
        raise BadHold("organization_id", "No account belongs to this organisation.")
    return covered.organization_id


def _source(covered: Covered) -> Source:
    source = Source.objects.filter(name=covered.source).first()
    if source is None:
        raise BadHold("source", "There is no such source.")
    return source


def _record(verb: str, hold: LegalHold, why: str, by: User, **detail: object) -> None:
    audit.record(
        verb,
        by=by,
        object_type="hold",
        object_ref=str(hold),
        reason=why,
        scope=hold.scope,
        case=hold.case_ref,
        **detail,
    )
