"""What a whole detection run costs, stage by stage, and a quick pass after it.

    python -m benchmarks.whole_run [--accounts 224000] [--events 50000000] [--days 28]

Makes a town up (benchmarks/town.py) in a database of its own on the server that
DATABASE_URL names, as ingest and its rollups would have left it, and drops it at the
end unless `--keep NAME` names one to keep and to use again. Then times `pipeline.run`
by its own stopwatch, a second run over unchanged facts, and a quick pass after new
requests of `--changed` accounts, which real ingest takes in; with the most memory of
the process.
"""

import argparse
import cProfile
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psycopg
from django.core.management import call_command

from benchmarks import town, town_days, town_filling
from benchmarks.import_files import peak_memory, prepare
from benchmarks.town import ENDS_AT, Town

AS_OF = ENDS_AT - timedelta(microseconds=1)
ENOUGH = timedelta(minutes=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=town.FULL)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--changed", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", metavar="NAME", help="of a database")
    parser.add_argument("--profile", metavar="FILE", help="of the first run")
    asked = parser.parse_args()
    place = town.made_up(asked.accounts, asked.events, asked.days, asked.seed)
    with database(asked.keep) as made:
        prepare()
        call_command("migrate", verbosity=0)
        if made:
            make(place, asked.processes)
        measure(place, asked)


@contextmanager
def database(keep: str | None) -> Iterator[bool]:
    """A database of our own in DATABASE_URL; whether it is new."""
    url = os.environ["DATABASE_URL"]
    name = keep or f"stillwatch_benchmark_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        known = there.fetchone() is not None
        if not known:
            server.execute(f"CREATE DATABASE {name}")
        os.environ["DATABASE_URL"] = urlsplit(url)._replace(path=f"/{name}").geturl()
        try:
            yield not known
        finally:
            if keep is None:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def make(place: Town, processes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        count = town_filling.fill(place, Path(folder), processes)
    print(f"{place.accounts:,} accounts, {count:,} requests in {place.days} days")


def measure(place: Town, asked: argparse.Namespace) -> None:
    from investigations.detection import pipeline

    for number in range(asked.runs):
        watched = asked.profile if number == 0 else None
        took, run = timed(lambda: pipeline.run(as_of=AS_OF), watched)
        tell(f"full pass {number + 1}", took, run)
    if asked.changed:
        changed = send_more(place, asked.changed)
        took, run = timed(quick_pass, None)
        tell(f"quick pass, {changed:,} accounts changed", took, run)


def timed(work: Callable[[], object], watched: str | None) -> tuple[float, object]:
    profile = cProfile.Profile() if watched else None
    started = time.perf_counter()
    run = profile.runcall(work) if profile else work()
    took = time.perf_counter() - started
    if profile and watched:
        profile.dump_stats(watched)
    return took, run


def quick_pass() -> object:
    from investigations.detection import pace, pipeline

    pace.SHORT = timedelta(0)  # small towns too
    run = pipeline.refresh(now=AS_OF + ENOUGH)
    if run is None or run.kind != "quick":
        sys.exit(f"No quick pass was made, but {run}.")
    return run


def tell(name: str, took: float, run: object) -> None:
    from investigations.detection.models import Run

    assert isinstance(run, Run)
    print(f"{name}: {took:.1f} s, most memory so far {peak_memory():,} MiB")
    for stage, seconds in run.stages.items():
        print(f"  {stage:28} {seconds:8.2f} s")
    counts = {name: each for name, each in run.counts.items() if name != "facts"}
    print(f"  {counts}", flush=True)


def send_more(place: Town, changed: int) -> int:
    """New requests of some accounts after the clock, through real ingest."""
    from ingest.drain import writers
    from ingest.models import Source
    from ingest.rolling import rollups

    dice = np.random.default_rng(place.seed)
    some = np.sort(dice.choice(place.accounts, changed, replace=False)) + 1
    tomorrow = town_days.requests_on(place, place.days)
    minutes = tomorrow.with_columns(
        micros=tomorrow["micros"] % 500_000_000,
        at=tomorrow["at"] - tomorrow["micros"] + tomorrow["micros"] % 500_000_000,
    )
    sent = minutes.filter(minutes["account"].is_in(some.tolist()))
    origin = writers.Origin(Source.objects.get(pk=1), way_in="file")
    writers.import_batch([town_days.lines(sent)], origin)
    rollups.refresh_stale()
    return sent["account"].n_unique()


if __name__ == "__main__":
    main()
