"""ingest FILE…: telemetry from files or standard input, as if it had been posted."""

import json
import sys
import time
from collections import Counter

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest import files
from ingest.errors import IngestRefused
from ingest.models import Batch, QuarantinedLine, Source

FATES = ("received", "stored", "duplicates", "conflicts", "quarantined", "refused")
LINES_SHOWN = 10
SECONDS_BETWEEN_LINES = 2.0


class Command(BaseCommand):
    help = (
        "Store telemetry from .ndjson, .ndjson.gz and .json files; - reads standard "
        "input. Sending a file again doubles nothing."
    )

    next_line = 0.0

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--source",
            default="files",
            help="who the events come from; event ids are unique within a source",
        )
        parser.add_argument("--json", action="store_true", help="the counts as JSON")

    def handle(self, *args: object, **options: object) -> None:
        source, _ = Source.objects.get_or_create(name=str(options["source"]))
        counts: Counter[str] = Counter()
        batches: list[int] = []
        started = time.monotonic()
        names = options["files"]
        assert isinstance(names, list)
        try:
            for name in names:
                for batch in files.import_file(name, source):
                    counts.update({fate: getattr(batch, fate) for fate in FATES})
                    batches.append(batch.pk)
                    self.progress(name, counts, started)
        except IngestRefused as error:
            raise CommandError(f"{error.sentence} {error.hint}".strip()) from None
        self.report(counts, batches, as_json=bool(options["json"]))

    def progress(self, name: str, counts: Counter[str], started: float) -> None:
        seconds = max(time.monotonic() - started, 0.001)
        if seconds < self.next_line:
            return
        self.next_line = seconds + SECONDS_BETWEEN_LINES
        rate = counts["received"] / seconds
        self.stderr.write(f"{name}: {counts['received']:,} lines, {rate:,.0f} a second")

    def report(
        self, counts: Counter[str], batches: list[int], *, as_json: bool
    ) -> None:
        if as_json:
            self.stdout.write(json.dumps({fate: counts[fate] for fate in FATES}))
        else:
            parts = (f"{counts[fate]:,} {fate}" for fate in FATES)
            self.stdout.write(", ".join(parts))
        self.show_refused(batches)
        waiting = Batch.objects.filter(pk__in=batches).exclude(state="stored")
        if waiting.exists():
            sys.stderr.write("Some batches wait; the worker will store them.\n")

    def show_refused(self, batches: list[int]) -> None:
        lines = QuarantinedLine.objects.filter(batch__in=batches).order_by("pk")
        for line in lines[:LINES_SHOWN]:
            self.stderr.write(f"line {line.line}: {line.code}: {line.message}")
        if (more := lines.count() - LINES_SHOWN) > 0:
            self.stderr.write(f"… and {more:,} more; all of them are kept.")
