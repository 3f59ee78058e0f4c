"""enrich: tell where stored events came from, by the tables that are plugged in now."""

from datetime import date

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.places import enrich_stored, enrichment


class Command(BaseCommand):
    help = (
        "Fill in country and autonomous system of stored events and accounts that "
        "lack them. What a provider sent, and what is known already, stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            help="leave events of days before this one (YYYY-MM-DD) as they are",
        )

    def handle(self, *args: object, **options: object) -> None:
        since = options["since"]
        assert since is None or isinstance(since, date)
        standings = enrichment.standings()
        if not any(each.size for each in standings):
            told = " ".join(each.error for each in standings if each.error)
            raise CommandError(
                told
                or "No table is plugged in. Set STILLWATCH_GEO_TABLE or "
                "STILLWATCH_ASN_TABLE first."
            )
        events = sum(enrich_stored.fill_day(day) for day in enrich_stored.days(since))
        accounts = enrich_stored.fill_accounts()
        self.stdout.write(f"Filled in {events} events and {accounts} accounts.")
