"""Writes a simulated world, or one composed from real traces and prompts, to a file."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.demo.output import write_truth, write_world
from ingest.demo.real import RealWorld, SharedDataMissing
from ingest.demo.world import World


class Command(BaseCommand):
    help = "Write contract records of a demo world (NDJSON, .gz where OUT ends so)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", type=Path)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--accounts", type=int, help="3000; with --from-data 1500")
        parser.add_argument("--events", type=int, help="150000; with --from-data 40000")
        parser.add_argument("--days", type=int, help="21; with --from-data 14")
        parser.add_argument("--ends-at", help="RFC 3339; default: now")
        parser.add_argument("--truth", type=Path, help="who is who, to a file apart")
        parser.add_argument(
            "--from-data",
            type=Path,
            help="compose from the real traces and prompts in this folder",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        world = self._world(options)
        count = write_world(world.records(), options["out"])
        if options["truth"]:
            write_truth(world.truth(), options["truth"])
        self.stdout.write(f"{count} records in {options['out']}")

    def _world(self, options: dict[str, Any]) -> World | RealWorld:
        ends_at = _moment(options["ends_at"])
        sizes = {
            name: options[option]
            for name, option in _SIZES.items()
            if options[option] is not None
        }
        try:
            if options["from_data"]:
                folder = options["from_data"]
                return RealWorld(folder, seed=options["seed"], ends_at=ends_at, **sizes)
            return World(seed=options["seed"], ends_at=ends_at, **sizes)
        except (ValueError, SharedDataMissing) as error:
            raise CommandError(str(error)) from None


_SIZES = {"accounts": "accounts", "exchanges": "events", "days": "days"}


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - falls through to the same sentence
    if moment.tzinfo is None:
        raise CommandError(
            f"--ends-at {text} is no time with an offset. Use 2026-11-23T12:00:00Z."
        )
    return moment
