"""When things happen: hours of the day by kind of life, in everybody's own time zone.

Honest people and attackers draw from the same processes; coordination is added by
separate means (`campaigns.py`), never by a rhythm that only attackers have.
"""

from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from ingest.demo.dice import Dice

HOUR = 3600.0
DAY = 24 * HOUR

# Relative activity in each local hour, from midnight on, and at weekends.
SHAPES: dict[str, tuple[tuple[float, ...], float]] = {
    "evening": (
        (2, 1, 0.4, 0.2, 0.1, 0.2, 1, 2, 3, 3, 3, 3)
        + (4, 3, 3, 3, 4, 5, 6, 8, 10, 10, 8, 5),
        1.3,
    ),
    "office": (
        (0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.6, 2, 6, 9, 10, 9)
        + (5, 8, 10, 9, 8, 6, 3, 2, 1.5, 1.2, 0.8, 0.4),
        0.25,
    ),
    "developer": (
        (3, 2, 1, 0.5, 0.3, 0.3, 0.5, 1, 3, 7, 9, 9)
        + (6, 7, 9, 9, 8, 7, 5, 5, 6, 7, 6, 5),
        0.5,
    ),
    "student": (
        (6, 4, 2, 1, 0.4, 0.3, 0.4, 1, 3, 4, 5, 5)
        + (4, 4, 5, 5, 5, 5, 6, 7, 9, 10, 10, 8),
        0.8,
    ),
    "product": (
        (4, 3, 3, 2.5, 2.5, 3, 4, 5, 7, 8, 9, 9) + (8, 9, 9, 9, 9, 9, 9, 9, 9, 8, 7, 5),
        0.8,
    ),
    "nightly": (
        (1, 9, 10, 8, 3, 1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1)
        + (0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
        0.9,
    ),
    "always": ((1.0,) * 24, 1.0),
}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A shape of day, `SHAPES` key, lived `offset` hours east of Greenwich."""

    shape: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to but not including `end`, seconds since 1970."""

    start: float
    end: float

    def overlap(self, other: "Span") -> float:
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))


# Some hundred rhythms, each over a day and the whole; sixty days of slices are large.
@lru_cache(maxsize=768)
def _slices(rhythm: Rhythm, span: Span) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Where each hour's slice begins, and the weight up to its end."""
    hours, weekend = SHAPES[rhythm.shape]
    average = sum(hours) / 24 * (5 + 2 * weekend) / 7
    at, total = span.start, 0.0
    begins, sums = [], []
    while at < span.end:
        until = min((at // HOUR + 1) * HOUR, span.end)
        local = at + rhythm.offset * HOUR
        # 1 January 1970 was a Thursday.
        rest = weekend if (int(local // DAY) + 3) % 7 >= 5 else 1.0
        total += (until - at) * hours[int(local % DAY // HOUR)] * rest / average
        begins.append(at)
        sums.append(total)
        at = until
    return tuple(begins), tuple(sums)


def weight_of(rhythm: Rhythm, span: Span) -> float:
    """Seconds of average activity in the span; a whole week weighs 604,800."""
    sums = _slices(rhythm, span)[1]
    return sums[-1] if sums else 0.0


def moment_in(rng: Dice, rhythm: Rhythm, span: Span) -> float:
    """One moment of the span, likelier where the rhythm is busier."""
    begins, sums = _slices(rhythm, span)
    aim = rng.random() * sums[-1]
    at = bisect(sums, aim, 0, len(sums) - 1)
    until = begins[at + 1] if at + 1 < len(begins) else span.end
    return begins[at] + rng.random() * (until - begins[at])


def stamp(at: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
