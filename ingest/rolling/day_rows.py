"""An account-day → the bytes of its row in PostgreSQL's binary COPY format. Pure."""

import struct
from collections.abc import Mapping
from typing import Final

import msgspec

from ingest.rolling import days, summing
from ingest.rolling.days import INDICATORS, OWN_MAPS, Day

COLUMNS: Final = (
    "account_id",
    "day",
    "conversations",
    "single_shots",
    "distinct_skeletons",
    "distinct_slots",
    "resumed_at",
    "session_hours",
    *OWN_MAPS,
    "intents",
    "indicators",
    "skeletons",
    "state",
)
SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END: Final = b"\xff\xff"
# PostgreSQL counts days and microseconds from the first of January 2000.
_EPOCH_DAYS: Final = 10_957
_EPOCH: Final = _EPOCH_DAYS * 86_400_000_000
_DAY_MICROS: Final = 86_400_000_000

# Each value follows its own length, 4 or 8 bytes.
_FIXED: Final = struct.Struct(">h iqii iiiiiiii")
_MOMENT: Final = struct.Struct(">iq")
_LENGTH: Final = struct.Struct(">i")
_NULL: Final = _LENGTH.pack(-1)
# An int[] of 24: its length, one dimension, no nulls, the type, 24 from 1 on; then
# each value after its length.
_NO_HOURS: Final = struct.pack(
    ">iiiiii" + "ii" * 24, 20 + 24 * 8, 1, 0, 23, 24, 1, *(4, 0) * 24
)
_HOURS_START: Final = 28
_INTEGER: Final = struct.Struct(">i")
_ENCODER: Final = msgspec.json.Encoder()


def row(place: int, day: Day) -> bytes:
    """The values in the order of COLUMNS, after their count."""
    conversations, single_shots = days.conversations(day)
    sessions = days.sessions(day)
    account, number = summing.split(place)
    fixed = _FIXED.pack(
        len(COLUMNS),
        *(8, account, 4, number - _EPOCH_DAYS),
        *(4, conversations, 4, single_shots),
        *(4, days.distinct_skeletons(day), 4, days.distinct_slots(day)),
    )
    resumed = _NULL
    if sessions.resumed is not None:
        start = number * _DAY_MICROS + sessions.resumed * days.SLOT_SECONDS * 1_000_000
        resumed = _MOMENT.pack(8, start - _EPOCH)
    state = days.pack(day)
    return b"".join(
        (
            fixed,
            resumed,
            _array(sessions.hours),
            *(_json(day.shown.get(name, {})) for name in OWN_MAPS),
            _json(day.intents),
            _json({kind: day.shown[kind] for kind in INDICATORS if kind in day.shown}),
            _json(days.most_used_skeletons(day)),
            _LENGTH.pack(len(state)),
            state,
        )
    )


def _array(hours: Mapping[int, int]) -> bytes:
    array = bytearray(_NO_HOURS)
    for hour, count in hours.items():
        _INTEGER.pack_into(array, _HOURS_START + 8 * hour, count)
    return bytes(array)


def _json(value: object) -> bytes:
    text = _ENCODER.encode(value)
    # jsonb travels as its version and its text.
    return _LENGTH.pack(len(text) + 1) + b"\x01" + text


def table(rows: Mapping[int, Day]) -> bytes:
    """Account-days by `place` as one binary COPY."""
    return SIGNATURE + b"".join(row(*each) for each in rows.items()) + END
