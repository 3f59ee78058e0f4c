"""What every form of file is read into: parts of NDJSON that know where they stood."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

# About this much of a file becomes one batch: 20,000 records and more.
PART_BYTES: Final = 8 * 1024 * 1024
PART_RECORDS: Final = 20_000
PART_LINES: Final = 50_000


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a row of a table is no record, where only the table's form can tell.

    Its line in the part is a JSON array of its cells, which no record is.
    """

    code: str
    message: str


@dataclass(slots=True)
class Part:
    """Whole lines of NDJSON. `position` is where the next part begins, in what the
    form counts (bytes, elements, rows); `first` the number of the first line or row.
    """

    data: bytes
    position: int
    first: int = 1
    flaws: dict[int, Flaw] = field(default_factory=dict)


@dataclass(slots=True)
class Gatherer:
    """Lines one by one → parts, for forms whose position is a count of records."""

    position: int
    first: int
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    flaws: dict[int, Flaw] = field(default_factory=dict)

    def add(self, line: bytes, flaw: Flaw | None = None) -> Iterator[Part]:
        """Takes one line without its break; gives a part when one is full."""
        self.lines.append(line)
        self.size += len(line) + 1
        if flaw is not None:
            self.flaws[len(self.lines)] = flaw
        if len(self.lines) >= PART_RECORDS or self.size >= PART_BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[Part]:
        if not self.lines:
            return
        count = len(self.lines)
        self.position += count
        data = b"\n".join(self.lines) + b"\n"
        yield Part(data, self.position, self.first, self.flaws)
        self.first += count
        self.lines, self.size, self.flaws = [], 0, {}
