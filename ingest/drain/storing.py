"""Records → rows, within the caller's transaction: keys, accounts, events, marks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, cast

import numpy as np
import polars as pl
from django.conf import settings

from ingest import fingerprints
from ingest.drain import (
    accounts,
    copying,
    eventkeys,
    merging,
    partitions,
    repeats,
    words,
)
from ingest.drain.eventkeys import Integers, Keys
from ingest.drain.repeats import Repeat
from ingest.mending.quarantine import KeptLine
from ingest.models import Batch, ModelRelease, QuarantinedLine
from ingest.places import enrichment
from ingest.records import columns
from ingest.records.columns import Place
from ingest.records.lines import Chunk
from ingest.records.meanings import SKEW_FLAGGED
from ingest.records.schemas import Account, Activity, Event, Record, Request
from ingest.records.schemas import ModelRelease as Release
from ingest.records.verdicts import shown
from ingest.rolling import marks

DAY: Final = 86_400  # seconds
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Part:
    """Accepted records of one batch; `lines[i]` is where `records[i]` stood."""

    batch: Batch
    chunk: Chunk
    lines: Sequence[int]
    records: list[Record]
    # The records as they would be written, where reading has made that already.
    written: bytes | None = None


class Tally:
    """What became of the records, by batch."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.stored: Counter[int] = Counter()
        # Of those stored, the ones that are events: the ledger finds them again.
        self.events: Counter[int] = Counter()
        self.skewed: Counter[int] = Counter()
        self.duplicates: Counter[int] = Counter()
        self.conflicts: Counter[int] = Counter()
        self.refused: Counter[int] = Counter()
        self.kept: list[KeptLine] = []
        self.repeats: list[Repeat] = []
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


@dataclass(frozen=True, slots=True)
class _Events:
    """Requests or activities of a commit, in the order they were received.

    `table` is what `columns.read` gives, with `place` (among all records of the
    commit), `part` (among its parts) and `row` (among `records`).
    """

    kind: type[Event]
    records: Sequence[Event]
    table: pl.DataFrame

    def without(self, old: set[int]) -> "_Events":
        if not old:
            return self
        fresh = self.table.filter(~pl.col("place").is_in(sorted(old)))
        return _Events(self.kind, self.records, fresh)


@dataclass(frozen=True, slots=True)
class _Records:
    """All records of a commit, in the order they were received.

    `others` are those that are no events, by their place.
    """

    parts: Sequence[Part]
    events: Sequence[_Events]
    others: Mapping[int, Account | Release]

    def part_of(self, place: int) -> tuple[Part, int]:
        """The part that holds this record, and where in it."""
        for part in self.parts:
            if place < len(part.records):
                return part, place
            place -= len(part.records)
        raise IndexError(place)


def store(parts: Sequence[Part], tally: Tally) -> None:
    """Stores what is new among the records, in the order they were received."""
    parts = [part for part in parts if part.records]
    if not parts:
        return
    signed = [
        eventkeys.sign(part.batch.source_id, part.records, part.written)
        for part in parts
    ]
    records = _sorted(parts, [line for each in signed for line in each.lines])
    keys = Keys(
        digests=eventkeys.halves(b"".join(each.digests for each in signed)),
        contents=eventkeys.halves(b"".join(each.contents for each in signed)),
        batch_ids=_each(parts, [part.batch.pk for part in parts]),
        days=_days(records),
    )
    old = _claim(keys, records, tally)
    if len(old) < len(keys):
        fresh = _Records(
            parts,
            [each.without(old) for each in records.events],
            {at: each for at, each in records.others.items() if at not in old},
        )
        _store_fresh(fresh, tally)
    for part in parts:
        tally.stored[part.batch.pk] += len(part.records)
    for at in old:
        tally.stored[records.part_of(at)[0].batch.pk] -= 1
    repeats.note(tally.repeats, mail_key())
    tally.repeats = []


