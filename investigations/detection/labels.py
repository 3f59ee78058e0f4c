"""What people told the machine about accounts. The newest label of each counts."""

from collections.abc import Iterable
from datetime import datetime

from investigations.detection.models import Label


def record(
    *, account_ids: Iterable[int], kind: str, reason: str, given_by: str, at: datetime
) -> None:
    """Label accounts (primary keys); `given_by` is the decision's reference as text."""
    Label.objects.bulk_create(
        (
            Label(
                account_id=pk, kind=kind, reason=reason, given_by=given_by, given_at=at
            )
            for pk in account_ids
        ),
        batch_size=5_000,
    )


def newest(as_of: datetime) -> dict[int, tuple[str, datetime]]:
    """Account → (kind, when), as known at `as_of`; what has run out is left out."""
    given = (
        Label.objects.filter(given_at__lte=as_of)
        .order_by("account", "given_at", "pk")
        .values_list("account", "kind", "given_at", "until")
    )
    latest = {account: (kind, at, until) for account, kind, at, until in given}
    return {
        account: (kind, at)
        for account, (kind, at, until) in latest.items()
        if until is None or until > as_of
    }
