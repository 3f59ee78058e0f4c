"""Legal holds: what no age deletes. They win over every keep-by setting.

Whoever deletes with age takes LOCK (`wait`) and asks what is held in the statement that
deletes, and whoever places a hold takes LOCK too: so a hold that was confirmed is
known to every deletion that comes after, and one that is under way ends first.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet
from django.utils import timezone

from ingest.models import LegalHold, LegalHoldAccount, Source

LOCK: Final = 7_301_010


@transaction.atomic
def place(  # noqa: PLR0913 - what the form asks, word for word
    *,
    scope: str,
    reason: str,
    placed_by: str,
    account_ids: Iterable[int] = (),
    case_ref: str = "",
    organization_id: str | None = None,
    source: Source | None = None,
    from_day: date | None = None,
    to_day: date | None = None,
    expires_at: datetime | None = None,
) -> LegalHold:
    """Waits for a deletion that is under way, then nothing it covers is deleted."""
    with connection.cursor() as cursor:
        wait(cursor)
    hold = LegalHold.objects.create(
        scope=scope,
        reason=reason,
        placed_by=placed_by,
        placed_at=timezone.now(),
        case_ref=case_ref,
        organization_id=organization_id,
        source=source,
        from_day=from_day,
        to_day=to_day,
        expires_at=expires_at,
    )
    LegalHoldAccount.objects.bulk_create(
        [LegalHoldAccount(hold=hold, account_id=pk) for pk in sorted(set(account_ids))],
        batch_size=1000,
    )
    return hold


def release(hold: LegalHold, *, reason: str, released_by: str) -> bool:
    """Whether it was in force; what it kept goes with the next run."""
    return bool(
        in_force()
        .filter(pk=hold.pk)
        .update(
            released_at=timezone.now(),
            released_by=released_by,
            release_reason=reason,
        )
    )


def in_force(at: datetime | None = None) -> QuerySet[LegalHold]:
    running = Q(expires_at=None) | Q(expires_at__gt=at or timezone.now())
    return LegalHold.objects.filter(running, released_at=None)


# One row for each account, source or "everything" that is held, with its days. Members
# of an organisation are those of today and whoever was told to belong to it.
# Goes before a statement that uses `is_held`; %(now)s is the clock.
WITH_HELD: Final = """
WITH held AS MATERIALIZED (
WITH hold AS (
    SELECT id, scope, organization_id, source_id,
        coalesce(from_day, date '-infinity') AS from_day,
        coalesce(to_day, date 'infinity') AS to_day
    FROM ingest_legalhold
    WHERE released_at IS NULL AND (expires_at IS NULL OR expires_at > %(now)s)
), member AS (
    SELECT hold_id, account_id FROM ingest_legalholdaccount
    UNION
    SELECT hold.id, account.id FROM hold
    JOIN ingest_account AS account USING (organization_id)
    UNION
    SELECT hold.id, record.account_id FROM hold JOIN ingest_accountrecord AS record
        ON record.told ->> 'organization_id' = hold.organization_id
)
SELECT account_id, NULL::bigint AS source_id, from_day, to_day
FROM hold JOIN member ON member.hold_id = hold.id
WHERE scope IN ('accounts', 'case', 'organization')
UNION
SELECT NULL, source_id, from_day, to_day FROM hold
WHERE scope IN ('source', 'everything')
)"""


def wait(cursor: CursorWrapper) -> None:
    """Until this transaction ends nobody can place a hold; those placed are seen."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def is_held(*, day: str, account: str | None, source: str | None) -> str:
    """SQL that is true for a row that is held; the arguments are SQL expressions.

    A row that does not tell its source is held with every source of its day.
    """
    by_source = f"held.source_id = {source} OR" if source else ""
    if not source:
        by_source = "held.source_id IS NOT NULL OR"
    broad = (
        "EXISTS (SELECT FROM held WHERE held.account_id IS NULL AND "
        f"({by_source} held.source_id IS NULL) AND {_within(day)})"
    )
    if account is None:
        return broad
    narrow = (
        f"EXISTS (SELECT FROM held WHERE held.account_id = {account} AND "
        f"{_within(day)})"
    )
    return f"({broad} OR {narrow})"


def _within(day: str) -> str:
    return f"{day} BETWEEN held.from_day AND held.to_day"
