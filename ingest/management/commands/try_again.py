"""try_again: give parked batches three new attempts."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest import watching
from ingest.doors.errors import NothingToDo
from ingest.mending import parked


class Command(BaseCommand):
    help = "Without arguments: list the parked batches. The worker tries those named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("batches", nargs="*", type=uuid.UUID, metavar="BATCH")
        parser.add_argument("--all", action="store_true", help="every parked batch")

    def handle(self, *args: Any, **options: Any) -> None:
        waiting = list(watching.parked())
        if not options["batches"] and not options["all"]:
            for batch in waiting:
                self.stdout.write(
                    f"{batch.batch_id}  {batch.received_at:%Y-%m-%d %H:%M}  "
                    f"{batch.source.name}  {batch.accepted:,} records  {batch.error}"
                )
            return
        wanted = options["batches"] or [batch.batch_id for batch in waiting]
        for batch_id in wanted:
            try:
                parked.try_again(batch_id)
            except NothingToDo as error:
                raise CommandError(f"{batch_id}: {error.sentence}") from None
            self.stdout.write(f"{batch_id}: the worker tries it again.")
