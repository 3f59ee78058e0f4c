"""Feeds the demo world to a running Stillwatch, then goes on live until stopped."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ingest.demo.feed import Feeder, FeedRefused, Position, Server

DEFAULTS = {"seed": 1, "accounts": 3000, "events": 150_000}


class Command(BaseCommand):
    help = "Send the demo world to POST /api/v1/telemetry; JSON progress on stdout."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="http://127.0.0.1:8000")
        parser.add_argument("--key-file", required=True, type=Path)
        parser.add_argument("--seed", type=int)
        parser.add_argument("--accounts", type=int)
        parser.add_argument("--events", type=int)
        parser.add_argument("--rate", type=float, default=2.0, help="live, a second")

    def handle(self, *args: Any, **options: Any) -> None:
        var = Path(settings.VAR)
        try:
            key = options["key_file"].read_text().strip()
        except OSError as error:
            raise CommandError(f"--key-file cannot be read: {error}") from None
        state_file = var / "demo-feed.json"
        with httpx.Client(base_url=options["url"], timeout=60.0) as client:
            try:
                Feeder(
                    server=Server(client, key),
                    position=_position(state_file, options),
                    state_file=state_file,
                    truth_file=var / "demo-truth.ndjson",
                    say=self._say,
                    rate=options["rate"],
                ).run()
            except (FeedRefused, ValueError) as error:
                raise CommandError(str(error)) from None
            except KeyboardInterrupt:
                return

    def _say(self, event: dict[str, object]) -> None:
        self.stdout.write(json.dumps(event))
        self.stdout.flush()


def _position(path: Path, options: dict[str, Any]) -> Position:
    """Where an earlier feed stopped, or the beginning of a new one."""
    asked = {name: options[name] for name in DEFAULTS if options[name] is not None}
    earlier = Position.read(path)
    if earlier is None:
        ends_at = datetime.now(UTC).replace(microsecond=0).isoformat()
        return Position(**{**DEFAULTS, **asked}, ends_at=ends_at)
    for name, value in asked.items():
        if getattr(earlier, name) != value:
            raise CommandError(
                f"{path} was begun with --{name} {getattr(earlier, name)}, not {value}."
                " Leave the option out to go on, or start over with an empty folder."
            )
    return earlier
