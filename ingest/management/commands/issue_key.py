"""issue_key: a key for a machine, from the shell; its secret is shown once."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.keys import issue_key
from ingest.models import IngestKey, Source


class Command(BaseCommand):
    help = "Make a key that sends telemetry or reads findings, and print its secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the key is for")
        parser.add_argument("--source", required=True, help="who sends with it")
        parser.add_argument(
            "--scope", action="append", choices=IngestKey.Scope.values, dest="scopes"
        )

    def handle(self, *args: object, **options: object) -> None:
        name, sender = str(options["name"]), str(options["source"])
        if not 1 <= len(name) <= 128 or not 1 <= len(sender) <= 128:
            raise CommandError("Name and source have 1 to 128 characters.")
        source, _ = Source.objects.get_or_create(name=sender)
        scopes = options["scopes"] or [IngestKey.Scope.INGEST_WRITE.value]
        assert isinstance(scopes, list)
        _, secret = issue_key(source=source, name=name, scopes=scopes)
        self.stdout.write(secret)
