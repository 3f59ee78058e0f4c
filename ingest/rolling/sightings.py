"""Account-days and accounts → which account showed which shareable value, and when.

A day that went on replaces its own share of a sighting (`last_count`), so that the
cost follows what changed and not how long an account has been there. Only what may
be gone, or came late, is counted again over the account's days.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Min

from ingest.models import UnsightedDays
from ingest.records.normalise import PUBLIC_MAIL
from ingest.rolling.days import SKELETONS_SHOWN, VALUES_KEPT

_LONGEST: Final = 512
PARTS: Final = 8
FEW: Final = 2_000


def note(days: Mapping[date, Sequence[int]], *, whole: bool = False) -> None:
    """These accounts' days changed. `whole`: something of them may be gone.

    Many accounts are noted in parts, so that what is noted of one several times is
    written once and nobody waits long for the lock.
    """
    UnsightedDays.objects.bulk_create(
        UnsightedDays(day=day, part=part, account_ids=some, whole=whole)
        for day, accounts in sorted(days.items())
        for part, some in _parted(accounts)
        if some
    )


def _parted(accounts: Sequence[int]) -> Iterable[tuple[int, list[int]]]:
    if len(accounts) < FEW:
        yield PARTS, sorted(accounts)
        return
    parts: dict[int, list[int]] = defaultdict(list)
    for account in sorted(accounts):
        parts[account % PARTS].append(account)
    yield from sorted(parts.items())


def waiting_since() -> datetime | None:
    oldest: datetime | None = UnsightedDays.objects.aggregate(at=Min("marked_at"))["at"]
    return oldest


# What an account's own record tells as of its sign-up; `told` is one row a value.
_TOLD: Final = """
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
WHERE id = ANY(%(accounts)s::bigint[]) AND value IS NOT NULL
"""
_KINDS: Final = "indicators || jsonb_build_object('skeleton', skeletons)"

# --- one day of accounts --------------------------------------------------------------

_SHOWN_ON: Final = f"""
CREATE TEMPORARY TABLE shown ON COMMIT DROP AS
WITH everything AS (
    SELECT account_id, kind, value, n::bigint AS n
    FROM ingest_accountday, jsonb_each({_KINDS}) AS kinds (kind, map),
        jsonb_each_text(map) AS map (value, n)
    WHERE account_id = ANY(%(accounts)s::bigint[]) AND day = %(day)s
    UNION ALL
    SELECT account_id, kind, value, 1 FROM ({_TOLD}) AS told WHERE day = %(day)s
), summed AS (
    SELECT account_id, kind, left(value, %(longest)s) AS value, sum(n)::bigint AS count
    FROM everything GROUP BY 1, 2, 3
)
SELECT account_id, kind, value, %(day)s::date AS first_seen_on,
    %(day)s::date AS last_seen_on, count, count AS last_count
FROM summed
"""  # noqa: S608 - made of constants
_GO_ON: Final = """
INSERT INTO ingest_sighting AS old
    (account_id, indicator_id, first_seen_on, last_seen_on, count, last_count)
SELECT account_id, indicator_id, first_seen_on, last_seen_on, count, last_count
FROM named ORDER BY indicator_id, account_id
ON CONFLICT (indicator_id, account_id) DO UPDATE SET
    last_seen_on = excluded.last_seen_on,
    last_count = excluded.last_count,
    count = old.count + excluded.count - CASE
        WHEN old.last_seen_on = excluded.last_seen_on THEN old.last_count ELSE 0 END
WHERE old.last_seen_on < excluded.last_seen_on OR (
    old.last_seen_on = excluded.last_seen_on AND old.last_count <> excluded.last_count)
