"""The run's clock: what of the facts it allows to be seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection

from ingest.rolling import rollups
from investigations.detection.shapes import Ints

WINDOW = timedelta(days=28)
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """The run's window: whole days from `since`, up to the very second of `as_of`.

    `only`: the accounts that are looked at; None for all."""

    as_of: datetime
    only: tuple[int, ...] | None = None

    @property
    def since(self) -> datetime:
        start = (self.as_of - WINDOW).date()
        return datetime(start.year, start.month, start.day, tzinfo=UTC)

    @property
    def today(self) -> date:
        return self.as_of.astimezone(UTC).date()

    @property
    def days(self) -> int:
        return (self.today - self.since.date()).days + 1

    def named(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of,
            "since": self.since,
            "first_day": self.since.date(),
            "today": self.today,
            "only": None if self.only is None else list(self.only),
        }


# The rollups that the clock allows: whole days before today, today where the account
# did nothing after the clock, and what `open_day` summed anew for the others.
DAYS = """(
    SELECT * FROM ingest_accountday
    WHERE day < %(today)s
       OR (day = %(today)s AND (last_at IS NULL OR last_at <= %(as_of)s))
    UNION ALL SELECT * FROM detection_open_day
)"""
DAYS_OF_SOME = """(
    SELECT * FROM ingest_accountday
    WHERE account_id = ANY(%(only)s::bigint[]) AND (day < %(today)s
       OR (day = %(today)s AND (last_at IS NULL OR last_at <= %(as_of)s)))
    UNION ALL SELECT * FROM detection_open_day
    WHERE account_id = ANY(%(only)s::bigint[])
)"""
# In a statement on events, so that a pass over some reads no others.
OF_SOME = "(%(only)s::bigint[] IS NULL OR e.account_id = ANY(%(only)s::bigint[]))"


# The same where `open_day` summed nothing: PostgreSQL reads no table that is temporary
# on several cores.
WHOLE_DAYS = DAYS.partition("UNION ALL")[0] + ")"


def sums_by_hour(column: str) -> str:
    """Of an array of 24 numbers, in SQL: so many sums. `column` is ours, not typed."""
    return ", ".join(f"sum({column}[{hour + 1}])" for hour in range(24))


def rows(sql: str, clock: Clock, **more: Any) -> Iterator[Row]:
    with connection.cursor() as cursor:
        if "{days}" in sql:
            sql = sql.replace("{days}", days_of(clock))
        cursor.execute(sql, clock.named() | more)
        while part := cursor.fetchmany(10_000):
            yield from part


def days_of(clock: Clock) -> str:
    if clock.only is not None:
        return DAYS_OF_SOME
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM detection_open_day)")
        return DAYS if cursor.fetchone()[0] else WHOLE_DAYS


# Bytes of whole numbers instead of a Python object each; in parts, since one value of
# PostgreSQL has a gigabyte at most.
PACKED = """
SELECT string_agg({sent}, ''::bytea) FROM ({sql}) AS told ({names})
GROUP BY mod(c0, 64)
"""


def columns(sql: str, clock: Clock, width: int, **more: Any) -> list[Ints]:
    """So many columns of whole numbers, none of them null, in no order."""
    names = [f"c{number}" for number in range(width)]
    sent = " || ".join(f"int8send({name}::bigint)" for name in names)
    packed = PACKED.replace("{sent}", sent).replace("{names}", ", ".join(names))
    found = rows(packed.replace("{sql}", sql), clock, **more)
    whole = np.frombuffer(b"".join(bytes(part) for (part,) in found), ">i8")
    return [column.astype(np.int64) for column in whole.reshape(-1, width).T]


def open_day(clock: Clock) -> None:
    """Today's rollups, up to the clock, of accounts that went on after it."""
    with connection.cursor() as cursor:
        # Compiled statements save less than it takes to compile them. As long as the
        # table, to the end of the transaction.
        cursor.execute("SET LOCAL jit = off")
        # Sums over everybody, which would be written to disk and read again.
        cursor.execute("SET LOCAL work_mem = '64MB'")
        if clock.only is not None:
            # By its own guess of what a page costs that is not the next one, PostgreSQL
            # would read whole tables for a thousand accounts.
            cursor.execute("SET LOCAL random_page_cost = 1.1")
        cursor.execute("DROP TABLE IF EXISTS pg_temp.detection_open_day")
        cursor.execute("CREATE TEMP TABLE detection_open_day (LIKE ingest_accountday)")
        cursor.execute("ALTER TABLE detection_open_day ALTER id DROP NOT NULL")
    later = [
        pk
        for (pk,) in rows(
            "SELECT account_id FROM ingest_accountday"
            " WHERE day = %(today)s AND last_at > %(as_of)s",
            clock,
        )
    ]
    if later:
        rollups.sum_open_day(
            "detection_open_day", day=clock.today, accounts=later, until=clock.as_of
        )


def day_number(day: date) -> int:
    """Days since 1 January 1970."""
    return (day - date(1970, 1, 1)).days