def _store_fresh(fresh: _Records, tally: Tally) -> None:
    accounts_told: list[tuple[int, Account]] = []
    releases: list[tuple[int, Release]] = []
    for at, each in fresh.others.items():
        batch = fresh.part_of(at)[0].batch.pk
        if isinstance(each, Account):
            accounts_told.append((batch, each))
        else:
            releases.append((batch, each))
    named = accounts.resolve(_mentions(fresh))
    _store_accounts(accounts_told)
    _store_releases(releases)
    places = [tally.places[part.batch.pk] for part in fresh.parts]
    for some in fresh.events:
        if len(some.table):
            tally.skewed += _store_events(some, places, named)
    _note_stored(fresh, tally)


def _sorted(parts: Sequence[Part], lines: Sequence[bytes]) -> _Records:
    """The requests among the records and the activities, each as a table; the rest."""
    records = [record for part in parts for record in part.records]
    numbers = _each(parts, range(len(parts)))
    kinds = set(map(type, records))
    events = []
    for kind in (Request, Activity):
        if kind not in kinds:
            continue
        places, written = list(range(len(records))), lines
        if len(kinds) > 1:
            places = [at for at, each in enumerate(records) if type(each) is kind]
            written = [lines[at] for at in places]
        own = cast("list[Event]", [records[at] for at in places])
        table = columns.read(kind, own, written).with_columns(
            place=np.array(places), part=numbers[places], row=np.arange(len(places))
        )
        events.append(_Events(kind, own, table))
    others: dict[int, Account | Release] = {}
    if kinds - {Request, Activity}:
        others = {
            at: each
            for at, each in enumerate(records)
            if isinstance(each, Account | Release)
        }
    return _Records(parts, events, others)


def _each(parts: Sequence[Part], values: Sequence[int]) -> Integers:
    """The value of each part, for every one of its records."""
    return np.repeat(np.array(values, np.int64), [len(part.records) for part in parts])


def _days(records: _Records) -> Integers:
    """The UTC day of every record, counted from 1970."""
    days = np.zeros(sum(len(part.records) for part in records.parts), np.int64)
    for some in records.events:
        days[some.table["place"].to_numpy()] = _day_of(some.table).to_numpy()
    for at, each in records.others.items():
        days[at] = _told_at(each).timestamp() // DAY
    return days


def _day_of(table: pl.DataFrame) -> pl.Series:
    seconds = table["occurred_at"].dt.epoch("s")
    return seconds // DAY


def _told_at(record: Account | Release) -> datetime:
    return record.updated_at if isinstance(record, Account) else record.released_at


def _claim(keys: Keys, records: _Records, tally: Tally) -> set[int]:
    """The places of records that are not new; each is judged against the first."""
    twice = eventkeys.repeats(keys)
    places = np.setdiff1d(np.arange(len(keys)), list(twice), assume_unique=True)
    known = eventkeys.claim(keys, places)
    for place in sorted(twice.keys() | known.keys()):
        content = known.get(place) or known.get(twice.get(place, place))
        same = keys.content(place) == (content or keys.content(twice[place]))
        part, at = records.part_of(place)
        record, line = part.records[at], None if same else part.lines[at]
        digest = keys.digest(place).hex()
        tally.repeats.append(Repeat(digest, part.batch.pk, record, line))
        if same:
            tally.duplicates[part.batch.pk] += 1
        else:
            _keep_conflict(part, at, tally)
    return twice.keys() | known.keys()


def _keep_conflict(part: Part, at: int, tally: Tally) -> None:
    tally.conflicts[part.batch.pk] += 1
    event_id = getattr(part.records[at], "event_id", "")
    line = part.lines[at]
    tally.kept.append(
        KeptLine(
            batch_id=part.batch.pk,
            fate=QuarantinedLine.Fate.CONFLICT.value,
            line=line,
            byte_offset=None,
            field="event_id",
            code="conflict",
            message=f"`event_id` {shown(event_id)} was received before with other "
            "content, which was kept; send a correction under an id of its own.",
            raw=part.chunk.line(line),
        )
    )


