"""When sessions start: by day for everybody, one by one for members of clusters."""

from collections.abc import Sequence

import numpy as np

from investigations.detection.features.clock import Clock, columns
from investigations.detection.features.sharing import positions
from investigations.detection.shapes import AccountFeatures, Floats, Ints

# A day's row takes the day as if it stood alone; what it resumed within half an hour
# of the evening before is no session of its own. One CASE in another, so that the
# evening is looked for where that may be, and not for every row without a time.
_STARTED = " + ".join(f"coalesce(session_hours[{at}], 0)" for at in range(1, 25))
STARTS = f"""
SELECT account_id, day - %(first_day)s::date, {_STARTED}
    - CASE WHEN resumed_at < day + interval '30 minutes' THEN CASE WHEN EXISTS (
        SELECT FROM {{days}} AS eve
        WHERE eve.account_id = d.account_id AND eve.day = d.day - 1
          AND eve.last_at >= d.resumed_at - interval '30 minutes'
    ) THEN 1 ELSE 0 END ELSE 0 END
FROM {{days}} AS d WHERE day >= %(first_day)s AND requests > 0
"""  # noqa: S608 - made of constants


def session_starts(present: Sequence[AccountFeatures], clock: Clock) -> Ints:
    """Days × accounts; -1 while an account was not there for the whole day.

    The days on which it came and went are left out with what lies before and after,
    unless the window's own edge cut them.
    """
    account, day, count = columns(STARTS, clock, 3)
    at, there = positions(account, np.array([own.account for own in present], np.int64))
    cells = day[there], at[there]
    starts = np.zeros((clock.days, len(present)), np.int64)
    active = np.zeros_like(starts, bool)
    starts[cells], active[cells] = count[there], True
    came = np.logical_or.accumulate(active, axis=0)
    left = np.logical_or.accumulate(active[::-1], axis=0)[::-1]
    came[1:] &= came[:-1].copy()
    left[:-1] &= left[1:].copy()
    return np.where(came & left, starts, -1)


# Microseconds since 1970, whether it opened a conversation, and milliseconds to its
# answer. Put in order here: to sort and number them costs PostgreSQL twice as much.
REQUESTS = """
SELECT account_id, (extract(epoch FROM occurred_at) * 1000000)::bigint,
       CASE WHEN turn = 1 THEN 1 ELSE 0 END, coalesce(latency_ms, 0)
FROM ingest_event
WHERE kind = 'request' AND account_id = ANY(%(accounts)s)
  AND occurred_at >= %(since)s AND occurred_at <= %(as_of)s
"""
IDLE = 30 * 60  # seconds
AT_ONCE = 20_000  # accounts, so that their requests fit in memory


def session_times(accounts: Sequence[int], clock: Clock) -> dict[int, Floats]:
    """Two rows for each account: seconds at which its sessions began, in order, and at
    which the last answer of each was complete."""
    found: dict[int, Floats] = {}
    for first in range(0, len(accounts), AT_ONCE):
        some = list(accounts[first : first + AT_ONCE])
        found |= sessions(*columns(REQUESTS, clock, 4, accounts=some))
    return found


def sessions(account: Ints, at: Ints, opens: Ints, latency: Ints) -> dict[int, Floats]:
    """They begin with what opens a conversation or comes after an idle half hour. Of
    requests at one moment, the one whose answer took longest comes last."""
    if not len(account):
        return {}
    order = np.lexsort((latency, at, account))
    account, seconds = account[order], at[order] / 1e6
    done = seconds + latency[order] / 1000.0
    new = np.diff(account, prepend=-1) != 0
    idle = np.diff(seconds, prepend=0.0) > IDLE
    begins = np.flatnonzero((opens[order] == 1) | new | idle)
    ends = done[np.append(begins[1:], len(done)) - 1]
    firsts = np.flatnonzero(new[begins])
    lasts = np.append(firsts[1:], len(begins)) - 1
    ends[lasts] = np.maximum.reduceat(done, np.flatnonzero(new))
    each = np.split(np.array([seconds[begins], ends]), firsts[1:], axis=1)
    return dict(zip(account[begins[firsts]].tolist(), each, strict=True))
