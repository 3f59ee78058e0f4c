"""The statements by which a take-back takes records out, one UTC day at a time.

`%(order)s` is the order's key. The temporary tables live as long as a transaction:
`gone_keys` are the keys of the day's records that go, `kept` who else had sent one of
them (the first of them gets its place), `gone` the events that were taken out.
"""

from datetime import date, timedelta
from typing import Any, Final

from ingest.drain.partitions import start_of
from ingest.models.rollups import ALL_HOURS
from ingest.records.meanings import SKEW_FLAGGED


def values(order: int, day: date) -> dict[str, Any]:
    start = start_of(day)
    return {
        "order": order,
        "day": day,
        "start": start,
        "end": start + timedelta(days=1),
        "skew": SKEW_FLAGGED,
        "all_hours": ALL_HOURS,
    }


PREVIEW: Final = """
SELECT count(*), count(DISTINCT occurred_on), min(occurred_on), max(occurred_on),
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM ingest_eventrepeat AS again
        JOIN ingest_batch AS batch ON batch.id = again.batch_id
        WHERE again.digest = known.digest AND batch.take_back_id IS NULL))
FROM ingest_eventkey AS known WHERE batch_id = ANY(%s::bigint[])
"""
COUNT_ACCOUNTS: Final = """
SELECT count(*) FROM (
    SELECT account_id FROM ingest_event
    WHERE batch_id = ANY(%s::bigint[]) AND occurred_at >= %s AND occurred_at < %s
    UNION SELECT account_id FROM ingest_accountrecord WHERE batch_id = ANY(%s::bigint[])
) AS named
"""
DAYS: Final = """
SELECT DISTINCT occurred_on FROM ingest_eventkey AS known
JOIN ingest_batch AS batch ON batch.id = known.batch_id
WHERE batch.take_back_id = %(order)s ORDER BY 1
"""

BEFORE: Final = (
    "DROP TABLE IF EXISTS pg_temp.gone_keys, pg_temp.kept, pg_temp.gone",
    """
CREATE TEMPORARY TABLE gone_keys ON COMMIT DROP AS
SELECT digest, known.batch_id FROM ingest_eventkey AS known
JOIN ingest_batch AS batch ON batch.id = known.batch_id
WHERE batch.take_back_id = %(order)s AND known.occurred_on = %(day)s
""",
    "ANALYZE gone_keys",
    """
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT DISTINCT ON (again.digest)
    again.digest, again.batch_id, again.line, first.batch_id AS from_batch
FROM gone_keys AS first
JOIN ingest_eventrepeat AS again ON again.digest = first.digest
JOIN ingest_batch AS batch ON batch.id = again.batch_id
WHERE batch.take_back_id IS NULL
ORDER BY again.digest, again.batch_id
""",
    "ANALYZE kept",
    """
CREATE TEMPORARY TABLE gone (
    batch_id bigint, source_id bigint, event_id varchar, account_id bigint,
    occurred_at timestamptz, response_hash varchar, skeleton_hash bigint
) ON COMMIT DROP
""",
)

