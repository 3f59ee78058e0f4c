"""issue_key: a key for a machine, from the shell; its secret is shown once."""

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ingest.doors.errors import KeyNotInForce
from ingest.models import IngestKey, Source
from ingest.senders.keys import LONGEST_OVERLAP, OVERLAP, issue_key, rotate_key
from ingest.senders.quotas import Limits
from ingest.senders.whereabouts import BadNetwork, parse_networks

MADE_BY = "command line"
LIMITS = ("rows_per_minute", "rows_per_day", "bytes_per_minute", "bytes_per_day")


def whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise ArgumentTypeError(f"{text[:20]} is no whole number from 0")
    return int(text)


class Command(BaseCommand):
    help = (
        "Make a key that sends telemetry or reads findings, or a successor of one, "
        "and print its secret."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="what the key is for")
        parser.add_argument("--source", help="who sends with it")
        parser.add_argument(
            "--scope", action="append", choices=IngestKey.Scope.values, dest="scopes"
        )
        parser.add_argument(
            "--days", type=whole, help="how long it is valid; else until revoked"
        )
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            metavar="CIDR",
            help="an address or block that it may be used from; else from anywhere",
        )
        for name in LIMITS:
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=whole,
                help="0: no limit; left out: the installation's",
            )
        parser.add_argument(
            "--rotate",
            metavar="PREFIX",
            help="make a successor of this key, which may do the same",
        )
        parser.add_argument(
            "--overlap-hours",
            type=whole,
            default=int(OVERLAP.total_seconds() // 3600),
            help="how long a rotated key still opens (default: %(default)s)",
        )

    def handle(self, *args: object, **options: Any) -> None:
        made = self.rotate(**options) if options["rotate"] else self.issue(**options)
        self.stdout.write(made)

    def rotate(self, *, rotate: str, overlap_hours: int, **_: object) -> str:
        prefix = rotate.removeprefix("sw_")[:12]
        key = IngestKey.objects.filter(prefix=prefix).first()
        if key is None:
            raise CommandError("There is no key with this prefix; see Settings → Keys.")
        overlap = timedelta(hours=min(overlap_hours, 10_000))
        if overlap > LONGEST_OVERLAP:
            raise CommandError(f"Keys overlap for {LONGEST_OVERLAP.days} days at most.")
        try:
            return rotate_key(key, overlap=overlap, made_by=MADE_BY)[1]
        except KeyNotInForce as refusal:
            raise CommandError(f"{refusal.sentence} {refusal.hint}") from None

    def issue(self, **options: Any) -> str:
        name, sender = options["name"] or "", options["source"] or ""
        if not 1 <= len(name) <= 128 or not 1 <= len(sender) <= 128:
            raise CommandError("Name and --source have 1 to 128 characters.")
        days = options["days"]
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days is 1 to 3650.")
        try:
            networks = parse_networks(" ".join(options["allow"]))
        except BadNetwork as error:
            raise CommandError(str(error)) from None
        source, _ = Source.objects.get_or_create(name=sender)
        _, secret = issue_key(
            source=source,
            name=name,
            scopes=options["scopes"] or [IngestKey.Scope.INGEST_WRITE.value],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
            networks=networks,
            limits=Limits(**{limit: options[limit] for limit in LIMITS}),
            made_by=MADE_BY,
        )
        return secret
