"""From which address blocks a key is used, and when one turns up that is new.

Whoever sends from a block is noted at most once a minute and process, so that a busy
key costs nothing and a second user of it is still seen within its first request.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from ingest.records import normalise

STEP: Final = timedelta(minutes=1)
# A key that was at home in one block for so long has no business in another.
SETTLED: Final = timedelta(days=7)
# What a flood from everywhere may cost in rows.
MOST_BLOCKS: Final = 200
_MOST_REMEMBERED: Final = 10_000

log = logging.getLogger(__name__)
_noted: dict[tuple[int, str], datetime] = {}

_NOTE: Final = """
WITH known AS (
    SELECT count(*) AS blocks, min(first_used_at) AS since,
        bool_or(block = %(block)s) AS has_it
    FROM ingest_keyblock WHERE key_id = %(key)s
)
INSERT INTO ingest_keyblock AS old
    (key_id, block, first_used_at, last_used_at, is_alarming)
SELECT %(key)s, %(block)s, %(now)s, %(now)s, blocks = 1 AND since < %(settled)s
FROM known WHERE has_it OR blocks < %(most)s
ON CONFLICT (key_id, block) DO UPDATE SET last_used_at = excluded.last_used_at
    WHERE old.last_used_at < %(long_ago)s
RETURNING xmax = 0 AND is_alarming
"""


def note(key_pk: int, address: str, now: datetime) -> None:
    block = normalise.block(address)
    last = _noted.get((key_pk, block))
    if last is not None and timedelta() <= now - last < STEP:
        return
    if len(_noted) >= _MOST_REMEMBERED:
        _noted.clear()
    _noted[key_pk, block] = now
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "key": key_pk,
                "block": block,
                "now": now,
                "settled": now - SETTLED,
                "most": MOST_BLOCKS,
                "long_ago": now - STEP,
            },
        )
        row = cursor.fetchone()
    if row is not None and row[0]:
        log.warning("Key %s is used from %s, where it never was.", key_pk, block)
