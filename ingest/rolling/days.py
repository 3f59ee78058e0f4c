"""What is known of one account's day, so that more can be added at any time. Pure.

Every part is a sum, a minimum, a maximum, a set of bits or a bottom-k sample: adding
events in any order, in any portions, ends in the same bytes.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from ingest.rolling import sketches

# The most that one day of one account keeps of each kind: enough to link by, and a
# bound on what a proxy pool of a hundred thousand addresses can cost.
VALUES_KEPT: Final = 200
HASHES_KEPT: Final = 256
# Of the prompt skeletons it knows, the most used ones are shown and sighted.
SKELETONS_SHOWN: Final = 20
# A session is idle after thirty minutes, seen in slots of five.
SLOT_SECONDS: Final = 300
_SLOT_BYTES: Final = 36

# Maps that are no indicators.
OWN_MAPS: Final = ("by_model", "params")
INDICATORS: Final = (
    "payment",
    "device",
    "address",
    "block",
    "client_stack",
    "tools",
    "system",
)
K = TypeVar("K", int, str)
V = TypeVar("V")
ONCE: Final = 1
OFTEN: Final = 2


class Day(msgspec.Struct, array_like=True):
    """What one account showed in one day; its plain sums are in columns of their own.

    `requests`: how many of them this has seen. `openings`: hour → first turns of
    conversations. `active`, `opened`: one bit a slot of five minutes, for any request
    and for first turns. `conversations`: hash → ONCE for a single first turn, else
    OFTEN. `skeletons`: hash → requests. `slots`: the slot hashes. `shown`: kind →
    value → events.
    """

    requests: int = 0
    openings: dict[int, int] = msgspec.field(default_factory=dict)
    active: bytes = bytes(_SLOT_BYTES)
    opened: bytes = bytes(_SLOT_BYTES)
    intents: dict[str, int] = msgspec.field(default_factory=dict)
    conversations: dict[int, int] = msgspec.field(default_factory=dict)
    skeletons: dict[int, int] = msgspec.field(default_factory=dict)
    slots: dict[int, int] = msgspec.field(default_factory=dict)
    shown: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)

    def trim(self) -> None:
        """Forget what is beyond the bounds; to be called after each portion."""
        self.conversations = sketches.keep_hashes(self.conversations, HASHES_KEPT)
        self.skeletons = sketches.keep_numbers(self.skeletons, HASHES_KEPT)
        self.slots = sketches.keep_hashes(self.slots, HASHES_KEPT)
        for kind, counts in self.shown.items():
            if len(counts) > VALUES_KEPT:
                self.shown[kind] = sketches.keep_texts(counts, VALUES_KEPT)


def with_bit(bits: bytes, place: int) -> bytes:
    at = place >> 3
    return bits[:at] + bytes([bits[at] | 1 << (place & 7)]) + bits[at + 1 :]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Day)
unpack = _DECODER.decode


def pack(day: Day) -> bytes:
    """The same bytes for the same day, whatever was added first."""
    day.openings = in_order(day.openings)
    day.intents = in_order(day.intents)
    day.conversations = in_order(day.conversations)
    day.skeletons = in_order(day.skeletons)
    day.slots = in_order(day.slots)
    day.shown = {kind: in_order(counts) for kind, counts in in_order(day.shown).items()}
    return _ENCODER.encode(day)


def in_order(counts: dict[K, V]) -> dict[K, V]:
    return dict(sorted(counts.items())) if len(counts) > 1 else counts


@dataclass(frozen=True, slots=True)
class Sessions:
    """Session starts by hour, and the slot in which the day went on or began anew.

    `resumed`: the first slot of the day, where it began with no conversation's first
    turn: whether a session starts there depends on the evening before.
    """

    hours: dict[int, int]
    resumed: int | None


def sessions(day: Day) -> Sessions:
    """First turns, and requests after more than thirty idle minutes.

    Idle time is seen in slots of five minutes, so that pauses of 25 to 35 minutes may
    be judged either way; where a slot after a pause holds a first turn, that is the
    start.
    """
    active = int.from_bytes(day.active, "little")
    # Each bit and the six after it, by doubling.
    recent = active << 1 | active << 2
    recent |= recent << 2 | recent << 4
    starts = active & ~recent & ~int.from_bytes(day.opened, "little")
    hours = dict(day.openings)
    first = (active & -active).bit_length() - 1
    resumed = first if active and starts >> first & 1 else None
    while starts:
        slot = (starts & -starts).bit_length() - 1
        hour = slot * SLOT_SECONDS // 3600
        hours[hour] = hours.get(hour, 0) + 1
        starts &= starts - 1
    return Sessions(hours, resumed)


def conversations(day: Day) -> tuple[int, int]:
    """Distinct conversations, and those that were a single first turn.

    Beyond HASHES_KEPT both are estimates.
    """
    kept = day.conversations
    if len(kept) < HASHES_KEPT:
        return len(kept), list(kept.values()).count(ONCE)
    total = min(sketches.distinct(list(kept), HASHES_KEPT), day.requests)
    alone = list(kept.values()).count(ONCE)
    return total, round(total * alone / len(kept))


def distinct_skeletons(day: Day) -> int:
    if len(day.skeletons) < HASHES_KEPT:
        return len(day.skeletons)
    mixed = [sketches.mixed(value) for value in day.skeletons]
    return min(sketches.distinct(mixed, HASHES_KEPT, 1 << 64), day.requests)


def distinct_slots(day: Day) -> int:
    if len(day.slots) < HASHES_KEPT:
        return len(day.slots)
    return min(sketches.distinct(list(day.slots), HASHES_KEPT), day.requests)


def most_used_skeletons(day: Day) -> dict[str, int]:
    """The most used skeletons as text → requests; ties by the text."""
    counts = {str(value): count for value, count in day.skeletons.items()}
    if len(counts) <= SKELETONS_SHOWN:
        return counts
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    return {value: counts[value] for value in ranked[:SKELETONS_SHOWN]}
