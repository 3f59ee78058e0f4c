"""The accounts a decision would hit: shown first, then frozen as they were shown."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from ingest.models import Account, AccountDay
from investigations import access, policies
from investigations.detection import rulebook
from investigations.detection.models import Membership
from investigations.errors import (
    EmptyList,
    ListChanged,
    NotInCase,
    ProtectedAccounts,
)
from investigations.models import Case, TargetAccount, TargetList
from investigations.selectors.members import case_accounts
from investigations.selectors.standing import one_of, standings

AGE_BUCKETS = (
    ("under a day", timedelta(days=1)),
    ("under a week", timedelta(days=7)),
    ("under a month", timedelta(days=30)),
    ("under half a year", timedelta(days=182)),
)
ORGANIZATIONS_SHOWN = 20


@dataclass(frozen=True)
class Preview:
    """Who a decision would hit, counted before anything is done.

    The `by_` fields map a name to a number of accounts. `organizations` is
    [{name, accounts}], largest first; `protected` is [{account_id, why}];
    `already_banned` and `weak` (doubtful members) are external ids.
    """

    action: str
    count: int
    sha256: str
    needs_second_person: bool
    by_band: dict[str, int] = field(default_factory=dict)
    by_plan: dict[str, int] = field(default_factory=dict)
    by_verification: dict[str, int] = field(default_factory=dict)
    by_age: dict[str, int] = field(default_factory=dict)
    exchanges_30_days: int = 0
    organizations: list[dict[str, object]] = field(default_factory=list)
    already_banned: list[str] = field(default_factory=list)
    protected: list[dict[str, str]] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)


def preview_targets(*, case: Case, account_ids: Iterable[int], action: str) -> Preview:
    """Count exactly who would be hit. Reads only.

    `account_ids` are primary keys; raises EmptyList, or NotInCase for an account
    that the case is not about.
    """
    ids = _checked_ids(case, account_ids)
    accounts = Account.objects.filter(pk__in=one_of(ids))
    status = standings(ids)
    banned = [pk for pk in ids if status[pk] == Account.Status.BANNED]
    return Preview(
        action=action,
        count=len(ids),
        sha256=policies.list_sha256(action, ids),
        needs_second_person=policies.needs_second_person(action, len(ids)),
        by_band=_tally(accounts, "score__band", "none"),
        by_plan=_tally(accounts, "plan", "unknown"),
        by_verification=_tally(accounts, "verification", "unknown"),
        by_age=_ages(accounts, timezone.now()),
        exchanges_30_days=_exchanges(ids, timezone.now() - timedelta(days=30)),
        organizations=_organizations(accounts),
        already_banned=external_ids(banned),
        protected=_protected(accounts) if action in policies.TAKES_AWAY else [],
        weak=_weak(case, ids),
    )


@transaction.atomic
def freeze_targets(
    *,
    case: Case,
    account_ids: Iterable[int],
    action: str,
    by: User,
    preview_sha256: str,
) -> TargetList:
    """Keep the previewed list for good: what is approved is what is carried out.

    Raises ListChanged when the accounts are not those of the preview, and
    ProtectedAccounts, naming them, when one of them may not be swept up.
    """
    access.require(by, access.DECIDE)
    preview = preview_targets(case=case, account_ids=account_ids, action=action)
    if preview.sha256 != preview_sha256:
        raise ListChanged("These are not the accounts that the preview showed.")
    refuse_protected([row["account_id"] for row in preview.protected])
    return keep_list(case, list(account_ids), preview, by=by)


def keep_list(
    case: Case, account_ids: Iterable[int], preview: Preview, *, by: User
) -> TargetList:
    """Write the list and its accounts, each with its score and state as of now."""
    ids = sorted(set(account_ids))
    target_list = TargetList.objects.create(
        case=case,
        action=preview.action,
        count=preview.count,
        sha256=preview.sha256,
        preview=asdict(preview),
        frozen_by=by,
        frozen_at=timezone.now(),
    )
    status = standings(ids)
    scores = dict(
        Account.objects.filter(pk__in=one_of(ids), score__isnull=False).values_list(
            "pk", "score__score"
        )
    )
    TargetAccount.objects.bulk_create(
        (
            TargetAccount(
                target_list=target_list,
                account_id=pk,
                score=scores.get(pk, 0.0),
                status_before=status[pk],
            )
            for pk in ids
        ),
        batch_size=5_000,
    )
    return target_list


def check_frozen(target_list: TargetList) -> list[int]:
    """The list's account ids, if it still is what its hash says."""
    ids = list(
        target_list.targets.order_by("account").values_list("account", flat=True)
    )
    if policies.list_sha256(target_list.action, ids) != target_list.sha256:
        raise ListChanged("The frozen list no longer matches its own hash.")
    return ids


