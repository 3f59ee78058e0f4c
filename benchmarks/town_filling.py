"""A made-up town → the tables that detection reads, by COPY.

Each day is made by a process of its own, several at a time. The tables that can be
are unlogged, and their indexes are made at the end. Left out is what detection never
reads: keys of events, batches, and the state from which a day's row is added to.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import polars as pl
import psycopg

from benchmarks import town_days, town_rollups
from benchmarks.town import ENDS_AT, Town
from investigations.detection.shapes import Ints

UNLOGGED: Final = ("ingest_accountday", "ingest_sighting", "ingest_responsehash")
INDEXED: Final = (*UNLOGGED, "ingest_indicator", "ingest_templatecandidate")
SHAPES: Final = ("a5.a6n2", "a7n4", "a6", "a4.a5", "a1.a7", "a8n1", "a5a6", "n3a6")
# Prompts that somebody typed are above this, templates below.
TYPED: Final = 1 << 61
BLOCK: Final = 2**18


def fill(town: Town, folder: Path, processes: int) -> int:
    """Fills the database that DATABASE_URL names; says how many requests there are."""
    from ingest.drain import partitions

    days = range(town.days)
    partitions.ensure_partitions(town_days.start_of(town, day).date() for day in days)
    with bulk() as connection:
        step("accounts", lambda: fill_accounts(connection, town))
        os.environ["POLARS_MAX_THREADS"] = "1"
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            each = [town] * town.days, days, [folder] * town.days
            told = step("days", lambda: list(pool.map(fill_day, *each)))
        step("sightings", lambda: fill_sightings(connection, town, folder))
        step("templates", lambda: fill_templates(connection, folder))
        step("release", lambda: fill_release(connection))
    step("closing", lambda: close(town, processes))
    return sum(told)


T = TypeVar("T")


def step(name: str, work: Callable[[], T]) -> T:
    started = time.perf_counter()
    found = work()
    print(f"  made {name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return found


@contextmanager
def bulk() -> Iterator[psycopg.Connection]:
    """Without the indexes of what is filled; they are there again afterwards."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        known = [each for table in INDEXED for each in indexes(connection, table)]
        for table in UNLOGGED:
            connection.execute(f"ALTER TABLE {table} SET UNLOGGED")
        for drop, _ in known:
            connection.execute(drop)
        yield connection
        for _, make in known:
            step(make[:60], partial(connection.execute, make))
        for table in ("ingest_account", *INDEXED):
            connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}")


def indexes(connection: psycopg.Connection, table: str) -> list[tuple[str, str]]:
    """(statement that drops it, statement that makes it), for each but primary keys."""
    constraints = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND contype = 'u'",
        [table],
    ).fetchall()
    own = {name for name, _ in constraints}
    plain = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) "
        "FROM pg_index i WHERE i.indrelid = %s::regclass AND NOT i.indisprimary",
        [table],
    ).fetchall()
    return [
        *(
            (
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} {what}",
            )
            for name, what in constraints
        ),
        *((f"DROP INDEX {name}", what) for name, what in plain if name not in own),
    ]


