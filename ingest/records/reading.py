"""A chunk of lines → records, and a verdict for each line that is none. Pure.

The fast way decodes a whole chunk in C and then proves with a few counts that the
decoder hid nothing: a key that stands twice, an unknown field, a blank or double
line. Any doubt sends the chunk down the careful way, one line at a time.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from ingest import fingerprints
from ingest.records import meanings, normalise, schemas, verdicts
from ingest.records.lines import Chunk, places, times
from ingest.records.meanings import Clock
from ingest.records.schemas import Record, Request
from ingest.records.verdicts import Verdict

_DECODER = msgspec.json.Decoder(Record)
_ENCODER = msgspec.json.Encoder()
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])

_FIELDS = {f'"{name}"'.encode(): fields for name, fields in schemas.FIELDS.items()}
_OCCURRED_AT: Final = attrgetter("occurred_at")


def _each(is_meant: Callable[[str], object]) -> Callable[[Collection[str]], bool]:
    return lambda values: all(map(is_meant, values))


# Texts whose every value is looked at once, and by whom.
_CHECKED: Final = (
    (attrgetter("client_ip"), normalise.are_addresses),
    (attrgetter("country"), _each(normalise.country)),
    (attrgetter("prompt_fingerprint"), _each(fingerprints.is_written)),
)
_NOTHING: Final[frozenset[Any]] = frozenset({None, ""})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that is not stored: where it stood, why, and its bytes."""

    line: int
    offset: int
    verdict: Verdict
    raw: bytes


@dataclass(slots=True)
class Reading:
    """What a chunk held; `lines[i]` is the line number of `records[i]`."""

    records: list[Record] = field(default_factory=list)
    lines: Sequence[int] = ()
    refusals: list[Refusal] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    # The records written again, one a line, where that was needed to judge them.
    written: bytes | None = None

    @property
    def received(self) -> int:
        return len(self.records) + len(self.refusals)


def read(chunk: Chunk, clock: Clock | None) -> Reading:
    """Everything in the chunk; without a clock only shapes are checked."""
    if chunk.overlong:
        return Reading(refusals=[_overlong(chunk)])
    return _read_fast(chunk, clock) or _read_carefully(chunk, clock)


def _overlong(chunk: Chunk) -> Refusal:
    verdict = Verdict(
        "line_too_long",
        f"Longer than {len(chunk.data):,} bytes; split or shorten it. "
        "Only its beginning is kept.",
    )
    return Refusal(chunk.first_line, chunk.offset, verdict, chunk.data)


def _read_fast(chunk: Chunk, clock: Clock | None) -> Reading | None:
    """None where a line needs a closer look."""
    data = chunk.data
    breaks = places(b"\n", data)
    # A break can stand only between records, so that as many records as lines, and
    # nothing but joints between them, means one record in each.
    if not _are_joints(breaks, data) or not _plain(data):
        return None
    count = len(breaks) + 1
    try:
        records = _DECODER.decode_lines(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if len(records) != count:
        return None
    unknown = Counter[str]()
    # A second or unknown key, and nothing else, leaves more quotation marks in what
    # came than in what the decoder understood. Nulls do too, harmlessly.
    written = _ENCODER.encode_lines(records)
    if times(b'"', written) != times(b'"', data):
        found = _unknown_in(data)
        if found is None:
            return None
        unknown = found
    if clock is not None and not _all_meant(records, clock):
        return None
    lines = range(chunk.first_line, chunk.first_line + count)
    return Reading(records, lines, unknown=unknown, written=written)


def _are_joints(breaks: npt.NDArray[np.intp], data: bytes) -> bool:
    """Whether a record ends before each of these line breaks and one begins after."""
    if not len(breaks):
        return True
    if breaks[0] == 0 or breaks[-1] == len(data) - 1:
        return False
    read = np.frombuffer(data, np.uint8)
    ends, begins = read[breaks - 1] == ord("}"), read[breaks + 1] == ord("{")
    return bool(ends.all() and begins.all())


def _plain(data: bytes) -> bool:
    """UTF-8, and no escape that hides a NUL or a quotation mark."""
    if b"\\" in data and (b"\\u0000" in data or b"\\u0022" in data):
        return False
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unknown_in(data: bytes) -> Counter[str] | None:
    """Unknown fields by name; None where a key stands twice in a line.

    Values are copied byte for byte, so that only a lost key changes the count.
    """
    try:
        lines = _KEYS.decode_lines(data)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if times(b'"', _ENCODER.encode_lines(lines)) != times(b'"', data):
        return None
    unknown = Counter[str]()
    for line in lines:
        known = _FIELDS.get(bytes(line["type"]))
        if known is None:
            return None
        if not line.keys() <= known:
            if any(bytes(line[name])[:1] in b"{[" for name in line.keys() - known):
                return None
            unknown.update(line.keys() - known)
    return unknown


def _all_meant(records: list[Record], clock: Clock) -> bool:
    """Whether the careful look at values can be skipped; sets make it cheap."""
    requests = records
    if set(map(type, records)) != {Request}:
        requests = [record for record in records if type(record) is Request]
        others = [record for record in records if type(record) is not Request]
        if any(meanings.of_meaning(record, clock) for record in others):
            return False
    if not requests:
        return True
    times = list(map(_OCCURRED_AT, requests))
    if max(times) > clock.latest or min(times) < clock.oldest:
        return False
    return all(
        are_meant(set(map(told, requests)) - _NOTHING) for told, are_meant in _CHECKED
    )


def _numbered(chunk: Chunk) -> Iterator[tuple[int, int, bytes]]:
    offset = chunk.offset
    for number, line in enumerate(chunk.split(), chunk.first_line):
        yield number, offset, line
        offset += len(line) + 1


def _read_carefully(chunk: Chunk, clock: Clock | None) -> Reading:
    reading = Reading()
    lines: list[int] = []
    for number, offset, line in _numbered(chunk):
        if not line.strip():
            continue
        record = _read_line(line, clock)
        if isinstance(record, Verdict):
            reading.refusals.append(Refusal(number, offset, record, line))
            continue
        reading.records.append(record)
        lines.append(number)
        reading.unknown.update(verdicts.unknown_fields(line))
    reading.lines = lines
    return reading


def _read_line(line: bytes, clock: Clock | None) -> Record | Verdict:
    parsed = verdicts.parse(line)
    try:
        record = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return verdicts.of_shape(parsed, error)
    # A number out of range in a field that is dropped anyway harms nobody.
    if isinstance(parsed, Verdict) and parsed.code != "number_range":
        return parsed
    meaning = meanings.of_meaning(record, clock) if clock is not None else None
    return meanings.of_texts(record) or meaning or record
