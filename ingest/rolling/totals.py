"""What of an account-day is a plain sum, made by PostgreSQL in one statement.

Adding needs no look at what is there, so that it stays cheap while a day is open; what
an account showed (`rollups.py`) takes longer and follows.
"""

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
_HOURS: Final = ", ".join(
    f"count(*) FILTER (WHERE hour = {hour} AND is_request)" for hour in range(24)
)
_ADDED_HOURS: Final = ", ".join(
    f"old.hours[{hour}] + excluded.hours[{hour}]" for hour in range(1, 25)
)
_ADDED: Final = ", ".join(f"{name} = old.{name} + excluded.{name}" for name in SUMS)
_ADD_UP: Final = f"""
INSERT INTO {{table}} AS old (
    account_id, day, first_at, last_at, hours, {", ".join([*SUMS, *_LATER])}
)
SELECT account_id, day, min(occurred_at), max(occurred_at), ARRAY[{_HOURS}]::int[],
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
    last_at = greatest(old.last_at, excluded.last_at),
    hours = ARRAY[{_ADDED_HOURS}], {_ADDED}
"""


def add(where: str, values: list[Any]) -> int:
    """Adds the events of a condition of ours to their account-days; says how many."""
    statement = _ADD_UP.format(table="ingest_accountday", where=where) + _ON_TOP
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def add_into(table: str, where: str, values: list[Any]) -> None:
    """The same into an empty table of the same shape, without any index."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_UP.format(table=table, where=where), values)
