"""A table of addresses as text: one range a line, commas or tabs, also .gz. Pure.

    network | start,end   [country]   [asn]   [name]

The columns are told by a header line, or found by what they hold. `start` and `end`
may be whole numbers (IPv4). `#` and `;` start a comment. Reads the text tables of
DB-IP, IPtoASN, pyasn and Tor's geoip files as they are.
"""

import csv
import gzip
import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, NamedTuple

from ingest.places.address_ranges import Range, Ranges, pack
from ingest.records.normalise import country, system_number

_SAMPLE: Final = 500
_NO_COUNTRY: Final = {"", "??", "-", "ZZ", "NONE"}


class Place(NamedTuple):
    """What a table says of an address; None where it says nothing."""

    country: str | None = None
    asn: int | None = None
    name: str | None = None


NOWHERE: Final = Place()


class BadRow(ValueError):
    """Names the line and what is wrong with it."""


class Columns(NamedTuple):
    """Where in a row each thing stands; `end` is None where `start` is a network."""

    start: int
    end: int | None
    country: int | None
    asn: int | None
    name: int | None


class TextTable:
    """All ranges in memory; about 20 bytes a range."""

    def __init__(self, path: Path) -> None:
        self.built_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        self._numbers: dict[Place, int] = {}
        self._ranges = Ranges(lambda: self._read(path))
        self._places = list(self._numbers)
        self.size = len(self._ranges)

    def find(self, address: str) -> Place:
        number = self._ranges.find(address)
        return NOWHERE if number is None else self._places[number]

    def _read(self, path: Path) -> Iterator[Range]:
        columns = read_sample(path)
        with _open(path) as text:
            for number, row in _rows(text):
                if _is_header(row):
                    continue
                version, start, end = _ends(row, columns, number)
                place = _place(row, columns)
                value = self._numbers.setdefault(place, len(self._numbers))
                yield Range(version, start, end, value)


def read_sample(path: Path) -> Columns:
    """What the columns are, by the first lines. Raises BadRow, OSError, csv.Error."""
    with _open(path) as text:
        sample = list(itertools.islice(_rows(text), _SAMPLE))
    if not sample:
        raise BadRow("line 1: the table is empty.")
    rows = [row for _, row in sample]
    columns = _by_header(rows[0]) if _is_header(rows[0]) else _by_content(rows)
    for number, row in sample:
        if not _is_header(row):
            _ends(row, columns, number)
    return columns


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(text: IO[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row that is no comment, with the number of its line."""
    lines = ((n, line) for n, line in enumerate(text, 1) if _tells(line))
    first = next(lines, None)
    if first is None:
        return
    delimiter = "\t" if "\t" in first[1] else ","
    numbers: list[int] = []

    def remember() -> Iterator[str]:
        for number, line in itertools.chain([first], lines):
            numbers[:] = [number]
            yield line

    for row in csv.reader(remember(), delimiter=delimiter, strict=True):
        yield numbers[0], row


def _tells(line: str) -> bool:
    return bool(line.strip()) and line[0] not in "#;"


_HEADERS: Final = {
    "start": {"network", "prefix", "cidr", "ip_range", "start", "start_ip", "ip_start"}
    | {"range_start", "first_ip", "ip_from"},
    "end": {"end", "end_ip", "ip_end", "range_end", "last_ip", "ip_to"},
    "country": {"country", "country_code", "country_iso_code", "iso_code"},
    "asn": {"asn", "as_number", "autonomous_system_number"},
    "name": {"name", "as_name", "as_description", "as_organization"}
    | {"autonomous_system_organization", "organization", "org"},
}


def _is_header(row: Sequence[str]) -> bool:
    return row[0].strip().lower() in _HEADERS["start"]


def _by_header(row: Sequence[str]) -> Columns:
    words = [word.strip().lower() for word in row]
    found = {
        name: next((n for n, word in enumerate(words) if word in known), None)
        for name, known in _HEADERS.items()
    }
    if found["country"] is None and found["asn"] is None:
        raise BadRow("line 1: the header names neither `country` nor `asn`.")
    return Columns(
        found["start"] or 0,
        found["end"],
        found["country"],
        found["asn"],
        found["name"],
    )


def _by_content(rows: Sequence[list[str]]) -> Columns:
    """The columns after the addresses: a number is an AS, two letters a country."""
    width = min(map(len, rows))
    end = None if "/" in rows[0][0] else 1
    rest = range(1 if end is None else 2, width)
    codes = [n for n in rest if all(_is_code(row[n]) for row in rows)]
    numbers = [n for n in rest if all(_is_number(row[n]) for row in rows)]
    names = [n for n in rest if n not in codes and n not in numbers]
    if not codes and not numbers:
        raise BadRow("line 1: neither a country nor an AS number stands beside it.")
    return Columns(
        0, end, *(each[0] if each else None for each in (codes, numbers, names))
    )


def _is_code(text: str) -> bool:
    word = text.strip().upper()
    return word in _NO_COUNTRY or country(word) is not None


def _is_number(text: str) -> bool:
    return text.strip().upper().removeprefix("AS").isdecimal()


def _ends(row: Sequence[str], columns: Columns, number: int) -> tuple[int, int, int]:
    """Version, first and last address of a row."""
    try:
        if columns.end is None:
            return _network(row[columns.start])
        start, end = _packed(row[columns.start]), _packed(row[columns.end])
    except (ValueError, IndexError, OSError, OverflowError):
        shown = ",".join(row)[:80]
        raise BadRow(f"line {number}: {shown!r} starts with no range.") from None
    if len(start) != len(end) or start > end:
        raise BadRow(f"line {number}: {row[0]} to {row[1]} is no range.")
    version = 4 if len(start) == 4 else 6
    return version, int.from_bytes(start), int.from_bytes(end)


def _packed(text: str) -> bytes:
    # Not `ipaddress`: six times as slow, and a table has hundreds of thousands.
    word = text.strip()
    return int(word).to_bytes(4) if word.isdecimal() else pack(word)


def _network(text: str) -> tuple[int, int, int]:
    address, _, length = text.strip().partition("/")
    packed = pack(address)
    bits = len(packed) * 8
    rest = bits - (int(length) if length else bits)
    if not 0 <= rest <= bits:
        raise ValueError(text)
    start = int.from_bytes(packed) >> rest << rest
    return 4 if bits == 32 else 6, start, start + (1 << rest) - 1


def _place(row: Sequence[str], columns: Columns) -> Place:
    code = _cell(row, columns.country).upper()
    name = _cell(row, columns.name)
    return Place(
        None if code in _NO_COUNTRY else country(code),
        system_number(_cell(row, columns.asn)),
        name[:256] or None,
    )


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""