"""
# Pairs that the day alone cannot tell of: shown on a later day already, or of a kind
# that is full, of which something may have had to go.
_DOUBTFUL: Final = """
CREATE TEMPORARY TABLE doubtful ON COMMIT DROP AS
SELECT account_id, indicator_id, kind, value FROM named CROSS JOIN LATERAL (
    -- One look at the index each: the many who showed the same are not read.
    SELECT last_seen_on FROM ingest_sighting AS sighting
    WHERE sighting.indicator_id = named.indicator_id
      AND sighting.account_id = named.account_id OFFSET 0
) AS known WHERE known.last_seen_on > %(day)s
UNION
SELECT sighting.account_id, indicator_id, indicator.kind, indicator.value
FROM (
    SELECT account_id, kind FROM shown GROUP BY 1, 2
    HAVING count(*) >= CASE kind WHEN 'skeleton' THEN %(skeletons)s ELSE %(values)s END
) AS filled
JOIN ingest_sighting AS sighting USING (account_id)
JOIN ingest_indicator AS indicator
    ON indicator.id = sighting.indicator_id AND indicator.kind = filled.kind
WHERE %(day)s BETWEEN sighting.first_seen_on AND sighting.last_seen_on
  AND NOT EXISTS (
    SELECT FROM shown WHERE shown.account_id = sighting.account_id
      AND shown.kind = indicator.kind AND shown.value = indicator.value)
"""
_COUNT_AGAIN: Final = f"""
CREATE TEMPORARY TABLE recount ON COMMIT DROP AS
WITH told AS MATERIALIZED ({_TOLD}), everything AS (
    SELECT doubtful.account_id, indicator_id, day, n
    FROM doubtful JOIN ingest_accountday USING (account_id)
    CROSS JOIN LATERAL (SELECT (CASE kind WHEN 'skeleton' THEN skeletons
        ELSE indicators -> kind END ->> value)::bigint AS n) AS found
    WHERE n IS NOT NULL
    UNION ALL
    SELECT doubtful.account_id, indicator_id, day, 1
    FROM doubtful JOIN told USING (account_id, kind, value)
), by_day AS (
    SELECT account_id, indicator_id, day, sum(n)::bigint AS n FROM everything
    GROUP BY 1, 2, 3
)
SELECT account_id, indicator_id, min(day) AS first_seen_on, max(day) AS last_seen_on,
    sum(n)::bigint AS count, (array_agg(n ORDER BY day DESC))[1] AS last_count
FROM by_day GROUP BY 1, 2
"""  # noqa: S608 - made of constants
_FORGET_DOUBTFUL: Final = """
DELETE FROM ingest_sighting AS old USING doubtful
WHERE old.account_id = doubtful.account_id AND old.indicator_id = doubtful.indicator_id
  AND NOT EXISTS (
    SELECT FROM recount WHERE recount.account_id = old.account_id
      AND recount.indicator_id = old.indicator_id)
"""
_CORRECT: Final = """
UPDATE ingest_sighting AS old SET
    first_seen_on = recount.first_seen_on, last_seen_on = recount.last_seen_on,
    count = recount.count, last_count = recount.last_count
FROM recount
WHERE old.account_id = recount.account_id AND old.indicator_id = recount.indicator_id
"""

# --- everything of accounts -----------------------------------------------------------

_SHOWN_EVER: Final = f"""
CREATE TEMPORARY TABLE shown ON COMMIT DROP AS
WITH everything AS (
    SELECT account_id, day, kind, value, n::bigint AS n
    FROM ingest_accountday, jsonb_each({_KINDS}) AS kinds (kind, map),
        jsonb_each_text(map) AS map (value, n)
    WHERE account_id = ANY(%(accounts)s::bigint[])
    UNION ALL
    SELECT account_id, day, kind, value, 1 FROM ({_TOLD}) AS told
), by_day AS (
    SELECT account_id, kind, left(value, %(longest)s) AS value, day,
        sum(n)::bigint AS n
    FROM everything GROUP BY 1, 2, 3, 4
)
SELECT account_id, kind, value, min(day) AS first_seen_on, max(day) AS last_seen_on,
    sum(n)::bigint AS count, (array_agg(n ORDER BY day DESC))[1] AS last_count
