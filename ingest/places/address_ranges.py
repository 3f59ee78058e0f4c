"""Ranges of addresses, each with a number, to be searched. Pure.

A country table has some 660,000 ranges. They are kept as packed bytes, 16 MB instead of
some 100 MB of Python numbers, and searched in about two microseconds.
"""

import socket
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

_WIDTHS: Final = {4: 4, 6: 16}


class Range(NamedTuple):
    """From `start` to `end`, both included, as whole numbers."""

    version: int
    start: int
    end: int
    value: int


class _Side:
    """The ranges of one version of IP, in order, none touching another."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._starts, self._ends = bytearray(), bytearray()
        self._values = array("I")

    def add(self, start: int, end: int, value: int) -> None:
        self._starts += start.to_bytes(self._width)
        self._ends += end.to_bytes(self._width)
        self._values.append(value)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, place: int) -> bytes:
        return bytes(self._starts[place * self._width : (place + 1) * self._width])

    def find(self, packed: bytes) -> int | None:
        place = bisect_right(self, packed) - 1
        end = self._ends[place * self._width : (place + 1) * self._width]
        return self._values[place] if place >= 0 and packed <= end else None


class Ranges:
    """Which number an address has. Where ranges lie in one another, the inner wins."""

    def __init__(self, read: Callable[[], Iterable[Range]]) -> None:
        """`read` gives the ranges, in any order; it may be called twice."""
        try:
            self._fill(_in_order(read()))
        except _OutOfOrder:
            # Sorting holds all of them at once, which tables in order, as nearly all
            # are, need not pay for.
            self._fill(sorted(read(), key=_outer_first))

    def _fill(self, ranges: Iterable[Range]) -> None:
        self._sides = {width: _Side(width) for width in _WIDTHS.values()}
        for each in _flat(ranges):
            side = self._sides[_WIDTHS[each.version]]
            side.add(each.start, each.end, each.value)

    def __len__(self) -> int:
        return sum(map(len, self._sides.values()))

    def find(self, address: str) -> int | None:
        """`address` in canonical form; None where no range holds it."""
        packed = pack(address)
        return self._sides[len(packed)].find(packed)


def pack(address: str) -> bytes:
    """4 or 16 bytes. Raises OSError where it is no address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def _outer_first(each: Range) -> tuple[int, int, int]:
    return each.version, each.start, -each.end


class _OutOfOrder(Exception):
    pass


def _in_order(ranges: Iterable[Range]) -> Iterator[Range]:
    last = (0, 0, 0)
    for each in ranges:
        place = _outer_first(each)
        if place < last:
            raise _OutOfOrder
        last = place
        yield each


def _flat(ranges: Iterable[Range]) -> Iterator[Range]:
    """Cuts the outer ranges where inner ones lie, so that none overlap."""
    open_: list[Range] = []
    at = 0
    for each in ranges:
        while open_ and (
            open_[-1].end < each.start or open_[-1].version != each.version
        ):
            outer = open_.pop()
            if outer.end >= at:
                yield outer._replace(start=max(at, outer.start))
                at = outer.end + 1
        if open_ and max(at, open_[-1].start) < each.start:
            yield open_[-1]._replace(start=max(at, open_[-1].start), end=each.start - 1)
        at = each.start
        open_.append(each)
    while open_:
        outer = open_.pop()
        if outer.end >= at:
            yield outer._replace(start=max(at, outer.start))
            at = outer.end + 1
