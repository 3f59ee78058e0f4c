"""How some accounts work, in hashes and sums: when they begin, and what they repeat."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from investigations.detection.features.clock import Clock, rows, sums_by_hour
from investigations.detection.shapes import Floats, Wording

# An account's wordings beyond these are rarely used ones.
MOST_WORDINGS = 12
AT_ONCE = 1_000  # accounts

HOURS = """
SELECT account_id, {sums} FROM {days} AS d
WHERE account_id = ANY(%(accounts)s::bigint[]) AND day >= %(first_day)s GROUP BY 1
""".replace("{sums}", sums_by_hour("session_hours"))
WORDINGS = """
SELECT used.account_id, used.skeleton, known.sketch, used.requests
FROM (
    SELECT account_id, shown.key::bigint AS skeleton,
           sum(shown.value::bigint) AS requests
    FROM {days} AS d, jsonb_each_text(skeletons) AS shown
    WHERE account_id = ANY(%(accounts)s::bigint[]) AND day >= %(first_day)s
    GROUP BY 1, 2
) AS used
JOIN ingest_templatecandidate AS known ON known.skeleton_hash = used.skeleton
WHERE known.sketch IS NOT NULL AND used.requests > 2
ORDER BY used.account_id, used.requests DESC, used.skeleton
"""


def start_hours_of(accounts: Collection[int], clock: Clock) -> dict[int, Floats]:
    """Account → session starts in the window by hour of the day in UTC, 24 numbers."""
    found = rows(HOURS, clock, accounts=list(accounts))
    return {account: np.array(hours, float) for account, *hours in found}


def wordings_of(
    accounts: Sequence[int], clock: Clock
) -> dict[int, tuple[Wording, ...]]:
    """Account → the templates it sent three times or more, the most used first."""
    found: dict[int, list[Wording]] = defaultdict(list)
    for at in range(0, len(accounts), AT_ONCE):
        some = list(accounts[at : at + AT_ONCE])
        for account, skeleton, sketch, requests in rows(WORDINGS, clock, accounts=some):
            if sketch and len(found[account]) < MOST_WORDINGS:
                told = Wording(int(skeleton), bytes(sketch), int(requests))
                found[account].append(told)
    return {account: tuple(told) for account, told in found.items() if told}
