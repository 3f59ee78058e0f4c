"""Every line has one fate: received = stored + duplicate + conflict + quarantined +
refused, by source, day and key, checked against the rows themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

# The counters of each batch beside what is really there: events and kept lines. What
# retention took away it has counted, and what a pending or parked batch accepted is
# still to come.
_LEDGER: Final = """
WITH events AS (
    SELECT batch_id, count(*) AS n FROM ingest_event GROUP BY batch_id
), kept AS (
    SELECT batch_id, count(*) AS n FROM ingest_quarantinedline
    GROUP BY batch_id
)
SELECT source.name, (batch.received_at AT TIME ZONE 'UTC')::date AS day,
    coalesce(key.prefix, ''),
    sum(batch.received), sum(batch.stored), sum(batch.duplicates),
    sum(batch.conflicts), sum(batch.quarantined), sum(batch.refused),
    sum(CASE WHEN batch.state = 'stored' THEN 0 ELSE batch.accepted END),
    count(*) FILTER (WHERE batch.received <> batch.stored + batch.duplicates
        + batch.conflicts + batch.quarantined + batch.refused
        + CASE WHEN batch.state = 'stored' THEN 0 ELSE batch.accepted END),
    count(*) FILTER (WHERE coalesce(events.n, 0) + batch.events_dropped
        + batch.excluded
        <> coalesce(batch.stored_events, events.n, 0)
        OR batch.stored_events > batch.stored),
    count(*) FILTER (WHERE batch.conflicts + batch.quarantined + batch.refused
        <> coalesce(kept.n, 0) + batch.lines_dropped),
    sum(batch.excluded)
FROM ingest_batch AS batch
JOIN ingest_source AS source ON source.id = batch.source_id
LEFT JOIN ingest_ingestkey AS key ON key.id = batch.key_id
LEFT JOIN events ON events.batch_id = batch.id
LEFT JOIN kept ON kept.batch_id = batch.id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_REFUSED: Final = """
SELECT source.name, coalesce(key.prefix, ''), (hour AT TIME ZONE 'UTC')::date,
    code, status, sum(count), sum(byte_count)
FROM ingest_refusedrequest
LEFT JOIN ingest_ingestkey AS key ON key.id = key_id
LEFT JOIN ingest_source AS source ON source.id = key.source_id
GROUP BY 1, 2, 3, 4, 5 ORDER BY 3, 1 NULLS LAST, 2, 4
"""


@dataclass(frozen=True)
class LedgerRow:
    """One source and day, and one key where `key` says so: `""` is for what came
    without one, as files do. `pending` was accepted and is not stored yet.

    The last three count batches whose sums, stored events or kept lines disagree.
    """

    source: str
    day: date
    key: str | None
    received: int
    stored: int
    duplicate: int
    conflict: int
    quarantined: int
    refused: int
    pending: int
    batches_not_adding_up: int
    batches_missing_records: int
    batches_missing_lines: int
    # Of those stored, the events that a take-back has taken out since.
    excluded: int

    @property
    def adds_up(self) -> bool:
        return not (
            self.batches_not_adding_up
            or self.batches_missing_records
            or self.batches_missing_lines
        )

    def as_json(self) -> dict[str, object]:
        row = {**asdict(self), "day": self.day.isoformat(), "adds_up": self.adds_up}
        if self.key is None:
            del row["key"]
        return row


_COUNTS: Final = tuple(
    each.name for each in fields(LedgerRow) if each.name not in {"source", "day", "key"}
)


@dataclass(frozen=True)
class RefusedRow:
    """Requests that were answered with an error, of which nothing was kept.

    They had no lines yet, so they stand beside the ledger and not in its sums.
    `source` is empty where the key was unknown; `bytes` is what was announced.
    """

    source: str
    key: str
    day: date
    code: str
    status: int
    requests: int
    bytes: int

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "day": self.day.isoformat()}


def ledger_by_key() -> list[LedgerRow]:
    """By source, day and key. Counts every event: for a command, not for a page."""
    with connection.cursor() as cursor:
        cursor.execute(_LEDGER)
        return [
            LedgerRow(source, day, key, *map(int, counts))
            for source, day, key, *counts in cursor
        ]


def by_source_and_day(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The same, with the keys of each source and day added up."""
    sums: dict[tuple[str, date], LedgerRow] = {}
    for row in rows:
        place = row.source, row.day
        known = sums.get(place)
        sums[place] = _sum(known, row) if known else replace(row, key=None)
    return list(sums.values())


def _sum(one: LedgerRow, other: LedgerRow) -> LedgerRow:
    added = {name: getattr(one, name) + getattr(other, name) for name in _COUNTS}
    return replace(one, **added)


def ledger() -> list[LedgerRow]:
    return by_source_and_day(ledger_by_key())


def refused_requests() -> list[RefusedRow]:
    with connection.cursor() as cursor:
        cursor.execute(_REFUSED)
        return [
            RefusedRow(source or "", key, day, code, status, int(count), int(size))
            for source, key, day, code, status, count, size in cursor
        ]


def note_dropped_events(cursor: CursorWrapper, partition: str) -> int:
    """Counts, by batch, the events of a partition that is about to be dropped.

    To be called in the transaction that drops it, so that the ledger goes on adding
    up. `partition` is a name of `partitions.partition_name`. Says how many there were.
    """
    cursor.execute(  # the name is made of a date
        f"WITH gone AS (SELECT batch_id, count(*) AS n FROM {partition} "  # noqa: S608
        "GROUP BY batch_id), noted AS (UPDATE ingest_batch SET "
        "events_dropped = events_dropped + n FROM gone WHERE id = gone.batch_id) "
        "SELECT coalesce(sum(n), 0) FROM gone"
    )
    return int(cursor.fetchone()[0])


def note_dropped_lines(cursor: CursorWrapper, batch_ids: Sequence[int]) -> None:
    """Counts kept lines that were deleted; `batch_ids` holds one for each line."""
    cursor.execute(
        "UPDATE ingest_batch SET lines_dropped = lines_dropped + n FROM ("
        "SELECT batch_id, count(*) AS n FROM unnest(%s::bigint[]) AS gone (batch_id) "
        "GROUP BY batch_id) AS gone WHERE id = gone.batch_id",
        [list(batch_ids)],
    )
