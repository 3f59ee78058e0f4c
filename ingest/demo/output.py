"""Contract records to files."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from ingest.demo.accounts import ExchangeTruth, Record, Truth

_encode = msgspec.json.Encoder().encode
_decode_truth = msgspec.json.Decoder(Truth).decode


def line(record: Record | Truth | ExchangeTruth) -> bytes:
    return _encode(record) + b"\n"


def write_world(records: Iterable[Record], path: Path) -> int:
    """Writes NDJSON, gzipped where the name ends so. Returns the number of lines."""
    count = 0
    with _opened(path) as out:
        for record in records:
            out.write(line(record))
            count += 1
    return count


def write_truth(truth: Iterable[Truth], path: Path) -> None:
    with _opened(path) as out:
        out.writelines(line(row) for row in truth)


@contextmanager
def truth_file(path: Path) -> Iterator[Callable[[ExchangeTruth], object]]:
    """A file of what exchanges were for, written a row at a time."""
    with _opened(path) as out:
        yield lambda row: out.write(line(row))


def merge_truth(truth: Iterable[Truth], path: Path) -> None:
    """Adds new accounts to a truth file; those of earlier runs stay in it."""
    rows = {row["account_id"]: row for row in read_truth(path)} if path.exists() else {}
    rows |= {row["account_id"]: row for row in truth}
    fresh = path.with_suffix(".new")
    write_truth(rows.values(), fresh)
    fresh.replace(path)


def read_truth(path: Path) -> list[Truth]:
    """Raises msgspec.DecodeError or ValidationError for a file that is no truth."""
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()
    return [_decode_truth(text) for text in lines]


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        # No time stamp in the header: the same world is the same file.
        raw = gzip.GzipFile(path, "wb", compresslevel=3, mtime=0)
        return cast("BinaryIO", raw)
    return path.open("wb")
