"""How fast files are imported, once an event, beside the least PostgreSQL can do.

    python -m benchmarks.import_files [--events N] [--rounds N] [--processes N]

Each round makes new events and runs every variant on them, so that what else the
machine does meets all of them alike; the table tells medians. Works in a database of
its own on that server, which is dropped at the end.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg

from benchmarks import events
from ingest.rolling.day_rows import END, SIGNATURE

LINES: Final = 20_000  # of a part, as `manage.py ingest` cuts files
ROWS_A_COMMIT: Final = 50_000
OBJECTS: Final = 20_000  # that bulk_create writes in a round
SAMPLE: Final = 1_000_000  # events that are copied into the heap in a round, at most
EVENTS_ON_DISK: Final = 2_000_000  # as NDJSON at a time: a gigabyte
DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def scratch(url: str) -> Iterator[str]:
    """A migrated database of our own; Django is set up for it."""
    name = f"stillwatch_benchmark_{os.getpid()}"
    ours = urlsplit(url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(url, autocommit=True) as server:
        told = {each: server.execute(f"SHOW {each}").fetchone() for each in DURABLE}
        print(", ".join(f"{each} {value[0]}" for each, value in told.items() if value))
        server.execute(f"CREATE DATABASE {name}")
        try:
            os.environ["DATABASE_URL"] = ours
            prepare()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            yield ours
            from django.db import connections

            connections.close_all()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def prepare() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    django.setup()


def written_parts(
    folder: Path, count: int, seed: int, days: int
) -> Iterator[list[Path]]:
    """NDJSON files of LINES lines, so many at a time as hold EVENTS_ON_DISK; those
    that came before are gone by then."""
    parts: list[Path] = []
    number = 0
    for piece in events.lines(count, seed=seed, days=days):
        lines = piece.splitlines(keepends=True)
        for start in range(0, len(lines), LINES):
            part = folder / f"{seed}-{number:05}.ndjson"
            part.write_bytes(b"".join(lines[start : start + LINES]))
            parts.append(part)
            number += 1
        if len(parts) * LINES >= EVENTS_ON_DISK:
            yield parts
            for part in parts:
                part.unlink()
            parts = []
    if parts:
        yield parts
    for part in parts:
        part.unlink()


def import_part(part: Path) -> tuple[int, int]:
    """Stored events, and the most memory that this process ever had, in MiB."""
    from django.db import OperationalError

    from ingest.drain import writers
    from ingest.models import Source

    source = Source.objects.get_or_create(name="benchmark")[0]
    origin = writers.Origin(source, way_in="file")
    while True:
        try:
            batch = writers.import_batch([part.read_bytes()], origin)
        except OperationalError:
            # Two who meet many new accounts at once may wait for each other. Nothing
            # of the part is stored then, and it can be imported again.
            continue
        return batch.stored, peak_memory()


def peak_memory() -> int:
    """MiB; not by getrusage, which gives a child what its parent had."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def binary_rows(url: str, after: int) -> list[bytes]:
    """Some of the events stored since, as binary COPY reads them, ROWS_A_COMMIT at a
    time; at most SAMPLE, which are held in memory."""
    from ingest.records.columns import REQUEST_COLUMNS

    chosen = (
        f"SELECT {', '.join(REQUEST_COLUMNS)} FROM ingest_event WHERE id > {after} "
        f"LIMIT {SAMPLE}"
    )
    statement = f"COPY ({chosen}) TO STDOUT (FORMAT binary)"
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        # One message a row; the signature comes with the first, the end alone.
        rows = [bytes(row) for row in copy]
    rows[0] = rows[0].removeprefix(SIGNATURE)
    if rows[-1] == END:
        del rows[-1]
    return [
        SIGNATURE + b"".join(rows[start : start + ROWS_A_COMMIT]) + END
        for start in range(0, len(rows), ROWS_A_COMMIT)
    ]


def copy_into_heap(url: str, blocks: list[bytes]) -> None:
    """The limit: one writer, rows ready made, a logged table, no index, no more."""
    from ingest.records.columns import REQUEST_COLUMNS

    columns = ", ".join(REQUEST_COLUMNS)
    statement = f"COPY heap ({columns}) FROM STDIN (FORMAT binary)"
    with psycopg.connect(url) as connection:
        for block in blocks:
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for at in range(0, len(block), 2**18):
                    copy.write(block[at : at + 2**18])
            connection.commit()


