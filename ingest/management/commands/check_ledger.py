"""check_ledger: does every line that was received have exactly one fate?"""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.ledger import LedgerRow, ledger

COLUMNS = (
    "received",
    "stored",
    "duplicate",
    "conflict",
    "quarantined",
    "refused",
    "pending",
)


class Command(BaseCommand):
    help = "Count what became of every line, by source and day; exit 1 on a gap."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: object, **options: object) -> None:
        rows = ledger()
        adds_up = all(row.adds_up for row in rows)
        if options["json"]:
            self.stdout.write(json.dumps(document(rows), indent=2))
        else:
            self.table(rows)
        if not adds_up:
            raise CommandError("The ledger does not add up.", returncode=1)

    def table(self, rows: list[LedgerRow]) -> None:
        heads = "".join(f"{name:>13}" for name in COLUMNS)
        self.stdout.write(f"{'source':<24}{'day':<12}{heads}")
        for row in rows:
            cells = "".join(f"{getattr(row, name):>13,}" for name in COLUMNS)
            fault = "" if row.adds_up else "  does not add up"
            self.stdout.write(f"{row.source:<24.23}{row.day!s:<12}{cells}{fault}")


def document(rows: list[LedgerRow]) -> dict[str, object]:
    return {
        "adds_up": all(row.adds_up for row in rows),
        "totals": {name: sum(getattr(row, name) for row in rows) for name in COLUMNS},
        "rows": [row.as_json() for row in rows],
    }