def copy(
    connection: psycopg.Connection, table: str, frame: pl.DataFrame, **fixed: str
) -> None:
    """`fixed`: columns with the same text in every row."""
    columns = ", ".join([*frame.columns, *fixed])
    rows = frame.with_columns(pl.lit(value).alias(k) for k, value in fixed.items())
    statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)"
    text = memoryview(
        rows.write_csv(include_header=False, quote_style="necessary").encode()
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for at in range(0, len(text), BLOCK):
            copying.write(text[at : at + BLOCK])


# --- Who is there -----------------------------------------------------------------


def accounts(town: Town) -> pl.DataFrame:
    shape = np.where(
        town.group >= 0,
        town.group % len(SHAPES),
        np.arange(town.accounts) % len(SHAPES),
    )
    number = pl.Series("n", np.arange(1, town.accounts + 1))
    born = pl.Series("born", town.born * 1_000_000)
    return pl.DataFrame([number, born]).select(
        pl.col("n").alias("id"),
        pl.format("acct_{}", "n").alias("external_id"),
        town_days.moment("born").alias("created_at"),
        town_days.moment("born").alias("first_seen_at"),
        pl.Series("email_shape", np.array(SHAPES)[shape]),
        pl.Series("signup_ip", town_days.addresses(town.home)),
        pl.Series("payment_fingerprint", town_days.named("card", town.card)),
        pl.Series("signup_device_id", town_days.named("device", town.device)),
        pl.Series("organization_id", town_days.named("org", town.organization)),
        pl.Series("email_domain", domains(town.domain)),
        pl.Series("referrer", town_days.named("referrer", town.referrer)),
    )


def domains(numbers: Ints) -> pl.Series:
    return town_days.named("mail", numbers) + ".example"


def fill_accounts(connection: psycopg.Connection, town: Town) -> None:
    now = ENDS_AT.isoformat()
    connection.execute(
        "INSERT INTO ingest_source (id, name, created_at) VALUES (1, 'gateway', %s)",
        [ENDS_AT - timedelta(days=400)],
    )
    count_from(connection, "ingest_source", 1)
    count_from(connection, "ingest_account", town.accounts)
    copy(
        connection,
        "ingest_account",
        accounts(town),
        updated_at=now,
        program="none",
        verification="email",
        contract="standard",
        status="active",
        field_times="{}",
        cut_fields="[]",
    )


# --- Day by day -------------------------------------------------------------------


def fill_day(town: Town, day: int, folder: Path) -> int:
    frame = town_days.requests_on(town, day)
    today = town_days.start_of(town, day).date()
    counts = town_rollups.counts_of(frame)
    keep_shown(counts, today, day, folder)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        name = f"ingest_event_{today:%Y%m%d}"
        connection.execute(f"ALTER TABLE {name} SET UNLOGGED")
        copy(connection, name, town_days.event_rows(frame))
        copy_account_days(connection, "ingest_accountday", frame, counts, today)
        told = frame.drop_nulls("response_hash").select(
            "response_hash",
            pl.col("account").alias("account_id"),
            town_days.conversation().alias("conversation_id"),
            town_days.moment("at").alias("occurred_at"),
        )
        copy(connection, "ingest_responsehash", told)
    return len(frame)


def keep_shown(counts: town_rollups.Counts, date: date, day: int, folder: Path) -> None:
    """What was shown on a day, for all_sightings."""
    for kind, shown in counts.items():
        if kind not in (*town_rollups.OWN_MAPS, "intents"):
            with_day = shown.with_columns(pl.lit(date).alias("day"))
            with_day.write_parquet(folder / f"{kind}-{day}.parquet")


def copy_account_days(
    connection: psycopg.Connection,
    table: str,
    frame: pl.DataFrame,
    counts: town_rollups.Counts,
    today: date,
) -> None:
    days = town_rollups.account_days(frame, counts)
    copy(connection, table, days, day=today.isoformat(), **ZEROS)


ZEROS: Final = {
    "cached_input_tokens": "0",
    "reasoning_tokens": "0",
    "image_requests": "0",
}


# --- What they shared -------------------------------------------------------------


def told_by_records(town: Town) -> dict[str, pl.DataFrame]:
    """Kind → account, value, n, day: what records tell as of the sign-up."""
    told = accounts(town).select(
        pl.col("id").alias("account"),
        pl.col("payment_fingerprint").alias("payment"),
        pl.col("signup_device_id").alias("device"),
        pl.col("signup_ip").alias("address"),
        pl.col("signup_ip").str.replace(r"\.\d+$", ".0/24").alias("block"),
        "email_domain",
        "referrer",
        pl.from_epoch(pl.Series(town.born), "s").cast(pl.Date).alias("day"),
    )
    one = pl.lit(1, pl.UInt32).alias("n")
    return {
        kind: told.select(
            "account", pl.col(kind).alias("value"), one, "day"
        ).drop_nulls()
        for kind in told.columns[1:-1]
    }


def all_sightings(town: Town, folder: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """Kind by kind, of what days left in the folder and what records tell."""
    records = told_by_records(town)
    kinds = {path.name.partition("-")[0] for path in folder.glob("*.parquet")}
    for kind in sorted(kinds | records.keys()):
        parts = [records[kind].lazy()] if kind in records else []
        if kind in kinds:
            parts.append(pl.scan_parquet(folder / f"{kind}-*.parquet"))
        yield kind, town_rollups.sightings(pl.concat(parts))


def fill_sightings(connection: psycopg.Connection, town: Town, folder: Path) -> None:
    first = 1
    for kind, found in all_sightings(town, folder):
        number = (found["value"].rle_id().cast(pl.Int64) + first).alias("indicator_id")
        known = pl.DataFrame([number.alias("id"), found["value"]])
        known = known.unique("id", maintain_order=True)
        copy(connection, "ingest_indicator", known, kind=kind)
        shown = found.drop("value").rename({"account": "account_id"})
        copy(connection, "ingest_sighting", shown.with_columns(number))
        first += len(known)
    count_from(connection, "ingest_indicator", first)


def count_from(connection: psycopg.Connection, table: str, last: int) -> None:
    """The next row that is made gets a number after these."""
    connection.execute(
        "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last]
    )


def fill_templates(connection: psycopg.Connection, folder: Path) -> None:
    """What templates are like; of what people typed, for one in eight."""
    shown = pl.scan_parquet(folder / "skeleton-*.parquet")
    kept = (pl.col("value") < TYPED) | (pl.col("value") % 8 == 0)
    known = shown.filter(kept).select("value").unique().collect()["value"].to_numpy()
    dice = np.random.default_rng(1)
    for at in range(0, len(known), 100_000):
        some = np.sort(known)[at : at + 100_000]
        turns = dice.random((len(some), 48)) * 2 * np.pi
        signs = np.concatenate([np.cos(turns), np.sin(turns)], axis=1) * 127
        hexed = ["\\x" + row.tobytes().hex() for row in np.rint(signs).astype(np.int8)]
        frame = pl.DataFrame({"skeleton_hash": some, "embedding": hexed})
        copy(
            connection,
            "ingest_templatecandidate",
            frame,
            account_ids="{1}",
            seen_on=ENDS_AT.date().isoformat(),
        )


def fill_release(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO ingest_modelrelease (model, released_at) VALUES (%s, %s)",
        [town_days.RELEASED, town_days.released_at()],
    )


def close(town: Town, processes: int) -> None:
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(close_day, [town] * town.days, range(town.days)))


def close_day(town: Town, day: int) -> None:
    from benchmarks.import_files import prepare

    prepare()
    from ingest.drain import partitions

    partitions.close_day(town_days.start_of(town, day).date())