FROM by_day GROUP BY 1, 2, 3
"""  # noqa: S608 - made of constants
_FORGET: Final = """
DELETE FROM ingest_sighting AS old USING ingest_indicator AS indicator
WHERE old.account_id = ANY(%(accounts)s::bigint[]) AND indicator.id = old.indicator_id
  AND NOT EXISTS (
    SELECT FROM shown WHERE shown.account_id = old.account_id
      AND shown.kind = indicator.kind AND shown.value = indicator.value
)
"""
_SIGHT: Final = """
INSERT INTO ingest_sighting AS old
    (account_id, indicator_id, first_seen_on, last_seen_on, count, last_count)
SELECT account_id, indicator_id, first_seen_on, last_seen_on, count, last_count
FROM named ORDER BY indicator_id, account_id
ON CONFLICT (indicator_id, account_id) DO UPDATE SET
    first_seen_on = excluded.first_seen_on,
    last_seen_on = excluded.last_seen_on,
    count = excluded.count,
    last_count = excluded.last_count
WHERE (old.first_seen_on, old.last_seen_on, old.count, old.last_count) IS DISTINCT FROM
    (excluded.first_seen_on, excluded.last_seen_on, excluded.count, excluded.last_count)
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
# By their keys, which all of them have by now.
_NAME: Final = """
CREATE TEMPORARY TABLE named ON COMMIT DROP AS
SELECT shown.*, indicator.id AS indicator_id
FROM shown JOIN ingest_indicator AS indicator USING (kind, value)
"""
_CLEAR: Final = """
DROP TABLE IF EXISTS pg_temp.shown, pg_temp.named, pg_temp.doubtful, pg_temp.recount
"""
_NAMED: Final = ("ANALYZE shown", _ADD_INDICATORS, _NAME, "ANALYZE named")
_ACCOUNTS_AT_ONCE: Final = 20_000


_TAKE: Final = """
DELETE FROM ingest_unsighteddays WHERE part = (
    SELECT part FROM ingest_unsighteddays ORDER BY id LIMIT 1
) RETURNING day, account_ids, whole
"""


def settle() -> int:
    """Takes the notes of one part, in the caller's transaction; says how many."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE)
        notes = cursor.fetchall()
    whole = {pk for _, accounts, all_of_it in notes if all_of_it for pk in accounts}
    days: dict[date, set[int]] = {}
    for day, accounts, all_of_it in notes:
        if not all_of_it:
            days.setdefault(day, set()).update(accounts)
    for some in _parts(whole):
        _sight_ever(some)
    # In order: what a day goes on from is known when its turn comes.
    for day in sorted(days):
        for some in _parts(days[day] - whole):
            _sight_on(day, some)
    return len(notes)


def _parts(accounts: set[int]) -> Iterable[list[int]]:
    ordered = sorted(accounts)
    for start in range(0, len(ordered), _ACCOUNTS_AT_ONCE):
        yield ordered[start : start + _ACCOUNTS_AT_ONCE]


def _sight_ever(accounts: list[int]) -> None:
    values = _values(accounts)
    _run(values, _CLEAR, _SHOWN_EVER, *_NAMED, _FORGET, _SIGHT)


def _sight_on(day: date, accounts: list[int]) -> None:
    values = _values(accounts) | {"day": day}
    _run(values, _CLEAR, _SHOWN_ON, *_NAMED, _DOUBTFUL, _GO_ON)
    _run(values, _COUNT_AGAIN, _FORGET_DOUBTFUL, _CORRECT)


def _values(accounts: list[int]) -> dict[str, Any]:
    return {
        "accounts": accounts,
        "public": sorted(PUBLIC_MAIL),
        "longest": _LONGEST,
        "skeletons": SKELETONS_SHOWN,
        "values": VALUES_KEPT,
    }


def _run(values: dict[str, Any], *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values if "%(" in statement else None)