# A copy with the same content takes the place of the one that goes.
LEAVE_TO_OTHERS: Final = (
    """
UPDATE ingest_eventkey AS known SET batch_id = kept.batch_id
FROM kept WHERE kept.line IS NULL AND known.digest = kept.digest
""",
    """
WITH moved AS (
    UPDATE ingest_event AS event SET
        batch_id = batch.id, received_at = batch.received_at,
        skewed = event.occurred_at > batch.received_at + %(skew)s
    FROM kept JOIN ingest_batch AS batch ON batch.id = kept.batch_id
    WHERE kept.line IS NULL AND event.batch_id = kept.from_batch
      AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
      AND kept.digest = encode(substring(sha256(
          convert_to(event.source_id::text, 'UTF8') || '\\x00'::bytea
          || convert_to(event.event_id, 'UTF8')) FOR 16), 'hex')::uuid
    RETURNING kept.from_batch, kept.batch_id, event.account_id
), marked AS (
    -- Their old batch is in the day's sums or not yet, and so is their new one.
    INSERT INTO ingest_staleday (account_id, day, marked_at)
    SELECT DISTINCT account_id, %(day)s::date, now() FROM moved
), summed AS (
    UPDATE ingest_unsummedbatch AS unsummed SET
        first_on = least(first_on, %(day)s), last_on = greatest(last_on, %(day)s),
        hours = %(all_hours)s
    WHERE unsummed.batch_id IN (SELECT batch_id FROM moved)
), sent AS (
    SELECT batch_id, count(*) AS n FROM kept WHERE line IS NULL GROUP BY 1
), got AS (
    SELECT batch_id, count(*) AS n FROM moved GROUP BY 1
), lost AS (
    SELECT from_batch, count(*) AS n FROM moved GROUP BY 1
), counted AS (
    UPDATE ingest_batch AS batch SET
        stored = batch.stored + sent.n,
        duplicates = batch.duplicates - sent.n,
        stored_events = batch.stored_events + coalesce(got.n, 0)
    FROM sent LEFT JOIN got USING (batch_id) WHERE batch.id = sent.batch_id
)
UPDATE ingest_batch AS batch SET excluded = excluded + lost.n
FROM lost WHERE batch.id = lost.from_batch
""",
)

TAKE: Final = (
    """
DELETE FROM ingest_eventkey AS known USING gone_keys
WHERE known.digest = gone_keys.digest AND NOT EXISTS (
    SELECT FROM kept WHERE kept.digest = known.digest AND kept.line IS NULL
)
""",
    """
DELETE FROM ingest_eventrepeat AS again USING kept
WHERE again.digest = kept.digest AND again.batch_id = kept.batch_id
""",
    """
WITH taken AS (
    DELETE FROM ingest_event AS event USING ingest_batch AS batch
    WHERE batch.id = event.batch_id AND batch.take_back_id = %(order)s
      AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
    RETURNING event.batch_id, event.source_id, event_id, account_id, occurred_at,
        response_hash, skeleton_hash
)
INSERT INTO gone SELECT * FROM taken
""",
    "ANALYZE gone",
    """
UPDATE ingest_batch AS batch SET excluded = excluded + sums.n
FROM (SELECT batch_id, count(*) AS n FROM gone GROUP BY 1) AS sums
WHERE batch.id = sums.batch_id
""",
    # A session that runs past midnight is the next day's business too.
    """
INSERT INTO ingest_staleday (account_id, day, marked_at)
SELECT DISTINCT account_id, (at AT TIME ZONE 'UTC')::date, now() FROM gone,
    LATERAL (VALUES (occurred_at), (occurred_at + interval '30 minutes')) AS two (at)
""",
    """
DELETE FROM ingest_responsehash AS answer USING gone
WHERE answer.response_hash = gone.response_hash
  AND answer.account_id = gone.account_id AND answer.occurred_at = gone.occurred_at
  AND NOT EXISTS (
    SELECT FROM ingest_event AS event
    WHERE event.account_id = gone.account_id
      AND event.occurred_at = gone.occurred_at
      AND event.response_hash = gone.response_hash
      AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
)
""",
    """
DELETE FROM ingest_excerpt AS excerpt USING gone
WHERE excerpt.day = %(day)s AND excerpt.source_id = gone.source_id
  AND excerpt.event_id = gone.event_id
""",
    """
INSERT INTO ingest_takebackaccount AS known
    (take_back_id, account_id, first_at, is_corrected)
SELECT %(order)s, account_id, min(occurred_at), false FROM gone GROUP BY account_id
ON CONFLICT (take_back_id, account_id) DO UPDATE
    SET first_at = least(known.first_at, excluded.first_at)
""",
    """
INSERT INTO ingest_takebacktemplate (take_back_id, skeleton_hash)
SELECT DISTINCT %(order)s, skeleton_hash FROM gone WHERE skeleton_hash IS NOT NULL
ON CONFLICT DO NOTHING
""",
)

