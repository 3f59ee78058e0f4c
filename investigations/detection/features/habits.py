"""What only members of clusters, and some others to compare them with, are read for."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from ingest.fingerprints import FREQUENCIES
from ingest.texts import likeness
from investigations.detection.features.clock import Clock, rows, sums_by_hour
from investigations.detection.shapes import Floats

SETTINGS = """
SELECT account_id, m.key, sum(m.value::bigint)
FROM {days} AS d, jsonb_each_text(params) AS m
WHERE account_id = ANY(%(accounts)s::bigint[]) AND day >= %(first_day)s
GROUP BY 1, 2 ORDER BY 1, 2
"""


def settings_of(accounts: Collection[int], clock: Clock) -> dict[int, dict[str, int]]:
    """Account → temperature and token limit ("0.7|1024") → requests in the window."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for account, setting, count in rows(SETTINGS, clock, accounts=list(accounts)):
        found[account][setting] = int(count)
    return dict(found)


HOURS_OF_DAY = """
SELECT account_id, {sums} FROM {days} AS d
WHERE account_id = ANY(%(accounts)s::bigint[]) AND day >= %(first_day)s AND requests > 0
GROUP BY 1 ORDER BY 1
""".replace("{sums}", sums_by_hour("hours"))


def hours_of_day(accounts: Collection[int], clock: Clock) -> dict[int, list[int]]:
    """Account → requests in the window by hour of the day, UTC."""
    found = rows(HOURS_OF_DAY, clock, accounts=list(accounts))
    return {account: [int(n) for n in hours] for account, *hours in found}


# An account with fewer prompts does not show what it asks about.
FEWEST_PROMPTS = 10
AT_ONCE = 1_000  # accounts
# A skeleton's likeness to itself.
LENGTH = 127 * np.sqrt(FREQUENCIES)
# Each template is looked up by itself (OFFSET 0): PostgreSQL takes a map of JSON for a
# hundred keys, and would read all templates there are.
PROMPTS = """
SELECT used.account_id, known.embedding, used.requests
FROM (
    SELECT account_id, shown.key::bigint AS skeleton,
           sum(shown.value::bigint) AS requests
    FROM {days} AS d, jsonb_each_text(skeletons) AS shown
    WHERE account_id = ANY(%(accounts)s::bigint[]) AND day >= %(first_day)s
    GROUP BY 1, 2
) AS used
CROSS JOIN LATERAL (
    SELECT embedding FROM ingest_templatecandidate
    WHERE skeleton_hash = used.skeleton AND embedding IS NOT NULL
    OFFSET 0
) AS known
"""


def subjects_of(accounts: Sequence[int], clock: Clock) -> dict[int, Floats]:
    """Account → mean embedding of its prompts, of length 1 where all are worded alike.

    Of a day, the skeletons that its rollup kept count, each as often as it was used.
    """
    found: dict[int, Floats] = {}
    for at in range(0, len(accounts), AT_ONCE):
        told: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
        some = list(accounts[at : at + AT_ONCE])
        for account, embedding, requests in rows(PROMPTS, clock, accounts=some):
            told[account].append((bytes(embedding), int(requests)))
        for account in sorted(told):
            sums = likeness.add_up(told[account])
            if sums.count >= FEWEST_PROMPTS:
                found[account] = sums.total / (sums.count * LENGTH)
    return found
