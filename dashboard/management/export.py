"""What the export commands have in common."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dashboard import exports


class ExportCommand(BaseCommand):
    """Writes rows to FILE; its ending chooses the format."""

    noun: str
    schema: exports.Schema

    def rows(self) -> exports.Rows:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        endings = ", ".join(exports.WRITERS)
        parser.add_argument(
            "file", type=Path, metavar="FILE", help=f"ends in {endings}"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: object, **options: object) -> None:
        path = options["file"]
        assert isinstance(path, Path)
        try:
            # One transaction: the cursor on the server needs it to stream.
            with transaction.atomic():
                count = exports.write(path, self.rows(), self.schema)
        except exports.UnknownFormat as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        if options["json"]:
            self.stdout.write(json.dumps({"file": str(path), "rows": count}))
        else:
            self.stdout.write(f"Wrote {count} {self.noun} to {path}.")
