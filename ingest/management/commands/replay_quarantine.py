"""replay_quarantine: list what was not stored, mend it, and send it once more."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from ingest.doors.errors import IngestRefused
from ingest.drain import writers
from ingest.mending import replay, replay_runs
from ingest.mending.fixing import REMOVE, RENAME, SET, Fix
from ingest.mending.kept_lines import Matching
from ingest.models import Batch, QuarantinedLine
from ingest.selectors import quarantine

SHOWN = 50
FILTERS = ("code", "source", "key", "field")


class Command(BaseCommand):
    help = (
        "Without arguments: list the lines that wait. With --code, --source, --key or "
        "--field: send every line that matches once more, as it is or with one change. "
        "With --line N: that line alone; with --fixed its corrected text is read from "
        "standard input."
    )

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """What is stored here must be safe: the database is looked at first."""
        return {"databases": [DEFAULT_DB_ALIAS]}

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--line", type=int, help="the number that the list shows")
        parser.add_argument("--fixed", action="store_true")
        parser.add_argument("--code", default="", help="every line with this code")
        parser.add_argument("--source", default="", help="of this source")
        parser.add_argument("--key", default="", help="of the key with this prefix")
        parser.add_argument("--field", default="", help="with this field at fault")
        change = parser.add_mutually_exclusive_group()
        change.add_argument(
            "--set", metavar="FIELD=VALUE", help="VALUE is JSON or text"
        )
        change.add_argument("--rename", metavar="FIELD=NAME")
        change.add_argument("--remove", metavar="FIELD")
        parser.add_argument(
            "--dry-run", action="store_true", help="only count what would be accepted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.do(options)
        except IngestRefused as error:
            raise CommandError(f"{error.sentence} {error.hint}".strip()) from None

    def do(self, options: dict[str, Any]) -> None:
        matching = Matching(**{name: options[name] for name in FILTERS})
        if options["fixed"] and options["line"] is None:
            raise CommandError("--fixed corrects one line: say which with --line.")
        if options["line"] is not None:
            self.replay_line(options["line"], fixed=options["fixed"])
        elif matching:
            self.replay_matching(matching, fix_of(options), dry=options["dry_run"])
        else:
            self.list_lines()

    def replay_line(self, pk: int, *, fixed: bool) -> None:
        line = QuarantinedLine.objects.filter(pk=pk).first()
        if line is None:
            raise CommandError("No such line waits; list them without arguments.")
        text = sys.stdin.buffer.read() if fixed else bytes(line.raw)
        self.report(writers.store_batch(replay.replace(line, text).pk))

    def replay_matching(
        self, matching: Matching, fix: Fix | None, *, dry: bool
    ) -> None:
        found = replay_runs.preview(matching, fix)
        if not found.total:
            raise CommandError("No such line waits; list them without arguments.")
        self.stdout.write(
            f"{found.good:,} of {found.looked_at:,} lines would now be accepted."
        )
        if dry:
            return
        run = replay_runs.start(
            matching, fix, asked_by=getpass.getuser(), reason="from the command line"
        )
        replay_runs.go_on()
        run.refresh_from_db()
        for pk in run.batch_ids:
            self.report(writers.store_batch(pk))
        self.stdout.write(f"{run.still_bad:,} lines wait as before. {run.error}")

    def list_lines(self) -> None:
        for line in quarantine(limit=SHOWN):
            self.stdout.write(
                f"{line.pk:>8}  {line.created_at:%Y-%m-%d %H:%M}  "
                f"{line.batch.source.name}  {line.code}: {line.message}"
            )

    def report(self, batch: Batch) -> None:
        self.stdout.write(
            f"{batch.source.name}: {batch.received:,} replayed, "
            f"{batch.stored:,} stored, {batch.duplicates:,} duplicates, "
            f"{batch.conflicts:,} conflicts, "
            f"{batch.refused + batch.quarantined:,} kept again"
        )


def fix_of(options: dict[str, Any]) -> Fix | None:
    for kind in (SET, RENAME):
        if options[kind] is not None:
            field, equals, value = options[kind].partition("=")
            if not equals:
                raise CommandError(f"--{kind} takes FIELD=… and nothing else.")
            return Fix.typed(kind, field, value)
    removed = options[REMOVE]
    return Fix.typed(REMOVE, removed, "") if removed is not None else None
