"""One full run over all that has been ingested."""

import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingest.drain import writers
from ingest.models import Batch
from ingest.rolling import marks, rollups
from investigations.actions import cases
from investigations.detection import pipeline
from investigations.detection.believing import Stopwatch
from investigations.detection.models import Run

# Seconds to wait for a worker that holds the batches or the rollups.
PATIENCE = 60


class Command(BaseCommand):
    help = (
        "Roll up what arrived, compute signals, scores, links and clusters, open cases "
        "for hot clusters, and print the seconds each stage took."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--as-of",
            metavar="TIME",
            help="RFC 3339 with an offset, such as 2026-11-18T12:00:00Z: the clock of "
            "the run. Nothing that happened after it is seen. Default: now.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        as_of = moment(options["as_of"])
        watch = Stopwatch()
        with watch.stage("rollups"):
            self.catch_up()
        run = pipeline.run(as_of=as_of)
        with watch.stage("cases"):
            opened = cases.open_hot_cases()
        self.tell(watch, run, len(opened))

    def catch_up(self) -> None:
        """Store what was accepted and roll it up, beside a worker that may be at it."""
        patience = PATIENCE
        while True:
            done = writers.store_pending() + rollups.refresh_stale()
            waiting = (
                Batch.objects.filter(state=Batch.State.PENDING).exists()
                or marks.is_waiting()
            )
            if not waiting:
                return
            if not done:
                patience -= 1
                time.sleep(1)
            if patience <= 0:
                self.stderr.write("A worker is still storing events; going on without.")
                return

    def tell(self, watch: Stopwatch, run: Run, opened: int) -> None:
        stages = {"rollups": watch.seconds["rollups"], **run.stages}
        stages["cases"] = watch.seconds["cases"]
        for name, seconds in stages.items():
            self.stdout.write(f"{seconds:8.2f} s  {name}")
        self.stdout.write(f"{sum(stages.values()):8.2f} s  in all")
        counts = run.counts
        self.stdout.write(
            f"{counts['accounts']:,} accounts, {counts['links']:,} links, "
            f"{counts['clusters']:,} clusters, {counts['hot_clusters']:,} of them at "
            f"70 or above, {counts['proposed']:,} accounts proposed for a ban; "
            f"{opened:,} {'case' if opened == 1 else 'cases'} opened. As of "
            f"{run.as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
        )


def moment(text: str | None) -> datetime:
    """The clock asked for. Raises CommandError for what is no time with an offset."""
    if text is None:
        return timezone.now()
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"--as-of {text!r} is no RFC 3339 time. Write it like 2026-11-18T12:00:00Z."
        ) from None
    if parsed.tzinfo is None:
        raise CommandError(f"--as-of {text!r} has no offset. Add one: {text}Z for UTC.")
    return parsed
