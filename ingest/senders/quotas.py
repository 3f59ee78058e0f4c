"""How much one key may send: rows and bytes, by UTC minute and day.

What was sent is counted in PostgreSQL in the transaction of the batch itself, so that
every web process sees it, a batch that is not kept does not count, and one that is
cannot go uncounted. Each process remembers the last counts it saw: a sender who is
already beyond its quota is refused by them before its body is read.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection

from ingest.doors.errors import QuotaExceeded
from ingest.models import IngestKey, KeyUse

# Bytes are counted unpacked, which is what they cost.
LONGEST_WAIT: Final = 120
MINUTES_KEPT: Final = timedelta(hours=2)
DAYS_KEPT: Final = timedelta(days=90)
_MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key says of its own: None is the installation's limit, 0 is no limit."""

    rows_per_minute: int | None = None
    rows_per_day: int | None = None
    bytes_per_minute: int | None = None
    bytes_per_day: int | None = None

    def as_fields(self) -> dict[str, int | None]:
        return asdict(self)


INHERITED: Final = Limits()


@dataclass(frozen=True, slots=True)
class Use:
    """What a key has sent in the minute and the day that `at` is in."""

    minute_rows: int = 0
    minute_bytes: int = 0
    day_rows: int = 0
    day_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    minute: datetime
    day: datetime
    use: Use


_seen: dict[int, _Seen] = {}


def limits_of(key: IngestKey) -> Limits:
    return Limits(
        key.rows_per_minute, key.rows_per_day, key.bytes_per_minute, key.bytes_per_day
    )


def in_force(key: IngestKey) -> dict[str, int]:
    """The limits that hold for a key, the installation's filled in; 0 is none."""
    own = (
        ("rows_per_minute", key.rows_per_minute, settings.INGEST_ROWS_PER_MINUTE),
        ("bytes_per_minute", key.bytes_per_minute, settings.INGEST_BYTES_PER_MINUTE),
        ("rows_per_day", key.rows_per_day, settings.INGEST_ROWS_PER_DAY),
        ("bytes_per_day", key.bytes_per_day, settings.INGEST_BYTES_PER_DAY),
    )
    return {name: usual if limit is None else limit for name, limit, usual in own}


def check(key: IngestKey, now: datetime, *, rows: int = 1, size: int = 0) -> None:
    """Refuses what cannot be taken, by what this process knows. Raises QuotaExceeded.

    Asks nobody: others may have counted more since, but never less.
    """
    used = _remembered(key.pk, now)
    _compare(key, now, used, rows=rows, size=size)


def spend(key: IngestKey, now: datetime, *, rows: int, size: int) -> None:
    """Counts a batch in the caller's transaction; raises QuotaExceeded, to undo it.

    The row of the key's minute stays locked until that transaction ends: call it last.
    """
    minute, day = _starts(now)
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT, {"key": key.pk, "minute": minute, "day": day, "r": rows, "b": size}
        )
        sums = {span: (int(r), int(b)) for span, r, b in cursor.fetchall()}
    after = Use(*sums[KeyUse.Span.MINUTE.value], *sums[KeyUse.Span.DAY.value])
    before = Use(
        after.minute_rows - rows,
        after.minute_bytes - size,
        after.day_rows - rows,
        after.day_bytes - size,
    )
    # Only what was there before is sure to stay: our own part may be undone.
    _remember(key.pk, _Seen(minute, day, before))
    _compare(key, now, before, rows=rows, size=size)


_COUNT: Final = """
INSERT INTO ingest_keyuse AS known (key_id, span, starts_at, rows, bytes)
VALUES (%(key)s, 'day', %(day)s, %(r)s, %(b)s),
    (%(key)s, 'minute', %(minute)s, %(r)s, %(b)s)
ON CONFLICT (key_id, span, starts_at) DO UPDATE SET
    rows = known.rows + excluded.rows, bytes = known.bytes + excluded.bytes
RETURNING span, rows, bytes
"""


def _compare(key: IngestKey, now: datetime, used: Use, *, rows: int, size: int) -> None:
    for name, limit, before, more in _measures(key, used, rows, size):
        if limit and before + more > limit:
            raise QuotaExceeded(
                _sentence(name, limit, before, more), wait=_wait(name, now)
            )


def _measures(
    key: IngestKey, used: Use, rows: int, size: int
) -> Iterator[tuple[str, int, int, int]]:
    """(limit's name, limit, used, more), the shorter waits first."""
    limits = in_force(key)
    yield "rows_per_minute", limits["rows_per_minute"], used.minute_rows, rows
    yield "bytes_per_minute", limits["bytes_per_minute"], used.minute_bytes, size
    yield "rows_per_day", limits["rows_per_day"], used.day_rows, rows
    yield "bytes_per_day", limits["bytes_per_day"], used.day_bytes, size


def _sentence(name: str, limit: int, before: int, more: int) -> str:
    what, _, span = name.partition("_per_")
    counted = f"This key may send {limit:,} {what} a {span}"
    if more > limit:
        return f"{counted}, and this request alone brings {more:,} or more."
    return f"{counted} and has sent {before:,} of them; this request brings {more:,}."


def _wait(name: str, now: datetime) -> int:
    """Seconds until the span begins anew, within what a sender can be told."""
    minute, day = _starts(now)
    over = minute + timedelta(minutes=1)
    if name.endswith("day"):
        over = day + timedelta(days=1)
    return min(max(math.ceil((over - now).total_seconds()), 1), LONGEST_WAIT)


def _starts(now: datetime) -> tuple[datetime, datetime]:
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    return minute, minute.replace(hour=0, minute=0)


def _remembered(key_pk: int, now: datetime) -> Use:
    seen, (minute, day) = _seen.get(key_pk), _starts(now)
    if seen is None or seen.day != day:
        return Use()
    if seen.minute != minute:
        return Use(day_rows=seen.use.day_rows, day_bytes=seen.use.day_bytes)
    return seen.use


def _remember(key_pk: int, seen: _Seen) -> None:
    if len(_seen) >= _MOST_REMEMBERED:
        _seen.clear()
    _seen[key_pk] = seen


def use_of(key: IngestKey, now: datetime) -> Use:
    """What the key has sent so far, for people to look at."""
    minute, day = _starts(now)
    spans = {KeyUse.Span.MINUTE: minute, KeyUse.Span.DAY: day}
    found = {
        span: KeyUse.objects.filter(key=key, span=span, starts_at=start).first()
        for span, start in spans.items()
    }
    one, whole = found[KeyUse.Span.MINUTE], found[KeyUse.Span.DAY]
    return Use(
        one.rows if one else 0,
        one.bytes if one else 0,
        whole.rows if whole else 0,
        whole.bytes if whole else 0,
    )


def forget(now: datetime) -> int:
    """Deletes counts that nothing asks for any more; says how many."""
    gone = 0
    for span, kept in (
        (KeyUse.Span.MINUTE, MINUTES_KEPT),
        (KeyUse.Span.DAY, DAYS_KEPT),
    ):
        old = KeyUse.objects.filter(span=span, starts_at__lt=now - kept)
        gone += old.delete()[0]
    return gone
