"""Every line has one fate: received = stored + duplicate + conflict + quarantined +
refused, by source and day, checked against the rows themselves."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from django.db import connection

# The counters of each batch beside what is really there: keys of stored records,
# events, and kept lines. What a pending or parked batch accepted is still to come.
_LEDGER: Final = """
WITH keys AS (
    SELECT batch_id, count(*) AS n FROM ingest_eventkey GROUP BY batch_id
), kept AS (
    SELECT batch_id, count(*) AS n FROM ingest_quarantinedline
    GROUP BY batch_id
)
SELECT source.name, (batch.received_at AT TIME ZONE 'UTC')::date AS day,
    sum(batch.received), sum(batch.stored), sum(batch.duplicates),
    sum(batch.conflicts), sum(batch.quarantined), sum(batch.refused),
    sum(CASE WHEN batch.state = 'stored' THEN 0 ELSE batch.accepted END),
    count(*) FILTER (WHERE batch.received <> batch.stored + batch.duplicates
        + batch.conflicts + batch.quarantined + batch.refused
        + CASE WHEN batch.state = 'stored' THEN 0 ELSE batch.accepted END),
    count(*) FILTER (WHERE batch.stored <> coalesce(keys.n, 0)),
    count(*) FILTER (WHERE batch.conflicts + batch.quarantined + batch.refused
        <> coalesce(kept.n, 0))
FROM ingest_batch AS batch
JOIN ingest_source AS source ON source.id = batch.source_id
LEFT JOIN keys ON keys.batch_id = batch.id
LEFT JOIN kept ON kept.batch_id = batch.id
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class LedgerRow:
    """One source and day. `pending` was accepted and is not stored yet.

    The last three count batches whose sums, stored records or kept lines disagree.
    """

    source: str
    day: date
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

    @property
    def adds_up(self) -> bool:
        return not (
            self.batches_not_adding_up
            or self.batches_missing_records
            or self.batches_missing_lines
        )

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "day": self.day.isoformat(), "adds_up": self.adds_up}


def ledger() -> list[LedgerRow]:
    with connection.cursor() as cursor:
        cursor.execute(_LEDGER)
        return [LedgerRow(name, day, *map(int, rest)) for name, day, *rest in cursor]
