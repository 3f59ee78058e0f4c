"""setup_demo: the people, the key and the pretend platform of the demo."""

import json
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dashboard import demo_platform, keys, people, sign_in
from ingest.doors.errors import IngestRefused
from ingest.senders.keys import authenticate
from investigations import access
from investigations.actions import endpoints
from investigations.models import Endpoint

PEOPLE = {
    "ana": ("Ana Ortiz", "analyst"),
    "leo": ("Leo Brandt", "lead"),
    "mia": ("Mia Sato", "manager"),
    "vic": ("Vic Varga", "viewer"),
    "aud": ("Aud Lindqvist", "auditor"),
    "ada": ("Ada Kovač", "admin"),
}
LINK_HOURS = 24
SOURCE = "demo-gateway"
ENDPOINT = "demo platform"


class Command(BaseCommand):
    help = "Prepare a demo installation; safe to run again. Needs STILLWATCH_DEMO=1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    @transaction.atomic
    def handle(self, *args: object, **options: object) -> None:
        if not settings.DEMO:
            raise CommandError(
                "This is no demo installation: set STILLWATCH_DEMO=1 to make it one. "
                "A demo signs people in by printed links."
            )
        for role in access.ROLES:
            Group.objects.get_or_create(name=role)
        invited = [invite(username) for username in PEOPLE]
        ensure_key(Path(settings.VAR) / "demo-ingest.key")
        ensure_endpoint(f"{settings.BASE_URL}/demo/platform/effects")
        if options["json"]:
            self.stdout.write(json.dumps({"people": invited}))
            return
        for person in invited:
            self.stdout.write(
                f"{person['role']:<8} {settings.BASE_URL}{person['link']}"
            )


def invite(username: str) -> dict[str, str]:
    name, role = PEOPLE[username]
    user = people.ensure_person(username, name, role)
    link = sign_in.make_link(user, hours=LINK_HOURS)
    return {"username": username, "name": name, "role": role, "link": link}


def ensure_key(path: Path) -> None:
    """Keep the key of an earlier start while it works; else make one."""
    if path.exists() and works(path.read_text().strip()):
        return
    _, secret = keys.issue(
        source=SOURCE,
        name="demo feed",
        scopes=["ingest:write", "read"],
        expires_at=None,
        by=an_admin(),
    )
    demo_platform.keep_secret(path, secret)


def an_admin() -> User:
    admin = people.admins().order_by("pk").first()
    if admin is None:
        raise CommandError("No active admin is left in whose name to set this up.")
    return admin


def works(secret: str) -> bool:
    try:
        authenticate(secret, "ingest:write")
    except IngestRefused:
        return False
    return True


def ensure_endpoint(url: str) -> None:
    """Point the outbox at the pretend platform and give it the secret."""
    secret_file = demo_platform.secret_file()
    known = Endpoint.objects.filter(url=url, active=True).exists()
    if known and secret_file.exists():
        return
    _, secret = endpoints.set_endpoint(url=url, by=an_admin(), name=ENDPOINT)
    demo_platform.keep_secret(secret_file, secret)
