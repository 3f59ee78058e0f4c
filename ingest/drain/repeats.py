"""Records that two keys sent: the second copy is a duplicate, until the first goes.

Only the first copy is stored. Should what the first key sent be taken out again
(`takeback.py`), the second copy must have been there all along; so it is noted, which
costs a row for each record that came with two keys and nothing for plain retries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from ingest.drain import account_history, merging
from ingest.models import Account, ReleaseRecord
from ingest.records import columns, schemas

# Writers hold it shared and a take-back holds it alone, for one day's records at a
# time: what is being judged a duplicate cannot lose its first copy meanwhile.
LOCK: Final = 7_301_004

# Files come without a key: two of their batches count as two senders.
_NOTE: Final = """
INSERT INTO ingest_eventrepeat (digest, batch_id, line)
SELECT DISTINCT ON (told.digest, told.batch_id) told.digest, told.batch_id, told.line
FROM unnest(%s::uuid[], %s::bigint[], %s::int[]) AS told (digest, batch_id, line)
JOIN ingest_eventkey AS known ON known.digest = told.digest
JOIN ingest_batch AS first ON first.id = known.batch_id
JOIN ingest_batch AS again ON again.id = told.batch_id
WHERE first.id <> again.id
  AND (first.key_id IS DISTINCT FROM again.key_id OR first.key_id IS NULL)
ORDER BY told.digest, told.batch_id, told.line NULLS FIRST
ON CONFLICT DO NOTHING RETURNING digest, batch_id
"""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A record that was not stored since one with its identity was there.

    `line` is its number where its content differs, and None where it is the same.
    """

    digest: str
    batch_id: int
    record: schemas.Record
    line: int | None


def hold_off() -> None:
    """Keeps take-backs out until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])


def note(repeats: Sequence[Repeat], mail_key: bytes) -> None:
    """Keeps those that came with another key than the first, in the transaction."""
    if not repeats:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            [
                [each.digest for each in repeats],
                [each.batch_id for each in repeats],
                [each.line for each in repeats],
            ],
        )
        noted = set(cursor.fetchall())
    # Accounts and releases are made of every record that tells of them.
    told = {
        (each.digest, each.batch_id): each
        for each in repeats
        if isinstance(each.record, schemas.Account | schemas.ModelRelease)
        and (UUID(each.digest), each.batch_id) in noted
    }
    if told:
        _keep_tellings(list(told.values()), mail_key)


def _keep_tellings(repeats: Sequence[Repeat], mail_key: bytes) -> None:
    records = [
        (each.batch_id, each.record)
        for each in repeats
        if isinstance(each.record, schemas.Account)
    ]
    names = {record.account_id for _, record in records}
    found = Account.objects.filter(external_id__in=names)
    pks = dict(found.values_list("external_id", "pk"))
    account_history.keep(
        (pks[record.account_id], batch_id, merging.telling(record, mail_key))
        for batch_id, record in records
        if record.account_id in pks
    )
    keep_releases(
        (each.batch_id, each.record)
        for each in repeats
        if isinstance(each.record, schemas.ModelRelease)
    )


def keep_releases(releases: Iterable[tuple[int, schemas.ModelRelease]]) -> None:
    """What each batch told of releases: the earliest time is when a model came out."""
    ReleaseRecord.objects.bulk_create(
        ReleaseRecord(
            model=release.model,
            batch_id=batch_id,
            released_at=columns.in_utc(release.released_at),
        )
        for batch_id, release in releases
    )
