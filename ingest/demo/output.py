"""Contract records to files."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from ingest.demo.accounts import Record, Truth

_encode = msgspec.json.Encoder().encode


def line(record: Record | Truth) -> bytes:
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


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        # No time stamp in the header: the same world is the same file.
        raw = gzip.GzipFile(path, "wb", compresslevel=3, mtime=0)
        return cast("BinaryIO", raw)
    return path.open("wb")