def _mentions(records: _Records) -> pl.DataFrame:
    """Every account that is named, with the earliest time `at` (microseconds)."""
    seen = [
        some.table.select("account_id", at=pl.col("occurred_at").dt.epoch("us"))
        for some in records.events
    ]
    told = [each for each in records.others.values() if isinstance(each, Account)]
    if told:
        names = pl.Series("account_id", [each.account_id for each in told])
        times = [merging.micros(columns.in_utc(each.updated_at)) for each in told]
        seen.append(pl.DataFrame([names, pl.Series("at", times, dtype=pl.Int64)]))
    nobody = pl.DataFrame(schema={"account_id": pl.String, "at": pl.Int64})
    return pl.concat(seen or [nobody]).group_by("account_id").agg(pl.col("at").min())


def _store_accounts(records: list[tuple[int, Account]]) -> None:
    if not records:
        return
    changed = accounts.merge(records, mail_key())
    marks.mark_accounts(each.pk for each in changed)


def _store_releases(told: Sequence[tuple[int, Release]]) -> None:
    """The earliest time told is when a model came out."""
    repeats.keep_releases(told)
    releases = [release for _, release in told]
    for release in sorted(releases, key=lambda each: (each.model, each.released_at)):
        at = columns.in_utc(release.released_at)
        row, made = ModelRelease.objects.get_or_create(
            model=release.model, defaults={"released_at": at}
        )
        if not made and at < row.released_at:
            ModelRelease.objects.filter(pk=row.pk, released_at__gt=at).update(
                released_at=at
            )


def _store_events(
    some: _Events, places: Sequence[Place], named: pl.DataFrame
) -> Counter[int]:
    """By account and time, so that an index of page ranges finds an account's events
    in a page or two of each commit. Says of each batch how many are flagged."""
    partitions.ensure_partitions(
        _EPOCH + timedelta(days=day) for day in _day_of(some.table).unique()
    )
    pks = some.table.select("account_id").join(
        named, on="account_id", how="left", maintain_order="left"
    )
    table = enrichment.fill(some.table).with_columns(account_id=pks["pk"])
    table = table.sort("account_id", "occurred_at", maintain_order=True)
    if some.kind is Activity:
        rows = columns.activity_rows(table, places)
    else:
        told = words.told(some.records, table["row"], fingerprint_key())
        rows = columns.request_rows(table, places, told)
        words.store(some.records, table, told, places, fingerprint_key())
    options, text = columns.copy_text(rows)
    copying.copy(f"COPY ingest_event {options}", [text])
    return Counter(rows.filter(pl.col("skewed"))["batch_id"].to_list())


def _note_stored(records: _Records, tally: Tally) -> None:
    """Of each batch how many events there are to sum, and in which days and hours."""
    stored = pl.concat(
        [
            some.table.select(
                "part",
                day=_day_of(some.table),
                hour=pl.lit(2).pow(pl.col("occurred_at").dt.hour()).cast(pl.Int64),
            )
            for some in records.events
        ]
        or [pl.DataFrame(schema=dict.fromkeys(("part", "day", "hour"), pl.Int64))]
    )
    pks = pl.Series([part.batch.pk for part in records.parts], dtype=pl.Int64)
    found = (
        stored.with_columns(batch=pks[stored["part"]])
        .group_by("batch")
        .agg(
            pl.len(),
            pl.col("day").min().alias("first"),
            pl.col("day").max().alias("last"),
            pl.col("hour").unique().sum(),
        )
        .sort("batch")
    )
    for pk, count, *_ in found.iter_rows():
        tally.events[pk] += count
    marks.stored(
        marks.StoredBatch(
            batch_id=pk,
            events=count,
            first_on=_EPOCH + timedelta(days=first),
            last_on=_EPOCH + timedelta(days=last),
            hours=hours,
        )
        for pk, count, first, last, hours in found.iter_rows()
    )
