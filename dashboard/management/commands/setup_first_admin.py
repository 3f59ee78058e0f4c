"""setup_first_admin: let the first person into an empty installation."""

import json

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandParser

from dashboard import people, sign_in

USERNAME = "admin"
LINK_HOURS = 24


class Command(BaseCommand):
    help = (
        "Make the first admin and print a one-time link. Prints a fresh link until "
        "an admin has signed in, and none after that."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: object, **options: object) -> None:
        link = first_link()
        if options["json"]:
            self.stdout.write(json.dumps({"link": link}))
        else:
            self.stdout.write(link or "An admin has signed in already; no link made.")


def first_link() -> str | None:
    """The path of a link, or None once an admin can come in by other means."""
    others = people.admins().exclude(username=USERNAME)
    if others.filter(last_login__isnull=False).exists():
        return None
    first = people.ensure_person(USERNAME, "First Admin", "admin")
    has_own_way_in = Authenticator.objects.filter(user=first).exists()
    if first.has_usable_password() or has_own_way_in:
        return None
    return sign_in.make_link(first, hours=LINK_HOURS)
