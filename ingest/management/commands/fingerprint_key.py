"""fingerprint_key: the key for gateways that fingerprint texts themselves."""

from django.core.management.base import BaseCommand

from ingest.drain.storing import fingerprint_key
from ingest.fingerprints import KEY_VARIABLE


class Command(BaseCommand):
    help = (
        f"Print the value of {KEY_VARIABLE} for `python -m ingest.fingerprints`. "
        "Whoever has it can test guesses of a prompt, so it is a secret."
    )

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(fingerprint_key().hex())
