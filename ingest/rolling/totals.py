"""What of an account-day is a plain sum, made by PostgreSQL in one statement.

Adding needs no look at what is there, so that it stays cheap while a day is open; what
an account showed (`rollups.py`) takes longer and follows.
"""

from collections.abc import Container
from typing import Any, Final

from django.db import connection

SUMS: Final = {
    "requests": "count(*) FILTER (WHERE is_request)",
    "failures": "count(*) FILTER (WHERE is_request AND http_status >= 400)",
    "input_tokens": "coalesce(sum(input_tokens), 0)",
    "output_tokens": "coalesce(sum(output_tokens), 0)",
    "cached_input_tokens": "coalesce(sum(cached_input_tokens), 0)",
    "reasoning_tokens": "coalesce(sum(reasoning_tokens), 0)",
    "tool_requests": "count(*) FILTER (WHERE tool_count > 0)",
    "image_requests": "count(*) FILTER (WHERE image_count > 0)",
}
# What follows later; until then an account has shown nothing that day.
_LATER: Final = {
    **dict.fromkeys(
        ("conversations", "single_shots", "distinct_skeletons", "distinct_slots"), "0"
    ),
    "session_hours": "array_fill(0, ARRAY[24])",
    **dict.fromkeys(
        ("by_model", "params", "intents", "indicators", "skeletons"), "'{{}}'"
    ),
}
_ADDED: Final = ", ".join(f"{name} = old.{name} + excluded.{name}" for name in SUMS)
_ADD_UP: Final = f"""
INSERT INTO {{table}} AS old (
    account_id, day, first_at, last_at, hours, {", ".join([*SUMS, *_LATER])}
)
SELECT account_id, day, min(occurred_at), max(occurred_at), ARRAY[{{hours}}]::int[],
    {", ".join([*SUMS.values(), *_LATER.values()])}
FROM (
    SELECT *, kind = 'request' AS is_request,
        (occurred_at AT TIME ZONE 'UTC')::date AS day,
        extract(hour FROM occurred_at AT TIME ZONE 'UTC')::int AS hour
    FROM ingest_event AS event WHERE {{where}}
) AS found
GROUP BY account_id, day ORDER BY account_id, day
"""  # noqa: S608 - made of constants
_ON_TOP: Final = f"""
ON CONFLICT (account_id, day) DO UPDATE SET
    first_at = least(old.first_at, excluded.first_at),
    last_at = greatest(old.last_at, excluded.last_at), {_ADDED}
"""
_ALL_HOURS: Final = range(24)
_COUNTED: Final = "count(*) FILTER (WHERE hour = {} AND is_request)"
_ADDED_HOUR: Final = ", hours[{0}] = old.hours[{0}] + excluded.hours[{0}]"
# Account-days to be grouped are many and small; on disk it takes twice as long.
_ROOM: Final = "SET LOCAL work_mem = '128MB'"


def add(where: str, values: list[Any], hours: Container[int] = _ALL_HOURS) -> int:
    """Adds the events of a condition of ours to their account-days; says how many.

    In a transaction, which has more room to group from then on. What arrives is mostly
    of the last hour or two of a day: to count only those `hours`, and to leave the
    others in the row as they are, takes half the time.
    """
    counted = [hour for hour in _ALL_HOURS if hour in hours]
    added = "".join(_ADDED_HOUR.format(hour + 1) for hour in counted)
    with connection.cursor() as cursor:
        cursor.execute(_ROOM)
        statement = _adding_up("ingest_accountday", where, hours) + _ON_TOP + added
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def add_into(table: str, where: str, values: list[Any]) -> None:
    """The same into an empty table of the same shape, without any index."""
    with connection.cursor() as cursor:
        cursor.execute(_adding_up(table, where, _ALL_HOURS), values)


def _adding_up(table: str, where: str, hours: Container[int]) -> str:
    counts = (_COUNTED.format(n) if n in hours else "0" for n in _ALL_HOURS)
    return _ADD_UP.format(table=table, where=where, hours=", ".join(counts))
