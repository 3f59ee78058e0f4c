"""What people told the machine about accounts. The latest label of an account counts."""

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