# Accounts that an account record told of, whether or not there were events.
TOUCH_TOLD: Final = """
INSERT INTO ingest_takebackaccount AS known
    (take_back_id, account_id, first_at, is_corrected)
SELECT %(order)s, account_id, min(updated_at), false
FROM ingest_accountrecord AS told JOIN ingest_batch AS batch ON batch.id = told.batch_id
WHERE batch.take_back_id = %(order)s AND told.excluded_at IS NULL
GROUP BY account_id
ON CONFLICT (take_back_id, account_id) DO UPDATE
    SET first_at = least(known.first_at, excluded.first_at)
"""

# When these accounts are mentioned first in what is left. All of them in one reading:
# a day that is not over has no index by account.
SEEN: Final = (
    "DROP TABLE IF EXISTS pg_temp.seen",
    """
CREATE TEMPORARY TABLE seen ON COMMIT DROP AS
SELECT account_id, min(at) AS at FROM (
    SELECT account_id, occurred_at AS at FROM ingest_event
    JOIN unnest(%(accounts)s::bigint[]) AS touched (account_id) USING (account_id)
    UNION ALL
    SELECT account_id, updated_at FROM ingest_accountrecord
    WHERE account_id = ANY(%(accounts)s::bigint[]) AND excluded_at IS NULL
) AS mentions GROUP BY account_id
""",
    "ANALYZE seen",
)

# Only where it was the take-back's own records that named the account first: what
# retention has taken away since may have been earlier than anything that is left.
FIRST_SEEN: Final = """
UPDATE ingest_account AS account SET first_seen_at = seen.at
FROM ingest_takebackaccount AS touched JOIN seen USING (account_id)
WHERE touched.take_back_id = %(order)s AND account.id = seen.account_id
  AND account.first_seen_at >= touched.first_at AND account.first_seen_at <> seen.at
"""

# A day that is marked is about to go, or stands for what was just taken out.
NOTHING_LEFT: Final = """
SELECT id FROM ingest_account AS account WHERE id = ANY(%(accounts)s::bigint[])
  AND NOT EXISTS (SELECT FROM seen WHERE seen.account_id = account.id)
  AND NOT EXISTS (
    SELECT FROM ingest_accountday AS kept WHERE kept.account_id = account.id
      AND NOT EXISTS (
        SELECT FROM ingest_staleday AS mark
        WHERE mark.account_id = kept.account_id AND mark.day = kept.day))
"""

# Who still sends a skeleton; what fewer than three send is nobody's template.
TEMPLATES: Final = (
    "DROP TABLE IF EXISTS pg_temp.senders",
    """
CREATE TEMPORARY TABLE senders ON COMMIT DROP AS
SELECT touched.skeleton_hash,
    (array_agg(DISTINCT event.account_id ORDER BY event.account_id)
        FILTER (WHERE event.account_id IS NOT NULL))[1:%(shared)s] AS accounts
FROM ingest_takebacktemplate AS touched
LEFT JOIN ingest_event AS event ON event.skeleton_hash = touched.skeleton_hash
WHERE touched.take_back_id = %(order)s GROUP BY 1
""",
    """
DELETE FROM ingest_template AS template USING senders
WHERE template.skeleton_hash = senders.skeleton_hash
  AND coalesce(cardinality(senders.accounts), 0) < %(shared)s
""",
    """
DELETE FROM ingest_templatecandidate AS candidate USING senders
WHERE candidate.skeleton_hash = senders.skeleton_hash AND senders.accounts IS NULL
""",
    """
UPDATE ingest_templatecandidate AS candidate SET account_ids = senders.accounts
FROM senders WHERE candidate.skeleton_hash = senders.skeleton_hash
""",
    "DELETE FROM ingest_takebacktemplate WHERE take_back_id = %(order)s",
)
