"""Whose batches are stored next when many wait: each key's first, then each second.

Oldest first would let one key that sends a hundred times as much as the others make
all of them wait behind it. Within a key the oldest comes first as ever. What came
without a key, files and the like, waits as one.
"""

from typing import Final

from django.db import connection

_NEXT: Final = """
WITH senders AS MATERIALIZED (
    SELECT DISTINCT key_id FROM ingest_batch WHERE state = 'pending'
), waiting AS (
    SELECT own.id, own.turn FROM senders CROSS JOIN LATERAL (
        SELECT id, row_number() OVER (ORDER BY id) AS turn FROM (
            SELECT id FROM ingest_batch AS batch
            WHERE state = 'pending' AND batch.key_id = senders.key_id
              AND attempts = 0 AND claimed_at IS NULL
            ORDER BY id LIMIT %(limit)s
        ) AS first
    ) AS own
    UNION ALL
    SELECT id, row_number() OVER (ORDER BY id) FROM (
        SELECT id FROM ingest_batch
        WHERE state = 'pending' AND key_id IS NULL
          AND attempts = 0 AND claimed_at IS NULL
        ORDER BY id LIMIT %(limit)s
    ) AS nobody
)
SELECT id FROM waiting ORDER BY turn, id LIMIT %(limit)s
"""


def next_batches(limit: int) -> list[int]:
    """Batches that nobody has tried yet, in the order in which it is their turn."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"limit": limit})
        return [pk for (pk,) in cursor.fetchall()]
