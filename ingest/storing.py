"""Records → rows, within the caller's transaction: keys, accounts, events, marks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec
from django.conf import settings
from django.db import connection

from ingest import accounts, columns, fingerprints, partitions, templates
from ingest.columns import EVENT_COLUMNS, Place
from ingest.lines import Chunk
from ingest.meanings import SKEW_FLAGGED
from ingest.models import Batch, ModelRelease, QuarantinedLine, ResponseHash, StaleDay
from ingest.quarantine import KeptLine
from ingest.schemas import Account, Activity, Record, Request
from ingest.schemas import ModelRelease as Release
from ingest.verdicts import shown

# A session that runs past midnight is the next day's business too (rollups.py).
SESSION_GAP: Final = timedelta(minutes=30)
_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class Entry:
    """One accepted record and where it stood; its keys are filled in by `store`."""

    batch: Batch
    chunk: Chunk
    line: int
    record: Record
    digest: str = ""
    content: str = ""


class Tally:
    """What became of the records, by batch."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.stored: Counter[int] = Counter()
        self.duplicates: Counter[int] = Counter()
        self.conflicts: Counter[int] = Counter()
        self.refused: Counter[int] = Counter()
        self.kept: list[KeptLine] = []
        self.places = {
            batch.pk: Place(
                batch.source_id,
                batch.pk,
                batch.received_at,
                batch.received_at + SKEW_FLAGGED,
            )
            for batch in batches
        }


@lru_cache(maxsize=8)
def _subkey(master: str, purpose: str) -> bytes:
    return fingerprints.subkey(master, purpose)


def fingerprint_key() -> bytes:
    """The key that gateways hold too; it does not give away the master key."""
    return _subkey(settings.HASH_KEY, "fingerprint")


def mail_key() -> bytes:
    return _subkey(settings.HASH_KEY, "mailbox")


def store(entries: Sequence[Entry], tally: Tally) -> None:
    """Stores what is new among the entries, in the order they were received."""
    for entry in entries:
        _sign(entry)
    fresh = _claim_keys(_unlike(entries, tally), tally)
    if not fresh:
        return
    ids = accounts.resolve(_mentions(fresh))
    _store_accounts(fresh, ids)
    _store_releases(each.record for each in fresh if isinstance(each.record, Release))
    _store_events(fresh, ids, tally)


def _sign(entry: Entry) -> None:
    """Who the record is (`digest`) and what it says (`content`), 128 bits each."""
    record, source = entry.record, entry.batch.source_id
    if isinstance(record, Request | Activity):
        record.occurred_at = columns.in_utc(record.occurred_at)
        if isinstance(record, Request) and record.operation == "chat":
            record.operation = None
        entry.content = sha256(_ENCODER.encode(record)).hexdigest()[:32]
        identity = f"{source}\0{record.event_id}".encode()
        entry.digest = sha256(identity).hexdigest()[:32]
        return
    entry.content = sha256(_ENCODER.encode(record)).hexdigest()[:32]
    identity = f"{source}\0\0{entry.content}".encode()
    entry.digest = sha256(identity).hexdigest()[:32]


def _unlike(entries: Sequence[Entry], tally: Tally) -> list[Entry]:
    """The first entry of each digest; the others are judged against it."""
    first: dict[str, Entry] = {}
    for entry in entries:
        known = first.setdefault(entry.digest, entry)
        if known is not entry:
            _judge_repeat(entry, known.content, tally)
    return list(first.values())


def _judge_repeat(entry: Entry, known_content: str, tally: Tally) -> None:
    if entry.content == known_content:
        tally.duplicates[entry.batch.pk] += 1
        return
    tally.conflicts[entry.batch.pk] += 1
    event_id = getattr(entry.record, "event_id", "")
    tally.kept.append(
        KeptLine(
            batch_id=entry.batch.pk,
            fate=QuarantinedLine.Fate.CONFLICT.value,
            line=entry.line,
            byte_offset=None,
            field="event_id",
            code="conflict",
            message=f"`event_id` {shown(event_id)} was received before with other "
            "content, which was kept; send a correction under an id of its own.",
            raw=entry.chunk.line(entry.line),
        )
    )


_INSERT_KEYS: Final = """
WITH sent AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::date[])
        WITH ORDINALITY AS sent (digest, content, batch_id, occurred_on, place)
), new AS (
    INSERT INTO ingest_eventkey (digest, content, batch_id, occurred_on)
    SELECT digest, content, batch_id, occurred_on FROM sent ORDER BY digest
    ON CONFLICT DO NOTHING RETURNING digest
)
SELECT place - 1 FROM sent LEFT JOIN new USING (digest) WHERE new.digest IS NULL
"""
_OLD_CONTENT: Final = """
SELECT replace(digest::text, '-', ''), replace(content::text, '-', '')
FROM ingest_eventkey WHERE digest = ANY(%s::uuid[])
"""


