"""The run's clock: what of the facts it allows to be seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from ingest import rollups

WINDOW = timedelta(days=28)
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """The run's window: whole days from `since`, up to the very second of `as_of`."""

    as_of: datetime

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
        }


# The rollups that the clock allows: whole days before today, today where the account
# did nothing after the clock, and what `open_day` summed anew for the others.
DAYS = """(
    SELECT * FROM ingest_accountday
    WHERE day < %(today)s
       OR (day = %(today)s AND (last_at IS NULL OR last_at <= %(as_of)s))
    UNION ALL SELECT * FROM detection_open_day
)"""


def rows(sql: str, clock: Clock, **more: Any) -> Iterator[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{days}", DAYS), clock.named() | more)
        while part := cursor.fetchmany(10_000):
            yield from part


def open_day(clock: Clock) -> None:
    """Today's rollups, up to the clock, of accounts that went on after it."""
    with connection.cursor() as cursor:
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
