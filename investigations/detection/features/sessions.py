"""When sessions start: by day for everybody, one by one for members of clusters."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta

import numpy as np

from investigations.detection.features.clock import Clock, columns
from investigations.detection.features.sharing import positions
from investigations.detection.shapes import AccountFeatures, Bools, Floats, Ints

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
WHERE kind = 'request' AND account_id = ANY(%(accounts)s::bigint[])
  AND occurred_at >= %(begin)s AND occurred_at < %(end)s AND occurred_at <= %(as_of)s
"""
IDLE = 30 * 60  # seconds
# Accounts from which days are read one after another: so many are on nearly all pages,
# and what they sent in the whole window would fill the memory.
MANY = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Requests that follow one another, by account and time. Columns: account, seconds
    of the first request, whether that opened a conversation, seconds of the last
    request and of its answer, and of the account's latest answer in all of the part.
    """

    account: Ints
    start: Floats
    opens: Bools
    last: Floats
    done: Floats
    latest: Floats


def session_times(accounts: Sequence[int], clock: Clock) -> dict[int, Floats]:
    """Two rows for each account: seconds at which its sessions began, in order, and at
    which the last answer of each was complete."""
    asked, step = (
        list(accounts),
        timedelta(days=1 if len(accounts) > MANY else clock.days),
    )
    parts, begin = [], clock.since
    while asked and begin <= clock.as_of:
        told = {"accounts": asked, "begin": begin, "end": begin + step}
        parts.append(runs(*columns(REQUESTS, clock, 4, **told)))
        begin += step
    return sessions(parts)


def runs(account: Ints, at: Ints, opens: Ints, latency: Ints) -> Runs:
    """They begin with what opens a conversation or comes after an idle half hour, and
    with an account's first request. Of requests at one moment, the one whose answer
    took longest comes last."""
    order = np.lexsort((latency, at, account))
    account, seconds = account[order], at[order] / 1e6
    done, opened = seconds + latency[order] / 1000.0, opens[order] == 1
    new = np.diff(account, prepend=-1) != 0
    idle = np.diff(seconds, prepend=0.0) > IDLE
    begins = np.flatnonzero(opened | new | idle)
    ends = np.append(begins[1:], len(done))[: len(begins)] - 1
    firsts = np.flatnonzero(new)
    latest = np.maximum.reduceat(done, firsts) if len(firsts) else done
    return Runs(
        account[begins],
        seconds[begins],
        opened[begins],
        seconds[ends],
        done[ends],
        latest[np.cumsum(new)[begins] - 1],
    )


def sessions(parts: Sequence[Runs]) -> dict[int, Floats]:
    """From the runs of one stretch of time after another: what goes on from one into
    the next is one session."""
    whole = [
        np.concatenate([getattr(part, each.name) for part in parts] or [np.zeros(0)])
        for each in fields(Runs)
    ]
    if not len(whole[0]):
        return {}
    order = np.argsort(whole[0], kind="stable")
    all_runs = Runs(*(column[order] for column in whole))
    new = np.diff(all_runs.account, prepend=-1) != 0
    idle = np.append(True, all_runs.start[1:] - all_runs.last[:-1] > IDLE)
    begins = np.flatnonzero(all_runs.opens | new | idle)
    ends = all_runs.done[np.append(begins[1:], len(order)) - 1]
    firsts = np.flatnonzero(new[begins])
    lasts = np.append(firsts[1:], len(begins)) - 1
    ends[lasts] = np.maximum.reduceat(all_runs.latest, np.flatnonzero(new))
    found = np.array([all_runs.start[begins], ends])
    each = np.split(found, firsts[1:], axis=1)
    return dict(zip(all_runs.account[begins[firsts]].tolist(), each, strict=True))
