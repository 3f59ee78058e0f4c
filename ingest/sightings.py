"""Account-days and accounts → which account showed which shareable value, and when."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import connection

from ingest.normalise import PUBLIC_MAIL

_LONGEST: Final = 512

# What the days show, and what the account's own record tells as of its sign-up.
_SHOWN: Final = """
CREATE TEMPORARY TABLE shown ON COMMIT DROP AS
WITH days AS (
    SELECT account_id, day, indicators || jsonb_build_object('skeleton', skeletons)
        AS kinds
    FROM ingest_accountday WHERE account_id = ANY(%(accounts)s)
), told AS (
    SELECT id AS account_id, kind, value,
        (coalesce(created_at, first_seen_at) AT TIME ZONE 'UTC')::date AS day
    FROM ingest_account CROSS JOIN LATERAL (VALUES
        ('payment', payment_fingerprint),
        ('phone', phone_hash),
        ('email', email_hash),
        ('email_domain', CASE WHEN email_domain <> ALL(%(public)s)
            THEN email_domain END),
        ('device', signup_device_id),
        ('address', host(signup_ip)),
        ('block', network(set_masklen(
            signup_ip, CASE family(signup_ip) WHEN 4 THEN 24 ELSE 48 END))::text),
        ('referrer', referrer)
    ) AS own (kind, value)
    WHERE id = ANY(%(accounts)s) AND value IS NOT NULL
), everything AS (
    SELECT account_id, day, kind, value, n::bigint AS n
    FROM days, jsonb_each(kinds) AS kinds (kind, map),
        jsonb_each_text(map) AS map (value, n)
    UNION ALL
    SELECT account_id, day, kind, value, 1 FROM told
)
SELECT account_id, kind, left(value, %(longest)s) AS value, min(day) AS first_seen_on,
    max(day) AS last_seen_on, sum(n)::bigint AS count
FROM everything GROUP BY 1, 2, 3
"""
_ADD_INDICATORS: Final = """
INSERT INTO ingest_indicator (kind, value)
SELECT DISTINCT kind, value FROM shown
WHERE NOT EXISTS (
    SELECT FROM ingest_indicator AS known
    WHERE known.kind = shown.kind AND known.value = shown.value
)
ORDER BY kind, value ON CONFLICT DO NOTHING
"""
_FORGET: Final = """
DELETE FROM ingest_sighting AS old USING ingest_indicator AS indicator
WHERE old.account_id = ANY(%(accounts)s) AND indicator.id = old.indicator_id
  AND NOT EXISTS (
    SELECT FROM shown WHERE shown.account_id = old.account_id
      AND shown.kind = indicator.kind AND shown.value = indicator.value
)
"""
_SIGHT: Final = """
INSERT INTO ingest_sighting AS old
    (account_id, indicator_id, first_seen_on, last_seen_on, count)
SELECT account_id, indicator.id, first_seen_on, last_seen_on, count
FROM shown JOIN ingest_indicator AS indicator USING (kind, value)
ORDER BY indicator.id, account_id
ON CONFLICT (indicator_id, account_id) DO UPDATE SET
    first_seen_on = excluded.first_seen_on,
    last_seen_on = excluded.last_seen_on,
    count = excluded.count
WHERE (old.first_seen_on, old.last_seen_on, old.count)
    IS DISTINCT FROM (excluded.first_seen_on, excluded.last_seen_on, excluded.count)
"""


def refresh(accounts: Iterable[int]) -> None:
    """Makes these accounts' sightings what their days and records say."""
    values: dict[str, Any] = {
        "accounts": sorted(accounts),
        "public": sorted(PUBLIC_MAIL),
        "longest": _LONGEST,
    }
    if not values["accounts"]:
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.shown")
        cursor.execute(_SHOWN, values)
        cursor.execute("ANALYZE shown")
        cursor.execute(_ADD_INDICATORS)
        cursor.execute(_FORGET, values)
        cursor.execute(_SIGHT)
