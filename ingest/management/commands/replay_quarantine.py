"""replay_quarantine: list what was not stored, and send it once more."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest import replay, writers
from ingest.errors import IngestRefused
from ingest.models import Batch, QuarantinedLine
from ingest.selectors import quarantine

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Without arguments: list the lines that wait. With --line or --code: send "
        "them once more. With --line N --fixed: read the corrected line from "
        "standard input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--line", type=int, help="the number that the list shows")
        parser.add_argument("--code", help="every line with this code, up to 10,000")
        parser.add_argument("--fixed", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["line"] is None and options["code"] is None:
            self.list_lines()
            return
        if options["fixed"] and options["line"] is None:
            raise CommandError("--fixed corrects one line: say which with --line.")
        lines = self.lines(options)
        try:
            if options["fixed"]:
                batches = [replay.replace(lines[0], sys.stdin.buffer.read())]
            else:
                batches = replay.replay(lines)
        except IngestRefused as error:
            raise CommandError(f"{error.sentence} {error.hint}".strip()) from None
        for batch in batches:
            self.report(writers.store_batch(batch.pk))

    def lines(self, options: dict[str, Any]) -> list[QuarantinedLine]:
        if options["line"] is None:
            lines = list(quarantine(code=options["code"], limit=10_000))
        else:
            lines = list(QuarantinedLine.objects.filter(pk=options["line"]))
        if not lines:
            raise CommandError("No such line waits; list them without arguments.")
        return lines

    def list_lines(self) -> None:
        for line in quarantine(limit=SHOWN):
            self.stdout.write(
                f"{line.pk:>8}  {line.created_at:%Y-%m-%d %H:%M}  "
                f"{line.batch.source.name}  {line.code}: {line.message}"
            )

    def report(self, batch: Batch) -> None:
        self.stdout.write(
            f"{batch.source.name}: {batch.received} replayed, {batch.stored} stored, "
            f"{batch.duplicates} duplicates, {batch.conflicts} conflicts, "
            f"{batch.refused + batch.quarantined} kept again"
        )
