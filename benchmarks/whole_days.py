"""How account-days were made before: whole days, grouped by PostgreSQL.

Kept to be measured against. Reads every event of the day of each account that sent
something, each time.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

from ingest.drain import partitions
from ingest.fingerprints import INTENT_BITS


def values(day: date, accounts: Iterable[int]) -> dict[str, Any]:
    start: datetime = partitions.start_of(day)
    return {
        "accounts": sorted(accounts),
        "day": day,
        "start": start,
        "end": start + timedelta(days=1),
        "before": start - timedelta(minutes=30),
        "values_kept": 200,
        "skeletons_kept": 20,
        "params_kept": 50,
    }


_INTENT_COUNTS: Final = ", ".join(
    f"'{name}', nullif(count(*) FILTER (WHERE intents & {bit} > 0), 0)"
    for name, bit in INTENT_BITS.items()
)
_HOURS: Final = ", ".join(
    f"count(*) FILTER (WHERE hour = {hour} AND is_request)" for hour in range(24)
)
_SESSION_HOURS: Final = ", ".join(
    f"count(*) FILTER (WHERE hour = {hour} AND starts_session)" for hour in range(24)
)

# `happened` reaches half an hour back, so that a session which runs past midnight
# does not start again. Everything is ordered by values, never by arrival.
REFRESH_DAY: Final = f"""
WITH happened AS MATERIALIZED (
    SELECT *, kind = 'request' AS is_request,
        extract(hour FROM occurred_at AT TIME ZONE 'UTC')::int AS hour,
        lag(occurred_at) OVER (
            PARTITION BY account_id, kind = 'request' ORDER BY occurred_at
        ) AS previous_at
    FROM ingest_event
    WHERE account_id = ANY(%(accounts)s)
      AND occurred_at >= %(before)s AND occurred_at < %(end)s
), today AS MATERIALIZED (
    SELECT *, is_request AND (
        turn = 1 OR previous_at IS NULL
        OR occurred_at - previous_at > interval '30 minutes'
    ) AS starts_session
    FROM happened WHERE occurred_at >= %(start)s
), totals AS (
    SELECT account_id,
        count(*) FILTER (WHERE is_request) AS requests,
        count(*) FILTER (WHERE is_request AND http_status >= 400) AS failures,
        count(DISTINCT conversation_id) AS conversations,
        coalesce(sum(input_tokens), 0) AS input_tokens,
        coalesce(sum(output_tokens), 0) AS output_tokens,
        coalesce(sum(cached_input_tokens), 0) AS cached_input_tokens,
        coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens,
        count(*) FILTER (WHERE tool_count > 0) AS tool_requests,
        count(*) FILTER (WHERE image_count > 0) AS image_requests,
        count(DISTINCT skeleton_hash) AS distinct_skeletons,
        count(DISTINCT slot_hash) AS distinct_slots,
        ARRAY[{_HOURS}]::int[] AS hours,
        ARRAY[{_SESSION_HOURS}]::int[] AS session_hours,
        jsonb_strip_nulls(jsonb_build_object({_INTENT_COUNTS})) AS intents,
        min(occurred_at) AS first_at, max(occurred_at) AS last_at
    FROM today GROUP BY account_id
), single AS (
    SELECT account_id, count(*) AS single_shots FROM (
        SELECT account_id FROM today WHERE conversation_id IS NOT NULL
        GROUP BY account_id, conversation_id
        HAVING count(*) = 1 AND coalesce(max(turn), 1) = 1
    ) AS alone GROUP BY account_id
), counted AS (
    SELECT account_id, what, value, count(*) AS n,
        row_number() OVER (
            PARTITION BY account_id, what ORDER BY count(*) DESC, value COLLATE "C"
        ) AS place
    FROM today CROSS JOIN LATERAL (VALUES
        ('by_model', model),
        ('params', CASE WHEN is_request THEN
            concat(coalesce(temperature::text, '-'), '|',
                   coalesce(max_tokens::text, '-')) END),
        ('skeletons', skeleton_hash::text),
        ('payment', payment_fingerprint),
        ('device', device_id),
        ('address', host(client_ip)),
        ('block', network(set_masklen(
            client_ip, CASE family(client_ip) WHEN 4 THEN 24 ELSE 48 END))::text),
        ('client_stack', client_stack),
        ('tools', tools_hash),
        ('system', system_hash)
    ) AS shown (what, value)
    WHERE value IS NOT NULL
    GROUP BY account_id, what, value
), maps AS (
    SELECT account_id, what, jsonb_object_agg(value, n) AS map
    FROM counted
    WHERE place <= CASE what
        WHEN 'by_model' THEN %(values_kept)s
        WHEN 'params' THEN %(params_kept)s
        WHEN 'skeletons' THEN %(skeletons_kept)s
        ELSE %(values_kept)s END
    GROUP BY account_id, what
), mapped AS (
    SELECT account_id,
        jsonb_object_agg(what, map) FILTER (
            WHERE what IN ('by_model', 'params', 'skeletons')) AS own,
        jsonb_object_agg(what, map) FILTER (
            WHERE what NOT IN ('by_model', 'params', 'skeletons')) AS indicators
    FROM maps GROUP BY account_id
)
INSERT INTO ingest_accountday (
    account_id, day, requests, failures, conversations, single_shots,
    input_tokens, output_tokens, cached_input_tokens, reasoning_tokens,
    tool_requests, image_requests, distinct_skeletons, distinct_slots,
    hours, session_hours, by_model, params, intents, indicators, skeletons,
    first_at, last_at
)
SELECT totals.account_id, %(day)s, requests, failures, conversations,
    coalesce(single_shots, 0), input_tokens, output_tokens, cached_input_tokens,
    reasoning_tokens, tool_requests, image_requests, distinct_skeletons,
    distinct_slots, hours, session_hours,
    coalesce(own -> 'by_model', '{{}}'), coalesce(own -> 'params', '{{}}'), intents,
    coalesce(indicators, '{{}}'), coalesce(own -> 'skeletons', '{{}}'),
    first_at, last_at
FROM totals LEFT JOIN single USING (account_id) LEFT JOIN mapped USING (account_id)
ORDER BY totals.account_id
"""  # noqa: S608 - made of constants
