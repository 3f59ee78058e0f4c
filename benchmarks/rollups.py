"""What a refresh of the account-days costs while a busy day fills up.

    python -m benchmarks.rollups [--open 3000000] [--portion 50000] [--rounds 5]

Fills one day with events of a heavy tail of 224,000 accounts, rolls it up, then adds
portion after portion and times the refresh after each: adding what came, against
making the touched days again from all their events (benchmarks/whole_days.py, with a
tree by account and time to help it). CPU seconds of this process and of its
PostgreSQL backend, so that a busy machine shifts little; medians of the rounds.
Works in a database of its own, which it drops.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

import django
import polars as pl

COMMIT: Final = 50_000
BATCH: Final = 1_000
TICKS: Final = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--open", type=int, default=3_000_000, metavar="EVENTS")
    parser.add_argument("--portion", type=int, default=50_000, metavar="EVENTS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip-old", action="store_true")
    told = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    django.setup()
    with scratch_database():
        measure(told.open, told.portion, told.rounds, with_old=not told.skip_old)


@contextmanager
def scratch_database() -> Iterator[None]:
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def measure(filled: int, portion: int, rounds: int, *, with_old: bool) -> None:
    day = Day()
    day.prepare()
    spent: dict[str, list[Cost]] = {}
    for size in [*[250_000] * (filled // 250_000), filled % 250_000]:
        if size:
            day.store(size)
            for name, cost in day.refresh():
                spent.setdefault(name, []).append(cost)
    print(f"{day.events:,} events rolled up, {day.rows():,} account-days:")
    for name, costs in spent.items():
        tell(f"  {name}, first 250,000", costs[:1], 250_000)
        tell(f"  {name}, last 250,000", costs[-1:], 250_000)
    touched = 0
    spent.clear()
    for _ in range(rounds):
        accounts = day.store(portion)
        touched += len(accounts)
        if with_old:
            again = day.cost(day.make_whole_days, accounts)
            spent.setdefault("whole days again", []).append(again)
        for name, cost in day.refresh():
            spent.setdefault(name, []).append(cost)
    print(
        f"{rounds} portions of {portion:,} events on top, "
        f"{touched // rounds:,} account-days each:"
    )
    for name, costs in spent.items():
        tell(f"  {name}", costs, portion)
    if with_old:
        old = median(cost.cpu for cost in spent["whole days again"])
        sums = median(cost.cpu for cost in spent["sums"])
        both = sums + median(cost.cpu for cost in spent["details"])
        print(f"  whole days again / sums: {old / sums:.1f}; / both: {old / both:.1f}")


class Cost:
    def __init__(self, wall: float, python: float, backend: float) -> None:
        self.wall, self.python, self.backend = wall, python, backend

    @property
    def cpu(self) -> float:
        return self.python + self.backend


def tell(name: str, costs: list[Cost], events: int) -> None:
    if not costs:
        return
    each = 1e6 / events
    python = median(cost.python for cost in costs) * each
    backend = median(cost.backend for cost in costs) * each
    cpu = median(cost.cpu for cost in costs)
    print(
        f"{name:28} {cpu * each:7.2f} µs an event (Python {python:.2f}, PostgreSQL "
        f"{backend:.2f}), {cpu:.2f} s CPU, {median(c.wall for c in costs):.2f} s"
    )


def until_done(step: Callable[[], int]) -> None:
    while step():
        pass


class Day:
    """Yesterday, as it fills up."""

    def __init__(self) -> None:
        self.date: date = datetime.now(UTC).date() - timedelta(days=1)
        self.events = 0
        self.batches = 0

    def prepare(self) -> None:
        from django.db import connection

        from benchmarks.events import ACCOUNTS
        from ingest.drain import partitions

        partitions.ensure_partitions([self.date])
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
            cursor.execute(
                "INSERT INTO ingest_account (id, external_id, first_seen_at, program, "
                "verification, contract, status, field_times, cut_fields) "
                "SELECT n, 'acct_' || n, now(), 'none', 'none', 'standard', 'active', "
                "'{}', '[]' FROM generate_series(1, %s) AS n",
                [ACCOUNTS],
            )
            # What the old way found an account's events by, kept for every row.
            cursor.execute(
                f"CREATE INDEX old_way ON {partitions.partition_name(self.date)} "
                "(account_id, occurred_at)"
            )

    def store(self, count: int) -> set[int]:
        """Stores so many more events as the drain does; gives their accounts."""
        accounts: set[int] = set()
        for _ in range(0, count, COMMIT):
            accounts |= self._commit(min(COMMIT, count))
        return accounts

    def _commit(self, rows: int) -> set[int]:
        from django.db import connection, transaction

        from benchmarks import events
        from ingest.rolling import marks

        frame = events.piece(rows, seed=self.events, at=0.5, days=1)
        first = self.batches + 1
        self.batches += -(-rows // BATCH)
        table = _event_rows(frame, first, self.date)
        hours = {int(hour) for hour in table["occurred_at"].dt.hour().unique()}
        names = ", ".join(table.columns)
        with transaction.atomic(), connection.cursor() as cursor:
            with cursor.copy(
                f"COPY ingest_event ({names}) FROM STDIN (FORMAT csv)"
            ) as copy:
                copy.write(table.write_csv(include_header=False))
            marks.stored(
                marks.StoredBatch(
                    pk, BATCH, self.date, self.date, sum(1 << each for each in hours)
                )
                for pk in range(first, self.batches + 1)
            )
        self.events += rows
        return set(table["account_id"].unique())

    def rows(self) -> int:
        from ingest.models import AccountDay

        return AccountDay.objects.count()

    def refresh(self) -> Iterator[tuple[str, Cost]]:
        """All that waits, step by step."""
        from ingest.rolling import rollups

        for name, step in (
            ("sums", rollups._add_sums),
            ("details", rollups._add_details),
            ("sightings", rollups.settle),
        ):
            with rollups._uncollected():
                yield name, self.cost(until_done, step)

    def make_whole_days(self, accounts: set[int]) -> None:
        from django.db import connection, transaction

        from benchmarks import whole_days

        into = "INSERT INTO whole_day"
        statement = whole_days.REFRESH_DAY.replace(
            "INSERT INTO ingest_accountday", into
        )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS whole_day (LIKE ingest_accountday "
                "INCLUDING IDENTITY INCLUDING INDEXES INCLUDING CONSTRAINTS)"
            )
            ordered = sorted(accounts)
            for start in range(0, len(ordered), 1000):
                values = whole_days.values(self.date, ordered[start : start + 1000])
                cursor.execute(
                    "DELETE FROM whole_day "
                    "WHERE day = %(day)s AND account_id = ANY(%(accounts)s)",
                    values,
                )
                cursor.execute(statement, values)

    def cost(self, step: Callable[..., object], *told: object) -> Cost:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        wall, python, theirs = time.time(), time.process_time(), _cpu_of(backend)
        step(*told)
        return Cost(
            time.time() - wall,
            time.process_time() - python,
            _cpu_of(backend) - theirs,
        )


def _cpu_of(pid: int) -> float:
    """CPU seconds that a process has used so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _event_rows(frame: pl.DataFrame, batch: int, day: date) -> pl.DataFrame:
    """The columns that rollups read, in the order in which the drain writes rows."""
    agent = pl.col("user_agent").str.to_lowercase().str.replace(r"\..*", "")
    place = pl.int_range(pl.len())
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return frame.select(
        pl.lit(1).alias("source_id"),
        "event_id",
        (place // BATCH + batch).alias("batch_id"),
        pl.lit("request").alias("kind"),
        # From midnight to noon, so that no event falls out of the day.
        (start + pl.duration(milliseconds=place * 43_200_000 // pl.len())).alias(
            "occurred_at"
        ),
        pl.lit(start).alias("received_at"),
        (pl.col("account_id").str.slice(5).cast(pl.Int64) + 1).alias("account_id"),
        "model",
        "input_tokens",
        "output_tokens",
        "latency_ms",
        "http_status",
        "conversation_id",
        "turn",
        "client_ip",
        "user_agent",
        "ja4",
        pl.concat_str("ja4", pl.lit("|"), agent).alias("client_stack"),
        pl.col("prompt_fingerprint")
        .str.slice(5, 15)
        .str.to_integer(base=16)
        .alias("skeleton_hash"),
        pl.col("prompt_fingerprint")
        .str.slice(24, 15)
        .str.to_integer(base=16)
        .alias("slot_hash"),
        pl.lit(False).alias("skewed"),
    ).sort("account_id", "occurred_at")


if __name__ == "__main__":
    main()
