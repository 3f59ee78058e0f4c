"""Writes a simulated world, or one composed from real traces and prompts, to a file."""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.demo.accounts import ExchangeTruth, Record
from ingest.demo.evasion import FRAMED, LEVELS, Evasion
from ingest.demo.output import truth_file, write_truth, write_world
from ingest.demo.real import RealWorld, SharedDataMissing
from ingest.demo.returnee import Returnee
from ingest.demo.world import World


class Command(BaseCommand):
    help = "Write contract records of a demo world (NDJSON, .gz where OUT ends so)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", type=Path)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--accounts", type=int, help="3000; with --from-data 1500")
        parser.add_argument("--events", type=int, help="150000; with --from-data 40000")
        parser.add_argument("--days", type=int, help="21; with --from-data 14")
        parser.add_argument(
            "--size",
            choices=SIZES,
            help="accounts, exchanges and days of a size, in place of the three above",
        )
        self._add_evasion(parser)
        parser.add_argument("--ends-at", help="RFC 3339; default: now")
        parser.add_argument("--truth", type=Path, help="who is who, to a file apart")
        parser.add_argument(
            "--truth-exchanges",
            type=Path,
            help="what each exchange was for (organic, harvest, camouflage), to a file",
        )
        parser.add_argument(
            "--from-data",
            type=Path,
            help="compose from the real traces and prompts in this folder",
        )

    def _add_evasion(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--evasion",
            type=int,
            choices=range(len(LEVELS)),
            help="how hard all campaigns hide, 0 naive to 4; more campaigns and more"
            " innocent look-alikes join",
        )
        parser.add_argument(
            "--frame",
            nargs="?",
            type=float,
            const=FRAMED,
            help="with --evasion: the part of the attackers' accounts that show an"
            f" innocent's card or address ({FRAMED} where no number is given)",
        )
        parser.add_argument(
            "--pool-size",
            type=int,
            help="with --evasion: how many accounts a pool of the hydra has at least",
        )
        parser.add_argument(
            "--returnee",
            type=float,
            metavar="SHARE",
            help="two campaigns are banned after 14 days and come back, so much of "
            "what they were known by renewed (0 to 1); needs --days 49 or more",
        )
        parser.add_argument(
            "--away",
            type=float,
            default=30.0,
            metavar="DAYS",
            help="how long they stay away; default 30",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        world = self._world(options)
        told = options["truth_exchanges"]
        if told is None:
            count = write_world(world.records(), options["out"])
        elif isinstance(world, World):
            count = write_world(_noted(world, told), options["out"])
        else:
            raise CommandError("--truth-exchanges goes with simulated worlds only.")
        if options["truth"]:
            write_truth(world.truth(), options["truth"])
        self.stdout.write(f"{count} records in {options['out']}")

    def _world(self, options: dict[str, Any]) -> World | RealWorld:
        ends_at = _moment(options["ends_at"])
        sizes = SIZES.get(options["size"], {}) | {
            name: options[option]
            for name, option in _OPTIONS.items()
            if options[option] is not None
        }
        try:
            if options["from_data"]:
                folder = options["from_data"]
                return RealWorld(folder, seed=options["seed"], ends_at=ends_at, **sizes)
            world = World(
                seed=options["seed"],
                ends_at=ends_at,
                evasion=_evasion(options),
                **sizes,
            )
            if options["returnee"] is not None:
                world.let_return(Returnee(options["returnee"], options["away"]))
        except (ValueError, SharedDataMissing) as error:
            raise CommandError(str(error)) from None
        return world


def _noted(world: World, path: Path) -> Iterator[Record]:
    """The world's records, while the truth about each exchange goes to a file."""
    with truth_file(path) as write:
        for entry in world.entries():
            if entry.record["type"] == "request":
                write(ExchangeTruth(event_id=entry.id, purpose=entry.purpose))
            yield entry.record


def _evasion(options: dict[str, Any]) -> Evasion | None:
    """The level with its switches. Raises CommandError for a switch without one."""
    level = options["evasion"]
    if level is None:
        if options["frame"] is not None or options["pool_size"] is not None:
            raise CommandError("--frame and --pool-size need --evasion N.")
        return None
    chosen = LEVELS[level]
    if options["frame"] is not None:
        chosen = replace(chosen, framed=options["frame"])
    return replace(chosen, pool_size=options["pool_size"])


# As detection.md section 5 has them.
SIZES: dict[str, dict[str, int]] = {
    "S": {"accounts": 20_000, "exchanges": 1_000_000, "days": 60},
    "M": {"accounts": 100_000, "exchanges": 6_000_000, "days": 60},
    "L": {"accounts": 1_024_000, "exchanges": 64_000_000, "days": 60},
}
_OPTIONS = {"accounts": "accounts", "exchanges": "events", "days": "days"}


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
