"""ingest FILE…: telemetry from files or standard input, as if it had been posted."""

import json
from collections import Counter
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError

from ingest.doors.errors import BadFile, IngestRefused
from ingest.importing import imports
from ingest.importing.files import OpenFile, open_file
from ingest.importing.imports import FATES, AlreadyImported
from ingest.importing.progress import Progress
from ingest.models import FileImport, QuarantinedLine, Source
from ingest.records.schemas import BY_TYPE

LINES_SHOWN = 10
DISK_FULL = "53100"  # PostgreSQL's SQLSTATE


class Command(BaseCommand):
    help = (
        "Store telemetry from .ndjson, .jsonl, .json and .csv files, each also as .gz "
        "or .zst, from .parquet, and from standard input (-). A file is known by its "
        "content: one that was imported is not read again, one that was cut off goes "
        "on where it stopped."
    )

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """What is stored here must be safe: the database is looked at first."""
        return {"databases": [DEFAULT_DB_ALIAS]}

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", metavar="FILE")
        parser.add_argument(
            "--source",
            default="files",
            help="who the events come from; event ids are unique within a source",
        )
        parser.add_argument(
            "--type",
            choices=list(BY_TYPE),
            help="what the rows of a table are, where no column `type` says it",
        )
        parser.add_argument(
            "--keep-good",
            action="store_true",
            help="store a table's good rows though others are bad",
        )
        parser.add_argument(
            "--again", action="store_true", help="read a file that was imported before"
        )
        parser.add_argument(
            "--revert",
            type=int,
            metavar="IMPORT",
            help="take out what an import brought, by its number",
        )
        parser.add_argument("--json", action="store_true", help="the counts as JSON")
        parser.add_argument("--quiet", action="store_true", help="no progress")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401  # Django's
        if (number := options["revert"]) is not None:
            self.revert(number)
            return
        if not options["files"]:
            raise CommandError("Name a file, or - for standard input.")
        source, _ = Source.objects.get_or_create(name=options["source"])
        counts: Counter[str] = Counter()
        done: list[FileImport] = []
        for name in options["files"]:
            try:
                done.append(self.import_file(name, source, options))
            except AlreadyImported as told:
                self.stderr.write(told.sentence)
                continue
            except BadFile as error:
                raise CommandError(f"{error.sentence} [{error.code}]") from None
            except IngestRefused as error:
                raise CommandError(f"{error.sentence} {error.hint}".strip()) from None
            counts.update(imports.counts_of(done[-1]))
        self.report(counts, done, as_json=options["json"])

    def import_file(
        self, name: str, source: Source, options: dict[str, Any]
    ) -> FileImport:
        """Raises BadFile; after Ctrl-C says what stayed."""
        with open_file(name, options["type"]) as file:
            if file.told and not options["quiet"]:
                self.stderr.write(f"{file.told_name} is read as {file.told}.")
            imports.check(file, keep_good=options["keep_good"])
            found = imports.begin(file, source, again=options["again"])
            if found.position:
                self.stderr.write(
                    f"{file.told_name}: import {found.pk} goes on from line "
                    f"{found.line:,}."
                )
            try:
                self.store(found, file, quiet=options["quiet"])
            except KeyboardInterrupt:
                raise CommandError(self.stopped(found), returncode=130) from None
            except (OperationalError, InterfaceError) as error:
                raise CommandError(self.lost(found, error)) from None
        return found

    def store(self, found: FileImport, file: OpenFile, *, quiet: bool) -> None:
        counts: Counter[str] = Counter()
        # A bar draws over itself, which Django's wrapper would end with a new line.
        out = cast("TextIO", self.stderr._out)
        with Progress(file.told_name, file.size, out, quiet=quiet) as progress:
            for batch in imports.store(found, file):
                counts.update({fate: getattr(batch, fate) for fate in FATES})
                progress.show(counts, file.read_so_far())

    def stopped(self, found: FileImport) -> str:
        counts = imports.counts_of(found)
        return (
            f"Stopped. {counts['stored']:,} of {counts['received']:,} records of "
            f"{found.name} are stored and stay, as import {found.pk}. Import the file "
            f"again to go on, or take them out: manage.py ingest --revert {found.pk}"
        )

    def lost(self, found: FileImport, error: Exception) -> str:
        why = "The database does not answer"
        if getattr(error.__cause__, "sqlstate", None) == DISK_FULL:
            why = "The database's disk is full"
        return (
            f"{why}: {found.name} is stored up to a whole part, and no further. "
            "Mend that and import the file again: it goes on from there."
        )

    def revert(self, number: int) -> None:
        found = FileImport.objects.filter(pk=number).first()
        if found is None:
            raise CommandError(f"There is no import {number}.")
        if found.state == FileImport.State.REVERTED:
            raise CommandError(f"Import {number} is reverted already.")
        try:
            records = imports.revert(found, by="manage.py ingest")
        except BadFile as error:
            raise CommandError(error.sentence) from None
        self.stdout.write(
            f"Took {records:,} records of {found.name} out again (import {number})."
        )

    def report(
        self, counts: Counter[str], done: list[FileImport], *, as_json: bool
    ) -> None:
        if as_json:
            self.stdout.write(json.dumps({fate: counts[fate] for fate in FATES}))
        else:
            self.stdout.write(", ".join(f"{counts[fate]:,} {fate}" for fate in FATES))
        for found in done:
            self.show_refused(found)
        waiting = [each for each in done if imports.waiting(each)]
        if waiting:
            self.stderr.write("Some batches wait; the worker will store them.")

    def show_refused(self, found: FileImport) -> None:
        lines = QuarantinedLine.objects.filter(batch__part__file_import=found)
        for each in lines.select_related("batch__part").order_by("pk")[:LINES_SHOWN]:
            number = each.batch.part.line + each.line - 1
            self.stderr.write(f"line {number}: {each.code}: {each.message}")
        if (more := lines.count() - LINES_SHOWN) > 0:
            self.stderr.write(f"… and {more:,} more; all of them are kept.")
