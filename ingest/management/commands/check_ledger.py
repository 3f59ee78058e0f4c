"""check_ledger: does every line that was received have exactly one fate?"""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.ledger import (
    LedgerRow,
    RefusedRow,
    by_source_and_day,
    ledger_by_key,
    refused_requests,
)

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
    help = (
        "Count what became of every line, by source, day and key, beside the rows "
        "that are really there; exit 1 on a gap."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--keys", action="store_true", help="a line for each key in the table"
        )

    def handle(self, *args: object, **options: object) -> None:
        by_key = ledger_by_key()
        rows = by_source_and_day(by_key)
        refused = refused_requests()
        if options["json"]:
            self.stdout.write(json.dumps(document(rows, by_key, refused), indent=2))
        else:
            self.table(by_key if options["keys"] else rows)
            self.refused(refused)
        if not all(row.adds_up for row in by_key):
            raise CommandError("The ledger does not add up.", returncode=1)

    def table(self, rows: list[LedgerRow]) -> None:
        heads = "".join(f"{name:>13}" for name in COLUMNS)
        self.stdout.write(f"{'source':<24}{'day':<12}{heads}")
        for row in rows:
            cells = "".join(f"{getattr(row, name):>13,}" for name in COLUMNS)
            key = "" if row.key is None else f"  {row.key or 'no key'}"
            fault = "" if row.adds_up else "  does not add up"
            self.stdout.write(f"{row.source:<24.23}{row.day!s:<12}{cells}{key}{fault}")

    def refused(self, rows: list[RefusedRow]) -> None:
        if rows:
            self.stdout.write("\nRequests refused as a whole, of which nothing is kept")
        for row in rows:
            who = f"{row.source} {row.key}" if row.source else "unknown key"
            told = f"{row.status} {row.code}: {row.requests:,}, {row.bytes:,} bytes"
            self.stdout.write(f"{who:<37.36}{row.day!s:<12}{told}")


def document(
    rows: list[LedgerRow], by_key: list[LedgerRow], refused: list[RefusedRow]
) -> dict[str, object]:
    return {
        "adds_up": all(row.adds_up for row in by_key),
        "totals": {name: sum(getattr(row, name) for row in rows) for name in COLUMNS},
        "rows": [row.as_json() for row in rows],
        "keys": [row.as_json() for row in by_key],
        "refused_requests": [row.as_json() for row in refused],
    }
