"""What was told of each account, record by record, and what changed by it when."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from django.db import connection
from django.utils import timezone

from ingest.drain import merging
from ingest.drain.merging import Telling
from ingest.models import AccountRecord

_ENCODER: Final = msgspec.json.Encoder()
_COPY: Final = """
COPY ingest_accountrecord (account_id, batch_id, updated_at, told, cut_fields)
FROM STDIN
"""


def keep(tellings: Iterable[tuple[int, int, Telling]]) -> None:
    """Adds (account, batch, record) rows within the caller's transaction."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for account_id, batch_id, told in tellings:
            values = _ENCODER.encode(told.values).decode()
            cut = _ENCODER.encode(sorted(told.cut)).decode()
            copy.write_row((account_id, batch_id, told.updated_at, values, cut))


def remaining(account_ids: Sequence[int]) -> dict[int, list[Telling]]:
    """The records that were not excluded, by account."""
    records = AccountRecord.objects.filter(
        account_id__in=account_ids, excluded_at__isnull=True
    )
    tellings: dict[int, list[Telling]] = defaultdict(list)
    for record in records.order_by("pk"):
        tellings[record.account_id].append(_telling(record))
    return tellings


def exclude(batch_ids: Iterable[int]) -> set[int]:
    """Takes out what these batches told; gives the accounts to be rebuilt."""
    records = AccountRecord.objects.filter(
        batch_id__in=list(batch_ids), excluded_at__isnull=True
    )
    account_ids = set(records.values_list("account_id", flat=True))
    records.update(excluded_at=timezone.now())
    return account_ids


def include(batch_ids: Iterable[int]) -> set[int]:
    """Takes back that these batches were excluded; gives the accounts to rebuild."""
    records = AccountRecord.objects.filter(
        batch_id__in=list(batch_ids), excluded_at__isnull=False
    )
    account_ids = set(records.values_list("account_id", flat=True))
    records.update(excluded_at=None)
    return account_ids


def _telling(record: AccountRecord) -> Telling:
    values = dict(record.told)
    if created_at := values.get("created_at"):
        # As it came from the database, so that equal instants compare equal.
        values["created_at"] = datetime.fromisoformat(created_at)
    return Telling(record.updated_at, values, frozenset(record.cut_fields))


@dataclass(frozen=True, slots=True)
class Change:
    """One field that got another value; `before` is None where none was told."""

    at: datetime
    field: str
    before: object
    after: object
    batch_id: int | None


def changes(account_id: int, *, limit: int = 50) -> list[Change]:
    """What changed when by the records that count, the newest first.

    In the order of the times told, whatever order they came in. The first value that
    is ever told of a field is no change.
    """
    records = AccountRecord.objects.filter(
        account_id=account_id, excluded_at__isnull=True
    )
    found = list(_changes(records.order_by("updated_at", "pk")))
    return found[::-1][:limit]


def _changes(records: Iterable[AccountRecord]) -> Iterator[Change]:
    known: dict[str, object] = {}
    times: dict[str, datetime] = {}
    for record in records:
        told = _telling(record)
        for name in merging.FIELDS:
            value = told.values.get(name)
            if value is None or value == known.get(name):
                continue
            # Of two values told at one time the greater one counts (`merging`).
            same_time = times.get(name) == told.updated_at
            if same_time and str(value) < str(known[name]):
                continue
            if name in known:
                yield Change(told.updated_at, name, known[name], value, record.batch_id)
            known[name], times[name] = value, told.updated_at
