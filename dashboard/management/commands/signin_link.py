"""signin_link: print a one-time sign-in link for one person."""

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard import people, sign_in
from investigations import access
from investigations.actions import audit


class Command(BaseCommand):
    help = "Print a link that signs one person in once. It voids their older links."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--hours", type=float, default=1.0)

    def handle(self, *args: object, **options: object) -> None:
        name, hours = str(options["username"]), float(str(options["hours"]))
        try:
            user = people.staff().get(username=name, is_active=True)
        except User.DoesNotExist:
            known = people.staff().filter(is_active=True)
            names = ", ".join(known.values_list("username", flat=True)[:20])
            raise CommandError(
                f"Nobody active is called {name!r}. There are: {names or 'no people'}."
            ) from None
        audit.record(
            "person.link_made",
            by=access.system_account(),
            object_type="person",
            object_ref=name,
            reason="asked for on the command line",
        )
        path = sign_in.make_link(user, hours=hours)
        self.stdout.write(f"{settings.BASE_URL}{path}")
