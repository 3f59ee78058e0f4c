"""Requests refused as a whole are counted: by key, hour and code.

A flood of them must not become a flood of writes. Each process adds up what it
refused and writes the sums at most once a second, one row for each key, hour and code,
however many requests there were. A killed process loses the sums of its last second:
they are figures for people, and no line of the ledger hangs on them.
"""

import atexit
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest
from django.utils import timezone

from ingest.doors.errors import IngestRefused, KeyRefused
from ingest.models import IngestKey

# Where a door leaves the key that it let in, for a refusal that comes after.
_KEY: Final = "stillwatch.ingest_key"
# A sender may announce any number; more than this is not believed.
_MOST_BYTES: Final = 2**40
PAUSE_AFTER_FAILURE: Final = 10.0
_ADD: Final = """
INSERT INTO ingest_refusedrequest
    (key_id, hour, code, status, count, byte_count, last_at)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::int[],
    %s::bigint[], %s::bigint[], %s::timestamptz[])
ON CONFLICT (hour, code, key_id) DO UPDATE SET
    count = ingest_refusedrequest.count + excluded.count,
    byte_count = ingest_refusedrequest.byte_count + excluded.byte_count,
    last_at = greatest(ingest_refusedrequest.last_at, excluded.last_at)
"""

log = logging.getLogger(__name__)

# Key (None for an unknown one), hour, code: as many as there are rows of an hour.
_Place = tuple[int | None, datetime, str]


@dataclass(slots=True)
class _Sum:
    status: int
    last_at: datetime
    count: int = 0
    byte_count: int = 0


class Counts:
    """What this process refused and has not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._sums: dict[_Place, _Sum] = {}
        self._writer: threading.Thread | None = None

    def add(self, key_id: int | None, code: str, status: int, size: int) -> None:
        now = timezone.now()
        place = key_id, now.replace(minute=0, second=0, microsecond=0), code
        with self._lock:
            known = self._sums.setdefault(place, _Sum(status, now))
            known.count += 1
            known.byte_count += size
            known.last_at = now
        if settings.INGEST_REFUSALS_PAUSE:
            self._wake()
        elif not self.write():
            self._sums.clear()

    def write(self) -> bool:
        """Whether nothing is left to write."""
        with self._lock:
            sums, self._sums = self._sums, {}
        try:
            _write(sums)
        except Error as error:
            log.warning("Refused requests wait to be counted: %s", type(error).__name__)
            self._take_back(sums)
            return False
        return True

    def _take_back(self, sums: Mapping[_Place, _Sum]) -> None:
        with self._lock:
            for place, old in sums.items():
                known = self._sums.setdefault(place, _Sum(old.status, old.last_at))
                known.count += old.count
                known.byte_count += old.byte_count

    def _wake(self) -> None:
        self._some.set()
        with self._lock:
            # Started on the first refusal, and again in a process that was forked.
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(
                    target=self._run, name="ingest-refusals", daemon=True
                )
                self._writer.start()
                atexit.register(self.write)

    def _run(self) -> None:
        while self._some.wait():
            time.sleep(settings.INGEST_REFUSALS_PAUSE)
            self._some.clear()
            while not self.write():
                connection.close()
                time.sleep(PAUSE_AFTER_FAILURE)
            # The next refusal may be hours away.
            connection.close()


def _write(sums: Mapping[_Place, _Sum]) -> None:
    if not sums:
        return
    # In one order for all, so that two processes never wait for each other.
    rows = [
        (key, hour, code, each.status, each.count, each.byte_count, each.last_at)
        for (key, hour, code), each in sorted(
            sums.items(), key=lambda item: (item[0][0] or 0, *item[0][1:])
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])


counts = Counts()


def let_in(request: HttpRequest, key: IngestKey) -> None:
    """Remembers whose request it is, in case it is refused after all."""
    request.META[_KEY] = key.pk


def note(request: HttpRequest, refusal: IngestRefused) -> None:
    """Counts a refused request of a sender; costs no write of its own.

    A key that is revoked, expired or out of its bounds counts as its own: that says
    which gateway still has it, where an unknown key could be anybody's.
    """
    if request.method != "POST":
        return
    told = str(request.META.get("CONTENT_LENGTH") or "0")
    size = int(told[:20]) if told.isascii() and told.isdigit() else 0
    key = request.META.get(_KEY)
    if isinstance(refusal, KeyRefused):
        key = refusal.key_id or key
    counts.add(key, refusal.code, refusal.status, min(size, _MOST_BYTES))