def make_heap(url: str) -> None:
    from ingest.records.columns import REQUEST_COLUMNS

    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS heap")
        connection.execute(
            f"CREATE TABLE heap AS SELECT {', '.join(REQUEST_COLUMNS)} "
            "FROM ingest_event WITH NO DATA"
        )


def bulk_create(after: int) -> Callable[[], int]:
    """Django's way into the same table, without keys and so without exactly once."""
    from ingest.models import Event

    rows = list(Event.objects.filter(pk__gt=after)[:OBJECTS])
    for row in rows:
        row.pk = None

    def run() -> int:
        return len(Event.objects.bulk_create(rows, batch_size=1000))

    return run


def newest_event(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT coalesce(max(id), 0) FROM ingest_event")
        return int(next(iter(found))[0])


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Rounds:
    """Events a second of each variant, round by round."""

    def __init__(self, url: str, folder: Path, count: int, days: int) -> None:
        self.url, self.folder, self.count, self.days = url, folder, count, days
        self.rates: dict[str, list[float]] = defaultdict(list)
        self.memory, self.seconds = 0, 0.0

    def run(self, number: int, processes: int) -> None:
        after = newest_event(self.url)
        self.rates[f"import, {processes} processes"].append(
            self.imported(number, processes)
        )
        blocks = binary_rows(self.url, after)
        make_heap(self.url)
        took = seconds(lambda: copy_into_heap(self.url, blocks))
        copied = min(SAMPLE, self.count)
        self.rates["binary COPY into a logged heap"].append(copied / took)
        create = bulk_create(after)
        rows = min(OBJECTS, self.count)
        self.rates["bulk_create"].append(rows / seconds(create))

    def imported(self, number: int, processes: int) -> float:
        """Events a second, without the time in which they are made."""
        took, counted, stored = 0.0, 0, 0
        with ProcessPoolExecutor(
            processes, get_context("spawn"), initializer=prepare
        ) as pool:
            for parts in written_parts(self.folder, self.count, number, self.days):
                # The first of each process opens its connection; they are not counted.
                first = 0 if stored else processes
                stored += sum(n for n, _ in pool.map(import_part, parts[:first]))
                started = time.perf_counter()
                told = list(pool.map(import_part, parts[first:]))
                took += time.perf_counter() - started
                counted += sum(count for count, _ in told)
                stored += sum(count for count, _ in told)
                self.memory = max(self.memory, *(size for _, size in told))
        if stored != self.count:
            sys.exit("An event was lost or doubled.")
        self.seconds += took
        return counted / took

    def report(self) -> None:
        medians = {name: statistics.median(each) for name, each in self.rates.items()}
        heap = medians["binary COPY into a logged heap"]
        django = medians["bulk_create"]
        print(f"{'variant':34}{'k events/s':>11}{'of COPY':>9}{'× bulk_create':>15}")
        for name, rate in medians.items():
            print(f"{name:34}{rate / 1e3:11.1f}{rate / heap:9.2f}{rate / django:15.1f}")
        print(f"most memory of one importing process: {self.memory} MiB")
        print(f"imported in {self.seconds:.1f} s, all rounds together")


def close(days: int) -> None:
    """Indexes what was imported, as the closing job does."""
    from datetime import UTC, datetime, timedelta

    from ingest.drain import partitions
    from ingest.models import Event

    today = datetime.now(UTC).date()
    rows = Event.objects.count()
    took = seconds(
        lambda: [
            partitions.close_day(today - timedelta(ago)) for ago in range(days + 1)
        ]
    )
    print(f"closing (tree, freeze, analyse): {took:.1f} s for {rows:,} events")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    with (
        scratch(os.environ["DATABASE_URL"]) as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        rounds = Rounds(url, Path(folder), asked.events, asked.days)
        for number in range(1, asked.rounds + 1):
            rounds.run(number, asked.processes)
            print(f"round {number}: load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        rounds.report()
        close(asked.days)


if __name__ == "__main__":
    main()
