"""When sessions start: by day for everybody, one by one for members of clusters."""

from collections.abc import Sequence

import numpy as np

from investigations.detection.features.clock import Clock, rows
from investigations.detection.shapes import AccountFeatures, Floats, Ints


def session_starts(present: Sequence[AccountFeatures], clock: Clock) -> Ints:
    """Days × accounts; -1 while an account was not there for the whole day.

    The days on which it came and went are left out with what lies before and after,
    unless the window's own edge cut them.
    """
    position = {own.account: at for at, own in enumerate(present)}
    starts = np.zeros((clock.days, len(present)), np.int64)
    active = np.zeros_like(starts, bool)
    sql = """
        SELECT account_id, day, (SELECT sum(s) FROM unnest(session_hours) AS s)
        FROM {days} AS d WHERE day >= %(first_day)s AND requests > 0
    """
    for account, day, count in rows(sql, clock):
        if account in position:
            cell = (day - clock.since.date()).days, position[account]
            starts[cell], active[cell] = int(count or 0), True
    came = np.logical_or.accumulate(active, axis=0)
    left = np.logical_or.accumulate(active[::-1], axis=0)[::-1]
    came[1:] &= came[:-1].copy()
    left[:-1] &= left[1:].copy()
    return np.where(came & left, starts, -1)


START_TIMES = """
SELECT account_id, array_agg(extract(epoch FROM occurred_at)::float8
                             ORDER BY occurred_at)
FROM (
    SELECT account_id, occurred_at, turn, occurred_at - lag(occurred_at) OVER (
        PARTITION BY account_id ORDER BY occurred_at) AS pause
    FROM ingest_event
    WHERE kind = 'request' AND account_id = ANY(%(accounts)s)
      AND occurred_at >= %(since)s AND occurred_at <= %(as_of)s
) AS e
WHERE turn = 1 OR pause IS NULL OR pause > interval '30 minutes'
GROUP BY account_id
"""


def start_times(accounts: Sequence[int], clock: Clock) -> dict[int, Floats]:
    """Seconds at which each account's sessions began, in order."""
    found = rows(START_TIMES, clock, accounts=list(accounts))
    return {account: np.array(times, float) for account, times in found}
