"""Bans and restrictions of members, and what went on by the hour around them."""

from collections.abc import Collection, Sequence

import numpy as np

from investigations.detection.features.clock import Clock, rows
from investigations.detection.shapes import Ints

# A status is the account record's word; the first that is ever told is no change.
STRUCK = """
SELECT account_id, extract(epoch FROM min(updated_at))::float8
FROM (
    SELECT account_id, updated_at, told ->> 'status' AS status,
           lag(told ->> 'status') OVER (
               PARTITION BY account_id ORDER BY updated_at, id) AS before
    FROM ingest_accountrecord
    WHERE account_id = ANY(%(accounts)s::bigint[]) AND excluded_at IS NULL
      AND told ->> 'status' IS NOT NULL AND updated_at <= %(as_of)s
) AS told
WHERE status IN ('banned', 'restricted')
  AND before NOT IN ('banned', 'restricted', 'closed') AND updated_at >= %(since)s
GROUP BY account_id
"""


def struck(accounts: Collection[int], clock: Clock) -> dict[int, float]:
    """When each of them was first banned or restricted in the window: seconds."""
    return dict(rows(STRUCK, clock, accounts=list(accounts)))


HOURS = """
SELECT account_id, day, hours FROM {days} AS d
WHERE account_id = ANY(%(accounts)s::bigint[]) AND day >= %(first_day)s AND requests > 0
"""


def hours_of(accounts: Sequence[int], clock: Clock) -> dict[int, Ints]:
    """Requests of each account in each hour of the window, up to the clock's own."""
    past = int((clock.as_of - clock.since).total_seconds() // 3600)
    found = {pk: np.zeros((clock.days, 24), np.int64) for pk in accounts}
    for account, day, hours in rows(HOURS, clock, accounts=list(accounts)):
        found[account][(day - clock.since.date()).days] = hours
    return {pk: each.reshape(-1)[:past] for pk, each in found.items()}
