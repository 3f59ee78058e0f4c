"""Reads a folder of published prompts and traces. None of it comes into the repository;
the folder is given at run time (its own README tells sources and licences)."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.demo.dice import Dice, poisson


class SharedDataMissing(Exception):
    """The folder lacks a file. The text says which."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt, the corpus' own answer where it has one, and what it belongs to."""

    text: str
    answer: str | None
    group: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a real conversation: seconds since the one before, and tokens."""

    gap: float
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Window:
    """Ten minutes of a client's day: its rate a second and how its gaps are spread."""

    start: float
    rate: float
    shape: str
    parameter: float


class SharedData:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "prompts").is_dir() or not (folder / "traces").is_dir():
            raise SharedDataMissing(
                f"{folder} has no folders prompts/ and traces/. Give the folder that"
                " holds the shared data, or leave --from-data out to simulate."
            )

    def asks(self, name: str, group: str = "id") -> list[Ask]:
        """Prompts of one corpus; `group` names the field that keeps them together."""
        found = []
        for text in self._lines(f"prompts/{name}.jsonl.gz"):
            row = json.loads(text)
            extra = row.get("extra", {})
            belongs = row.get(group) or extra.get(group) or ""
            found.append(Ask(row["text"], extra.get("answer"), str(belongs)))
        return found

    def grouped(self, name: str, group: str) -> list[list[Ask]]:
        """The same, one list for each author, conversation or template."""
        groups: dict[str, list[Ask]] = {}
        for ask in self.asks(name, group):
            groups.setdefault(ask.group, []).append(ask)
        return list(groups.values())

    def conversations(self) -> list[list[Turn]]:
        """Mooncake's prefix groups as conversations, longest gaps under an hour."""
        groups: dict[str, list[Turn]] = {}
        last: dict[str, float] = {}
        for row in self._rows("traces/mooncake_conversation.csv.gz"):
            key, at = row["prefix_group"], float(row["t_ms"]) / 1000
            turn = Turn(
                at - last.get(key, at),
                int(row["input_tokens"]),
                int(row["output_tokens"]),
            )
            groups.setdefault(key, []).append(turn)
            last[key] = at
        return list(groups.values())

    def lengths(self, trace: str) -> list[tuple[int, int]]:
        """Input and output tokens of Azure's `conv` or `code` trace."""
        return [
            (int(row["input_tokens"]), int(row["output_tokens"]))
            for row in self._rows("traces/azure_llm_2023.csv.gz")
            if row["trace"] == trace
        ]

    def clients(self) -> list[list[Window]]:
        """ServeGen's clients: one day each, in windows of ten minutes."""
        days: dict[str, list[Window]] = {}
        for row in self._rows("traces/servegen_windows.csv.gz"):
            if float(row["rate_rps"]) <= 0:
                continue
            window = Window(
                float(row["window_start_s"]),
                float(row["rate_rps"]),
                row["gap_dist"],
                max(0.05, float(row["gap_shape"] or 1)),
            )
            days.setdefault(f"{row['model']}/{row['client']}", []).append(window)
        return [day for day in days.values() if len(day) >= 12]

    def _rows(self, path: str) -> Iterator[dict[str, str]]:
        return csv.DictReader(self._lines(path))

    def _lines(self, path: str) -> Iterator[str]:
        try:
            with gzip.open(self.folder / path, "rt", encoding="utf-8") as lines:
                yield from lines
        except FileNotFoundError:
            raise SharedDataMissing(f"{self.folder / path} is missing.") from None


def moments(rng: Dice, day: list[Window], expected: float) -> list[float]:
    """Seconds of one day at which a client sends, `expected` of them on average.

    Gaps come from the window's own distribution and are scaled to its rate, since the
    two do not always agree in the published fit.
    """
    scale = expected / sum(window.rate for window in day)
    found: list[float] = []
    for window in day:
        count = poisson(rng, window.rate * scale)
        if not count:
            continue
        gaps = [_gap(rng, window) for _ in range(count + 1)]
        at, whole = 0.0, sum(gaps)
        for gap in gaps[:-1]:
            at += gap
            found.append(window.start + at / whole * 600)
    return found


def _gap(rng: Dice, window: Window) -> float:
    if window.shape == "weibull":
        return rng.weibullvariate(1.0, window.parameter) + 1e-9
    return rng.gammavariate(window.parameter, 1.0) + 1e-9
