"""Events → account-days → sightings: whole days, made again from their events.

Recomputing instead of adding makes a repeat harmless and the order of arrival
irrelevant. The grouping happens in PostgreSQL; Python only says which days.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from ingest import partitions, sightings
from ingest.fingerprints import INTENT_BITS

# One refresher at a time: two would compute the same days.
LOCK: Final = 7_301_002
ACCOUNTS_AT_ONCE: Final = 1000
# The most that one day of one account keeps of each kind: enough to link by, and a
# bound on what a proxy pool of a hundred thousand addresses can cost.
VALUES_KEPT: Final = 200
SKELETONS_KEPT: Final = 20
PARAMS_KEPT: Final = 50

Days = Mapping[date, list[int]]

_TAKE_MARKS: Final = """
WITH chosen AS (
    SELECT account_id FROM ingest_staleday
    GROUP BY account_id ORDER BY min(id) LIMIT %s
), taken AS (
    DELETE FROM ingest_staleday WHERE account_id IN (SELECT account_id FROM chosen)
    RETURNING account_id, day
)
SELECT DISTINCT account_id, day FROM taken
"""


def refresh_stale(*, limit: int | None = None) -> int:
    """Recomputes the marked days and their accounts' sightings; says how many days.

    `limit` bounds the accounts. Gives 0 at once where another refresher is at work.
    """
    refreshed, accounts = 0, 0
    while limit is None or accounts < limit:
        room = ACCOUNTS_AT_ONCE if limit is None else limit - accounts
        days, touched = _refresh_some(min(room, ACCOUNTS_AT_ONCE))
        if not touched:
            break
        refreshed, accounts = refreshed + days, accounts + touched
    return refreshed


@transaction.atomic
def _refresh_some(accounts: int) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0, 0
        # The marks go first and the events are read after: what is marked from now
        # on stays for the next time, what was marked before is seen by what follows.
        cursor.execute(_TAKE_MARKS, [accounts])
        marks = cursor.fetchall()
    by_day: dict[date, list[int]] = defaultdict(list)
    for account, day in marks:
        by_day[day].append(account)
    touched = {account for account, _ in marks}
    for day in sorted(by_day):
        refresh_day(day, by_day[day])
    sightings.refresh(touched)
    return len(marks), len(touched)


def refresh_day(day: date, accounts: Iterable[int]) -> None:
    """Makes one day's rows of these accounts from the events that are there now."""
    values = _day_values(day, accounts, partitions.start_of(day) + timedelta(days=1))
    with connection.cursor() as cursor:
        # A day whose events are gone has no row.
        cursor.execute(
            "DELETE FROM ingest_accountday "
            "WHERE day = %(day)s AND account_id = ANY(%(accounts)s)",
            values,
        )
        cursor.execute(_REFRESH_DAY, values)


def sum_open_day(
    table: str, *, day: date, accounts: Iterable[int], until: datetime
) -> None:
    """One day's rows as they stood at `until`, into a table shaped like AccountDay.

    For a replay of history, where the day's own row already knows what came later.
    """
    last = until + timedelta(microseconds=1)
    into = _REFRESH_DAY.replace("INSERT INTO ingest_accountday", f"INSERT INTO {table}")
    with connection.cursor() as cursor:
        cursor.execute(into, _day_values(day, accounts, last))


def _day_values(day: date, accounts: Iterable[int], end: datetime) -> dict[str, Any]:
    start = partitions.start_of(day)
    return {
        "accounts": sorted(accounts),
        "day": day,
        "start": start,
        "end": end,
        "before": start - timedelta(minutes=30),
        "values_kept": VALUES_KEPT,
        "skeletons_kept": SKELETONS_KEPT,
        "params_kept": PARAMS_KEPT,
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
_REFRESH_DAY: Final = f"""
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
