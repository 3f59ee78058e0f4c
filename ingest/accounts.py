"""Accounts as the platform tells of them: stubs, and records merged into them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db import connection

from ingest import columns, merging, schemas
from ingest.models import Account

Seen = Mapping[str, datetime]  # account_id → earliest time it was mentioned
_WRITTEN: Final = [
    *merging.FIELDS,
    "updated_at",
    "first_seen_at",
    "field_times",
    "cut_fields",
]


def resolve(seen: Seen) -> dict[str, int]:
    """Primary keys of these accounts; the unknown ones are made as stubs."""
    known = _rows(seen)
    missing = sorted(seen.keys() - known.keys())
    if missing:
        # Sorted, so that two who make the same stubs cannot wait for each other.
        Account.objects.bulk_create(
            [Account(external_id=each, first_seen_at=seen[each]) for each in missing],
            ignore_conflicts=True,
            batch_size=1000,
        )
        known |= _rows(missing)
    _move_first_seen(seen, known)
    return {external_id: pk for external_id, (pk, _) in known.items()}


def _rows(external_ids: Iterable[str]) -> dict[str, tuple[int, datetime]]:
    rows = Account.objects.filter(external_id__in=list(external_ids)).values_list(
        "external_id", "pk", "first_seen_at"
    )
    return {external_id: (pk, at) for external_id, pk, at in rows}


def _move_first_seen(seen: Seen, known: Mapping[str, tuple[int, datetime]]) -> None:
    earlier = sorted(
        (pk, seen[each]) for each, (pk, at) in known.items() if seen[each] < at
    )
    if not earlier:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ingest_account SET first_seen_at = told.at "
            "FROM unnest(%s::bigint[], %s::timestamptz[]) AS told (pk, at) "
            "WHERE id = told.pk AND first_seen_at > told.at",
            [[pk for pk, _ in earlier], [at for _, at in earlier]],
        )


def merge(records: Iterable[schemas.Account], mail_key: bytes) -> list[Account]:
    """Writes what the records tell; gives the accounts that changed by it.

    The rows must exist (`resolve` made them); they are locked until the commit.
    """
    by_account: dict[str, list[schemas.Account]] = defaultdict(list)
    for record in records:
        by_account[record.account_id].append(record)
    rows = Account.objects.filter(external_id__in=list(by_account))
    changed = [
        account
        for account in rows.order_by("pk").select_for_update()
        # Every record is applied; any() would stop at the first that tells something.
        if sum(_tell(account, record, mail_key) for record in by_account[str(account)])
    ]
    Account.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["external_id"],
        update_fields=_WRITTEN,
        batch_size=500,
    )
    return changed


def _tell(account: Account, record: schemas.Account, mail_key: bytes) -> bool:
    updated_at = columns.in_utc(record.updated_at)
    current = {name: getattr(account, name) for name in merging.FIELDS}
    times = merging.known_times(current, account.updated_at, account.field_times)
    new = merging.told(record, mail_key)
    won = merging.winners(current, times, new, merging.micros(updated_at))
    newer = account.updated_at is None or updated_at > account.updated_at
    if not won and not newer:
        return False
    for name, value in won.items():
        setattr(account, name, value)
    cut = set(account.cut_fields) - won.keys()
    account.cut_fields = sorted(cut | set(columns.cut_fields(record)) & won.keys())
    latest = updated_at if newer or account.updated_at is None else account.updated_at
    account.updated_at = latest
    account.field_times = merging.kept_times(times, latest)
    return True
