"""Telemetry in files → batches, through the same inbox and writers as the API."""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, cast

from ingest import bodies, writers
from ingest.errors import BadFile, EmptyBody, IngestRefused, Unreadable
from ingest.models import Batch, Source

PIECE: Final = 1024 * 1024
# About this much of a file becomes one batch: 20,000 lines and more.
BATCH_BYTES: Final = 8 * 1024 * 1024
STANDARD_INPUT: Final = "-"
_SUFFIXES: Final = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".json", ".json.gz")


def import_file(name: str, source: Source) -> Iterator[Batch]:
    """Accepts and stores a file, a batch at a time; `-` is standard input.

    Yields each batch as it was stored. Raises BadFile where the file cannot be read;
    what was yielded before is stored, and sending the file again doubles nothing.
    """
    origin = writers.Origin(source, way_in="file")
    batches = 0
    with _opened(name) as stream:
        for number, part in enumerate(_parts(name, stream), 1):
            try:
                accepted = writers.accept([part], origin, keep_noise=batches > 0)
            except EmptyBody:
                continue
            except IngestRefused as error:
                raise BadFile(f"{name}, part {number}: {error.sentence}") from None
            batches += 1
            yield writers.store_batch(accepted.pk)
    if not batches:
        raise BadFile(f"{name} holds no record.")


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedIOBase]:
    """The file, or what its gzip holds: told by the first two bytes."""
    with ExitStack() as closing:
        if name == STANDARD_INPUT:
            stream = cast("io.BufferedReader", sys.stdin.buffer)
        else:
            stream = closing.enter_context(_file(name))
        if stream.peek(2)[:2] == b"\x1f\x8b":
            yield closing.enter_context(gzip.GzipFile(fileobj=stream, mode="rb"))
        else:
            yield stream


def _file(name: str) -> io.BufferedReader:
    if not name.lower().endswith(_SUFFIXES):
        raise BadFile(
            f"{name}: this kind of file is not read here. "
            f"Use one of {', '.join(_SUFFIXES)}, or - for standard input."
        )
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise BadFile(f"{name} cannot be opened: {error.strerror}.") from None


def _parts(name: str, stream: io.BufferedIOBase) -> Iterator[bytes]:
    """The file in parts of whole lines; an array is turned into lines first."""
    try:
        yield from _whole_lines(_pieces(name, stream))
    except (EOFError, OSError) as error:
        raise BadFile(f"{name} cannot be read to its end: {error}.") from None


def _pieces(name: str, stream: io.BufferedIOBase) -> Iterator[bytes]:
    first = stream.read(PIECE)
    if not name.lower().endswith((".json", ".json.gz")):
        while first:
            yield first
            first = stream.read(PIECE)
        return
    try:
        yield from bodies.array_lines(first + stream.read())
    except Unreadable as error:
        raise BadFile(f"{name}: {error.sentence}") from None
    except EmptyBody:
        return


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    kept: list[bytes] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size < BATCH_BYTES:
            continue
        whole, found, rest = b"".join(kept).rpartition(b"\n")
        if found:
            yield whole + b"\n"
        kept = [rest]
        size = len(rest)
    if size:
        yield b"".join(kept)
