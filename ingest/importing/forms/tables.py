"""CSV → parts: the header names the contract's fields, a row is a record.

What a spreadsheet does to a table is detected and told (`Dialect.told`), and what it
damaged is refused rather than guessed.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args, get_type_hints

import msgspec

from ingest.doors.errors import BadFile
from ingest.importing.forms.parts import Flaw, Gatherer, Part
from ingest.records.schemas import BY_TYPE, FIELDS

DELIMITERS: Final = (",", ";", "\t", "|")
NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_CELL: Final = 1024 * 1024
_DAMAGED: Final = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d+")
_WHOLE: Final = re.compile(r"-?\d{1,20}")
_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}
_ENCODER: Final = msgspec.json.Encoder()
_IDS: Final = frozenset(
    name
    for fields in FIELDS.values()
    for name in fields
    if name.endswith(("_id", "_hash", "_fingerprint")) or name == "ja4"
)


@dataclass(slots=True)
class Dialect:
    """How a table is written. `start` is the byte where its header begins."""

    encoding: str
    delimiter: str
    start: int = 0
    excel: bool = False

    @property
    def told(self) -> str:
        how = f"{self.encoding.removesuffix('-sig').upper()}, {NAMES[self.delimiter]}"
        return f"{how}{', with a `sep=` line' if self.excel else ''}"


def kinds() -> dict[str, type]:
    """Field → the kind of its value: str, int, float, bool or list."""
    found: dict[str, type] = {}
    for struct in BY_TYPE.values():
        for name, hint in get_type_hints(struct).items():
            options = get_args(hint) or (hint,)
            for kind in (bool, int, float):
                if kind in options:
                    found.setdefault(name, kind)
            if any(getattr(each, "__origin__", each) is list for each in options):
                found.setdefault(name, list)
    return found


_KINDS: Final = kinds()


def of_table(
    stream: io.BufferedIOBase, *, name: str, start: int, record_type: str | None
) -> Iterator[Part]:
    """A position is a count of rows below the header; so is a line's number, plus one.

    Raises BadFile where the table as a whole cannot be read.
    """
    head, stream = _head(stream)
    dialect = dialect_of(head, name)
    text = _Lines(stream, dialect, name)
    try:
        yield from _parts(text, dialect.delimiter, name, start, record_type)
    finally:
        # Else the file would be closed with the text.
        text.text.detach()


def _parts(
    text: "_Lines", delimiter: str, name: str, start: int, record_type: str | None
) -> Iterator[Part]:
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    csv.field_size_limit(MAX_CELL)
    header = _header(next(_rows(rows, text, name), []), name, record_type)
    gatherer = Gatherer(start, start + 2)
    number = 0
    for row in _rows(rows, text, name):
        if not any(row):
            continue
        number += 1
        if number > start:
            yield from gatherer.add(*_record(row, header, record_type))
    yield from gatherer.rest()


# --- How it is written -----------------------------------------------------------


def dialect_of(head: bytes, name: str) -> Dialect:
    """Told by the first bytes of a table. Raises BadFile."""
    encoding = "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    text = head.decode(encoding, errors="replace")
    first, _, below = text.partition("\n")
    excel = re.fullmatch(r"\"?sep=(.)\"?\r?", first)
    if excel:
        if excel[1] not in DELIMITERS:
            raise BadFile(
                f"{name}: `sep={excel[1]}` is no delimiter that is read here; "
                "use a comma, a semicolon or a tab.",
                code="bad_header",
            )
        return Dialect(encoding, excel[1], excel=True)
    known = frozenset().union(*FIELDS.values())

    def fitting(delimiter: str) -> tuple[int, int]:
        cells = [_cell(each) for each in first.split(delimiter)]
        return sum(each in known for each in cells), len(cells)

    return Dialect(encoding, max(DELIMITERS, key=fitting))


def _cell(text: str) -> str:
    return text.strip().strip('"').strip()


def _head(stream: io.BufferedIOBase) -> tuple[bytes, io.BufferedReader]:
    reader = (
        stream
        if isinstance(stream, io.BufferedReader)
        else io.BufferedReader(stream, 64 * 1024)
    )
    return reader.peek(64 * 1024)[: 64 * 1024], reader


class _Lines:
    """Text lines of bounded length, as `csv.reader` wants them."""

    def __init__(self, stream: io.BufferedReader, dialect: Dialect, name: str) -> None:
        self.text = io.TextIOWrapper(stream, dialect.encoding, newline="")
        self.number, self.name = 0, name
        if dialect.excel:
            self.text.readline()
            self.number = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self.text.readline(MAX_CELL)
        except UnicodeDecodeError:
            raise BadFile(
                f"{self.name}, after line {self.number}: not UTF-8; "
                "save the table as “CSV UTF-8”.",
                code="bad_encoding",
            ) from None
        if not line:
            raise StopIteration
        if len(line) == MAX_CELL:
            raise BadFile(
                f"{self.name}, line {self.number + 1}: longer than {MAX_CELL:,} "
                "characters; is this a table?",
                code="line_too_long",
            )
        if "\x00" in line:
            raise BadFile(
                f"{self.name}, line {self.number + 1}: holds a NUL character; "
                "this is no table.",
                code="type_mismatch",
            )
        self.number += 1
        return line


def _rows(rows: Iterator[list[str]], text: _Lines, name: str) -> Iterator[list[str]]:
    while True:
        began = text.number + 1
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            said = str(error)
            if "field larger" in said or "unexpected end" in said:
                said = "a quotation mark is opened here and never closed"
            raise BadFile(f"{name}, line {began}: {said}.", code="bad_table") from None


# --- What it holds -----------------------------------------------------------------


def expected(record_type: str | None) -> str:
    """The header of a record type: its required fields first."""
    struct = BY_TYPE[record_type or "request"]
    required = [each.name for each in msgspec.structs.fields(struct) if each.required]
    names = required if record_type else ["type", *required]
    return ",".join(names)


def _header(row: list[str], name: str, record_type: str | None) -> list[str]:
    """Raises BadFile, saying what the header should be."""
    header = [_cell(each) for each in row]
    known = FIELDS[record_type] if record_type else frozenset().union(*FIELDS.values())
    wanted = set(expected(record_type).split(",")) if record_type else {"type"}
    twice = sorted({each for each in header if header.count(each) > 1})
    if not any(each in known for each in header):
        said = "the first row is no header"
    elif twice:
        said = f"the header has {', '.join(twice)!r} twice"
    elif "" in header:
        said = f"column {header.index('') + 1} of the header has no name"
    elif missing := sorted(wanted - set(header)):
        said = f"the header lacks {', '.join(missing)}"
        if missing == ["type"]:
            said += " (or say `--type request` and the like)"
    else:
        return header
    raise BadFile(
        f"{name}, row 1: {said}. Expected, in any order: {expected(record_type)}, "
        "and any other field of the contract.",
        code="bad_header",
    )


def _record(
    row: list[str], header: list[str], record_type: str | None
) -> tuple[bytes, Flaw | None]:
    if len(row) != len(header):
        return _flawed(
            row, "ragged_row", f"It has {len(row)} cells, the header {len(header)}."
        )
    record: dict[str, object] = {"type": record_type} if record_type else {}
    for field, cell in zip(header, row, strict=True):
        if not cell:
            continue
        if field in _IDS and _DAMAGED.fullmatch(cell):
            return _flawed(
                row,
                "damaged_id",
                f"`{field}` ({cell[:40]}): the spreadsheet damaged the id. "
                "Export it again with this column as text.",
            )
        record[field] = _value(field, cell)
    return _ENCODER.encode(record), None


def _flawed(row: list[str], code: str, message: str) -> tuple[bytes, Flaw]:
    return _ENCODER.encode(row), Flaw(code, message)


def _value(field: str, cell: str) -> object:
    """What is not of the field's kind stays text, and its verdict says so."""
    kind = _KINDS.get(field)
    if kind is None:
        return cell
    if kind is list:
        return _list(cell)
    told = cell.strip()
    if kind is bool:
        return _FLAGS.get(told.lower(), cell)
    if _WHOLE.fullmatch(told):
        return int(told)
    if kind is float and _DECIMAL.fullmatch(told):
        return float(told)
    return cell


def _list(cell: str) -> object:
    if cell.lstrip().startswith("["):
        try:
            return msgspec.json.decode(cell)
        except (msgspec.MsgspecError, RecursionError):
            return cell
    return [each.strip() for each in cell.split("|")]
