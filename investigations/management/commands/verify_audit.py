from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from investigations.selectors.audit_chain import Fault, Head, verify_chain


class Command(BaseCommand):
    help = (
        "Walk the audit chain. Prints its head; exit 1 and the first bad sequence "
        "where an entry was changed, removed or put in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            metavar="SEQUENCE:HASH",
            help="a head printed earlier and kept elsewhere; shows a tail cut off",
        )

    def handle(self, *args: Any, head: str | None = None, **options: Any) -> None:
        found = verify_chain(self.noted(head) if head else None)
        if isinstance(found, Fault):
            raise CommandError(
                f"Audit entry {found.sequence} {found.sentence}.", returncode=1
            )
        self.stdout.write(f"{found.sequence} entries, unbroken. Head: {found}")

    def noted(self, text: str) -> Head:
        sequence, _, digest = text.partition(":")
        if not sequence.isdigit() or len(digest) != 64:
            raise CommandError("--head is SEQUENCE:HASH, as this command prints it.")
        return Head(int(sequence), digest)