def _claim_keys(entries: list[Entry], tally: Tally) -> list[Entry]:
    """Inserts the keys; gives the entries whose key nobody had."""
    if not entries:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_KEYS,
            [
                _array(entry.digest for entry in entries),
                _array(entry.content for entry in entries),
                _array(str(entry.batch.pk) for entry in entries),
                _array(str(_day(entry.record)) for entry in entries),
            ],
        )
        old = {place for (place,) in cursor.fetchall()}
        known: dict[str, str] = {}
        if old:
            cursor.execute(_OLD_CONTENT, [_array(entries[each].digest for each in old)])
            known = dict(cursor.fetchall())
    for place in sorted(old):
        _judge_repeat(entries[place], known[entries[place].digest], tally)
    fresh = [entry for place, entry in enumerate(entries) if place not in old]
    tally.stored.update(entry.batch.pk for entry in fresh)
    return fresh


def _array(texts: Iterable[str]) -> str:
    """An array as PostgreSQL writes it: much cheaper to send than adapted values."""
    return "{" + ",".join(texts) + "}"


def _day(record: Record) -> date:
    if isinstance(record, Request | Activity):
        return record.occurred_at.date()
    at = record.updated_at if isinstance(record, Account) else record.released_at
    return columns.in_utc(at).date()


def _mentions(entries: Sequence[Entry]) -> dict[str, datetime]:
    """Every account that is named, with the earliest time."""
    seen: dict[str, datetime] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Release):
            continue
        at = record.updated_at if isinstance(record, Account) else record.occurred_at
        if (known := seen.get(record.account_id)) is None or at < known:
            seen[record.account_id] = at
    return seen


def _store_accounts(entries: Sequence[Entry], ids: dict[str, int]) -> None:
    records = [each.record for each in entries if isinstance(each.record, Account)]
    if not records:
        return
    changed = accounts.merge(records, mail_key())
    # Their shared values are sighted with the rollup of a day of theirs.
    StaleDay.objects.bulk_create(
        StaleDay(
            account_id=ids[each.external_id],
            day=(each.created_at or each.first_seen_at).date(),
        )
        for each in changed
    )


def _store_releases(releases: Iterable[Release]) -> None:
    """The earliest time told is when a model came out."""
    for release in sorted(releases, key=lambda each: (each.model, each.released_at)):
        at = columns.in_utc(release.released_at)
        row, made = ModelRelease.objects.get_or_create(
            model=release.model, defaults={"released_at": at}
        )
        if not made and at < row.released_at:
            ModelRelease.objects.filter(pk=row.pk, released_at__gt=at).update(
                released_at=at
            )


def _store_events(entries: Sequence[Entry], ids: dict[str, int], tally: Tally) -> None:
    key = fingerprint_key()
    rows: list[columns.Row] = []
    marks: set[tuple[int, date]] = set()
    answers: list[tuple[str, int, Request]] = []
    wordings: dict[int, templates.Wording] = {}
    for entry in entries:
        event = entry.record
        if not isinstance(event, Request | Activity):
            continue
        account = ids[event.account_id]
        hashes = columns.hashes_of(event, key) if isinstance(event, Request) else None
        place = tally.places[entry.batch.pk]
        rows.append(columns.event_row(event, place, account, hashes))
        marks.add((account, event.occurred_at.date()))
        marks.add((account, (event.occurred_at + SESSION_GAP).date()))
        if isinstance(event, Request) and hashes is not None and hashes.response:
            answers.append((hashes.response, account, event))
        if hashes is not None and hashes.prompt is not None:
            templates.note(wordings, hashes.prompt, account)
    if not rows:
        return
    partitions.ensure_partitions({day for _, day in marks})
    _copy("ingest_event", EVENT_COLUMNS, rows)
    _store_answers(answers)
    templates.store(wordings)
    _mark(marks)


def _copy(table: str, names: Sequence[str], rows: list[columns.Row]) -> None:
    if not rows:
        return
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN {columns.COPY_FORMAT}"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(columns.copy_text(rows))


def _store_answers(answers: Sequence[tuple[str, int, Request]]) -> None:
    _copy(
        ResponseHash._meta.db_table,
        ("response_hash", "account_id", "conversation_id", "occurred_at"),
        [
            (answer, account, request.conversation_id or None, request.occurred_at)
            for answer, account, request in answers
        ],
    )


def _mark(marks: set[tuple[int, date]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ingest_staleday (account_id, day, marked_at) "
            "SELECT account_id, day, now() FROM unnest(%s::bigint[], %s::date[]) "
            "AS marks (account_id, day)",
            [
                _array(str(account) for account, _ in marks),
                _array(str(day) for _, day in marks),
            ],
        )
