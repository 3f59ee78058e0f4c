"""NDJSON and JSON arrays, as they stream by → parts."""

import codecs
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Final

from ingest.doors.errors import BadFile
from ingest.importing.forms import parts
from ingest.importing.forms.parts import Gatherer, Part

_SPACES: Final = " \t\r\n"


def of_lines(
    stream: io.BufferedIOBase, *, start: int, first: int, max_line: int
) -> Iterator[Part]:
    """Cut at line breaks; a position is a byte of the unpacked file.

    Of a line beyond `max_line` only its beginning goes on, one byte too long, so that
    it is refused as such; memory stays at one part however long it is.
    """
    _skip(stream, start)
    position, rest = start, b""
    while block := stream.read(parts.PART_BYTES - len(rest)):
        data = rest + block
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) < parts.PART_BYTES:
            rest = data
            continue
        if cut:
            whole, rest = data[:cut], data[cut:]
            position += cut
        else:
            passed, rest = _pass_over(stream)
            position += len(data) + passed
            whole = data[: max_line + 1] + b"\n"
        for part in _no_more_than(Part(whole, position, first)):
            yield part
            first += part.data.count(b"\n")
    if rest:
        yield Part(rest, position + len(rest), first)


def _no_more_than(part: Part) -> Iterator[Part]:
    """The part, or several where its lines are many and short."""
    breaks = part.data.count(b"\n")
    if breaks <= parts.PART_LINES:
        yield part
        return
    position, first = part.position - len(part.data), part.first
    lines = io.BytesIO(part.data)
    while some := b"".join(islice(lines, parts.PART_LINES)):
        position += len(some)
        yield Part(some, position, first)
        first += parts.PART_LINES


def _skip(stream: io.BufferedIOBase, count: int) -> None:
    if not count:
        return
    if stream.seekable():
        stream.seek(count)
        return
    while count and (block := stream.read(min(count, parts.PART_BYTES))):
        count -= len(block)


def _pass_over(stream: io.BufferedIOBase) -> tuple[int, bytes]:
    """(bytes of the line that were passed over, what came after its end)."""
    passed = 0
    while block := stream.read(parts.PART_BYTES):
        end = block.find(b"\n") + 1
        if end:
            return passed + end, block[end:]
        passed += len(block)
    return passed, b""


def of_array(
    stream: io.BufferedIOBase, *, name: str, start: int, first: int, max_line: int
) -> Iterator[Part]:
    """One element after the other; a position is a count of elements."""
    gatherer = Gatherer(start, first)
    for number, element in enumerate(_elements(stream, name, max_line)):
        if number < start:
            continue
        # A break inside an element can only be white space: strings escape theirs.
        line = element.replace("\r", " ").replace("\n", " ")
        yield from gatherer.add(line.encode(errors="surrogatepass"))
    yield from gatherer.rest()


def _elements(stream: io.BufferedIOBase, name: str, max_line: int) -> Iterator[str]:
    scan = json.JSONDecoder().raw_decode
    text = _Window(stream, name)
    if text.next() != "[":
        raise BadFile(f"{name}: The file is JSON, but no array.", code="not_an_array")
    text.at += 1
    if text.next() == "]":
        return
    while True:
        text.next()
        try:
            _, end = scan(text.held, text.at)
            whole = end < len(text.held)
        except (json.JSONDecodeError, RecursionError) as error:
            if isinstance(error, RecursionError) or not text.more(2 * max_line):
                raise _not_json(name, error) from None
            continue
        if not whole:
            if not text.more(2 * max_line):
                raise _not_json(name, "the array does not end")
            continue
        yield text.held[text.at : end]
        text.at = end
        follows = text.next()
        text.at += 1
        if follows == "]":
            return
        if follows != ",":
            raise _not_json(name, "a comma is missing between two elements")


def _not_json(name: str, error: object) -> BadFile:
    return BadFile(
        f"{name}: The file is no JSON array: {error}. "
        "One JSON object a line (.ndjson) loses no good record to a bad one.",
        code="not_json",
    )


class _Window:
    """The part of a text that is looked at just now."""

    def __init__(self, stream: io.BufferedIOBase, name: str) -> None:
        self.stream, self.name = stream, name
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.held, self.at = "", 0

    def next(self) -> str:
        """The next character that is no space, or "" at the end."""
        while True:
            while self.at < len(self.held) and self.held[self.at] in _SPACES:
                self.at += 1
            if self.at < len(self.held):
                return self.held[self.at]
            if not self.more(len(self.held) + 1):
                return ""

    def more(self, limit: int) -> bool:
        """Whether there was more to read, and room for it."""
        self.held = self.held[self.at :]
        self.at = 0
        if len(self.held) > limit:
            return False
        block = self.stream.read(parts.PART_BYTES // 8)
        try:
            self.held += self.decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise _not_json(self.name, error) from None
        return bool(block)
