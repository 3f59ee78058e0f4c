"""A file, or standard input → what form it has, told by its content, and its parts.

Nothing is ever taken out of an archive, and nothing is written to disk.
"""

import gzip
import hashlib
import io
import os
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from django.conf import settings

from ingest.doors.errors import BadFile
from ingest.doors.unpacking import GZIP_MAGIC, ZSTD_MAGIC, zstd
from ingest.importing.forms import columns, lines, tables
from ingest.importing.forms.parts import Part
from ingest.records.verdicts import shown

STANDARD_INPUT: Final = "-"
LINES, ARRAY, TABLE, COLUMNS = "NDJSON", "JSON array", "CSV", "Parquet"
FORMS: Final = {
    ".ndjson": LINES,
    ".jsonl": LINES,
    ".json": ARRAY,
    ".csv": TABLE,
    ".parquet": COLUMNS,
}
_PACKED: Final = (".gz", ".zst")
_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"
# How a file begins that is something else, whatever its name says.
_OTHERS: Final = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Office document; save the sheet as CSV"),
    (b"SQLite format 3", "an SQLite database"),
    (b"7z\xbc\xaf", "a 7z archive; archives are not unpacked here"),
    (b"Rar!", "a RAR archive; archives are not unpacked here"),
    (b"BZh", "packed with bzip2; use gzip or zstd"),
    (b"\xfd7zXZ", "packed with xz; use gzip or zstd"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_HASHED_AT_ONCE: Final = 8 * 1024 * 1024
_PEEKED: Final = 4096
_BROKEN: Final = (EOFError, OSError, zlib.error, zstd.ZstdError)


@dataclass(slots=True)
class OpenFile:
    """A file whose form is known. Close it, or use it as a context manager.

    `sha256` and `size` are those of the file as it lies there, and None for standard
    input; `told` says in words how it is written.
    """

    name: str
    form: str
    record_type: str | None
    raw: io.BufferedReader
    sha256: bytes | None = None
    told: str = ""
    _stamp: tuple[int, ...] = ()
    _closing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "OpenFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def size(self) -> int | None:
        return None if self.sha256 is None else self._stamp[0]

    def read_so_far(self) -> int:
        """Bytes of the file, packed as it is."""
        return self.raw.tell() if self.sha256 is not None else 0

    def parts(self, *, start: int = 0, first: int = 1) -> Iterator[Part]:
        """From a position that a part gave. Raises BadFile."""
        limit = settings.INGEST_MAX_LINE_BYTES
        try:
            if self.form == COLUMNS:
                path = Path(self.name)
                yield from columns.of_columns(
                    path, name=self.told_name, start=start, record_type=self.record_type
                )
                return
            with ExitStack() as closing:
                stream = self._stream(closing)
                if self.form == TABLE:
                    yield from tables.of_table(
                        stream,
                        name=self.told_name,
                        start=start,
                        record_type=self.record_type,
                    )
                elif self.form == ARRAY:
                    yield from lines.of_array(
                        stream,
                        name=self.told_name,
                        start=start,
                        first=first,
                        max_line=limit,
                    )
                else:
                    yield from lines.of_lines(
                        stream, start=start, first=first, max_line=limit
                    )
        except _BROKEN as error:
            raise BadFile(
                f"{self.told_name} cannot be read to its end: {error}.",
                code="cut_short",
            ) from None

    @property
    def told_name(self) -> str:
        """The name as it may be shown anywhere."""
        return shown(self.name, 200)

    def check_unchanged(self) -> None:
        """Raises BadFile where it is no longer the file that was opened."""
        if self.sha256 is None:
            return
        try:
            now = _stamp(Path(self.name).stat())
        except OSError:
            now = ()
        if now != self._stamp:
            raise BadFile(
                f"{self.told_name} changed while it was read. What was stored before "
                "stays; import the file again once it is complete.",
                code="file_changed",
            )

    def _stream(self, closing: ExitStack) -> io.BufferedIOBase:
        """The file unpacked, from its beginning."""
        if self.sha256 is not None:
            self.raw.seek(0)
        return unpacked(self.raw, closing)


def open_file(name: str, record_type: str | None = None) -> OpenFile:
    """Raises BadFile where it cannot be opened, or is not what its name says."""
    closing = ExitStack()
    try:
        if name == STANDARD_INPUT:
            raw = cast("io.BufferedReader", sys.stdin.buffer)
        else:
            raw = closing.enter_context(_opened(name))
        head = _head(raw, name)
        form = form_of(name, head)
        found = OpenFile(name, form, record_type, raw, _closing=closing)
        if form == TABLE:
            found.told = tables.dialect_of(head, found.told_name).told
        elif form == COLUMNS:
            found.told = columns.told(Path(name), found.told_name)
        if name != STANDARD_INPUT:
            found._stamp = _stamp(os.fstat(raw.fileno()))
            found.sha256 = _digest(raw.fileno(), found._stamp[0])
    except BaseException:
        closing.close()
        raise
    return found


def form_of(name: str, head: bytes) -> str:
    """By the name where the content agrees, by the content for standard input.

    `head` is how the file begins, unpacked. Raises BadFile.
    """
    told = shown(name, 200)
    if not head:
        raise BadFile(f"{told} is empty: it holds no record.", code="empty_file")
    _refuse_others(told, head)
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if name == STANDARD_INPUT:
        if head.startswith(_PARQUET):
            raise BadFile(
                "Parquet cannot be read from standard input; name the file.",
                code="type_mismatch",
            )
        return {b"{": LINES, b"[": ARRAY, b"": LINES}.get(begins, TABLE)
    form = _form_of_name(name)
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if (form == COLUMNS) != head.startswith(_PARQUET):
        said = "begins as no Parquet file does" if form == COLUMNS else "is Parquet"
        raise BadFile(f"{told} {said}; is its name right?", code="type_mismatch")
    if form == TABLE and begins in {b"{", b"["}:
        raise BadFile(
            f"{told} holds JSON, no table; call it .ndjson or .json.",
            code="type_mismatch",
        )
    if form in {LINES, ARRAY} and wide:
        raise BadFile(f"{told} is UTF-16; save it as UTF-8.", code="bad_encoding")
    if form != COLUMNS and not wide and b"\x00" in head:
        raise BadFile(f"{told} is no text, whatever its name.", code="type_mismatch")
    return form


def unpacked(raw: io.BufferedReader, closing: ExitStack) -> io.BufferedIOBase:
    """The stream, or what its gzip or zstd holds: told by the first bytes."""
    head = raw.peek(4)
    if head.startswith(GZIP_MAGIC):
        return closing.enter_context(gzip.GzipFile(fileobj=raw, mode="rb"))
    if head.startswith(ZSTD_MAGIC):
        return cast("io.BufferedIOBase", closing.enter_context(zstd.ZstdFile(raw)))
    return raw


def _opened(name: str) -> io.BufferedReader:
    try:
        return Path(name).open("rb")
    except OSError as error:
        why = error.strerror
    except ValueError:
        why = "its name holds a NUL character"
    raise BadFile(f"{shown(name, 200)} cannot be opened: {why}.", code="unreadable")


def _head(raw: io.BufferedReader, name: str) -> bytes:
    """How the file begins, unpacked."""
    if name == STANDARD_INPUT:
        return _head_of_pipe(raw)
    try:
        with ExitStack() as closing:
            return unpacked(raw, closing).read(_PEEKED)
    except _BROKEN as error:
        raise BadFile(
            f"{shown(name, 200)} cannot be read to its end: {error}.", code="cut_short"
        ) from None


def _head_of_pipe(raw: io.BufferedReader) -> bytes:
    """Without taking anything out of the pipe."""
    head = raw.peek(_PEEKED)[:_PEEKED]
    try:
        if head.startswith(GZIP_MAGIC):
            return zlib.decompressobj(wbits=31).decompress(head, _PEEKED)
        if head.startswith(ZSTD_MAGIC):
            return zstd.ZstdDecompressor().decompress(head, _PEEKED)
    except _BROKEN as error:
        raise BadFile(
            f"Standard input is damaged: {error}.", code="cut_short"
        ) from None
    return head


def _form_of_name(name: str) -> str:
    path = Path(name.lower())
    suffix = Path(path.stem).suffix if path.suffix in _PACKED else path.suffix
    form = FORMS.get(suffix)
    if form is None or (form == COLUMNS and path.suffix in _PACKED):
        raise BadFile(
            f"{shown(name, 200)}: this kind of file is not read here. Use one of "
            f"{', '.join(FORMS)}, the first four also with .gz or .zst, or - for "
            "standard input.",
            code="unknown_type",
        )
    return form


def _refuse_others(told: str, head: bytes) -> None:
    if head.startswith(_ZIP):
        entry = shown(
            head[30 : 30 + int.from_bytes(head[26:28], "little")].decode(
                errors="replace"
            )
        )
        raise BadFile(
            f"{told} is a zip archive (its first entry: {entry}). Archives and "
            "spreadsheets are not unpacked here: import the files themselves, save a "
            "sheet as CSV, or pack with gzip or zstd.",
            code="archive",
        )
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise BadFile(f"{told} is {what}.", code="type_mismatch")
    if head[257:262] == b"ustar":
        raise BadFile(
            f"{told} is a tar archive; import the files themselves.", code="archive"
        )
    if head.startswith((GZIP_MAGIC, ZSTD_MAGIC)):
        raise BadFile(f"{told} is packed twice; pack it once.", code="type_mismatch")
    begins = head.lstrip()[:15].lower()
    if begins.startswith((b"<!doctype", b"<html", b"<?xml", b"<script")):
        raise BadFile(f"{told} is a web page or XML.", code="type_mismatch")


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


def _digest(descriptor: int, size: int) -> bytes:
    """SHA-256 over the SHA-256 of each block: on as many cores as there are."""

    def of_block(at: int) -> bytes:
        return hashlib.sha256(os.pread(descriptor, _HASHED_AT_ONCE, at)).digest()

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        blocks = pool.map(of_block, range(0, size, _HASHED_AT_ONCE))
        return hashlib.sha256(b"".join(blocks)).digest()