def protected_among(account_ids: Iterable[int]) -> list[str]:
    """External ids of the accounts that no bulk decision may take anything from."""
    rows = _protected(Account.objects.filter(pk__in=one_of(account_ids)))
    return [row["account_id"] for row in rows]


def refuse_protected(names: list[str]) -> None:
    if names:
        shown = ", ".join(names[:10]) + (" and more" if len(names) > 10 else "")
        raise ProtectedAccounts(f"These accounts are protected: {shown}.", names)


def _checked_ids(case: Case, account_ids: Iterable[int]) -> list[int]:
    wanted = sorted(set(account_ids))
    if not wanted:
        raise EmptyList("The list of accounts is empty.")
    within = set(
        case_accounts(case).filter(pk__in=one_of(wanted)).values_list("pk", flat=True)
    )
    strangers = [pk for pk in wanted if pk not in within]
    if strangers:
        names = external_ids(strangers[:50])
        raise NotInCase(
            f"{len(strangers)} of the accounts are not part of {case.ref}.", names
        )
    return wanted


def _tally(accounts: QuerySet[Account], name: str, empty: str) -> dict[str, int]:
    rows = accounts.values_list(name).annotate(n=Count("pk")).order_by("-n", name)
    return {str(value or empty): n for value, n in rows}


def _ages(accounts: QuerySet[Account], now: datetime) -> dict[str, int]:
    found = dict.fromkeys((*(name for name, _ in AGE_BUCKETS), "older", "unknown"), 0)
    for (created_at,) in accounts.values_list("created_at"):
        found[_age(created_at, now)] += 1
    return {name: n for name, n in found.items() if n}


def _age(created_at: datetime | None, now: datetime) -> str:
    if created_at is None:
        return "unknown"
    age = now - created_at
    return next((name for name, limit in AGE_BUCKETS if age < limit), "older")


def _exchanges(ids: list[int], since: datetime) -> int:
    days = AccountDay.objects.filter(account__in=one_of(ids), day__gte=since.date())
    return days.aggregate(total=Sum("requests"))["total"] or 0


def _organizations(accounts: QuerySet[Account]) -> list[dict[str, object]]:
    rows = (
        accounts.filter(organization_id__isnull=False)
        .values_list("organization_id", "organization")
        .annotate(n=Count("pk"))
        .order_by("-n", "organization_id")
    )
    return [
        {"name": name or key, "accounts": n}
        for key, name, n in rows[:ORGANIZATIONS_SHOWN]
    ]


def _protected(accounts: QuerySet[Account]) -> list[dict[str, str]]:
    # The rule is a function, so only those who might fall under it are fetched.
    partners = frozenset(rulebook.live().rules.partners)
    suspects = (
        accounts.exclude(contract=Account.Contract.STANDARD)
        | accounts.filter(verification=Account.Verification.ORGANIZATION)
        | accounts.filter(organization_id__in=partners)
    )
    return [
        {"account_id": account.external_id, "why": why}
        for account in suspects.order_by("external_id")
        if (why := policies.protection_of(account, partners))
    ]


def _weak(case: Case, ids: list[int]) -> list[str]:
    if case.cluster_id is None:
        return []
    members = Membership.objects.filter(
        cluster=case.cluster_id, account__in=one_of(ids)
    )
    doubtful = members.filter(stability__lt=policies.WEAK_STABILITY) | members.filter(
        support__lte=policies.WEAK_SUPPORT
    )
    return sorted(doubtful.values_list("account__external_id", flat=True))


def external_ids(account_ids: Iterable[int]) -> list[str]:
    """The platform's names of accounts, sorted."""
    accounts = Account.objects.filter(pk__in=one_of(account_ids))
    return sorted(accounts.values_list("external_id", flat=True))
