"""apply_retention: delete what is past its keep-by setting, unless a hold keeps it."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.keeping import retention


class Command(BaseCommand):
    help = (
        "Delete what is older than its setting allows (STILLWATCH_RETENTION_…_DAYS). "
        "A legal hold wins. Runs by itself every night."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be deleted"
        )

    def handle(self, *args: object, **options: object) -> None:
        try:
            found = retention.due() if options["dry_run"] else retention.apply()
        except retention.AlreadyRunning:
            raise CommandError("Another run is at work; wait for its end.") from None
        verb = "to delete" if options["dry_run"] else "deleted"
        for outcome in found:
            held = f", {outcome.held:,} kept by legal holds" if outcome.held else ""
            self.stdout.write(
                f"{outcome.kind.title:<20} before {outcome.before}: "
                f"{outcome.dropped:,} {verb}{held}"
            )
            if outcome.error:
                self.stderr.write(f"  not all: {outcome.error}")
        if any(outcome.error for outcome in found):
            raise CommandError("Some could not be deleted; the next run tries again.")
