"""Events → account-days: a table of events is added into what is known. Pure.

The table comes as PostgreSQL's COPY writes it; grouping happens in Polars, so that
Python only walks over groups.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from datetime import date
from io import BytesIO
from typing import Any, Final

import polars as pl

from ingest.fingerprints import INTENT_BITS
from ingest.rolling.days import (
    INDICATORS,
    OFTEN,
    ONCE,
    OWN_MAPS,
    SLOT_SECONDS,
    Day,
    with_bit,
)

# Column → how PostgreSQL gives it, and its type here. `hashtext` and `hashint8` are
# what hash partitions and hash indexes on disk rest on, so they stay what they are.
_COLUMNS: Final[dict[str, tuple[str, pl.DataType | type[pl.DataType]]]] = {
    "account": ("account_id", pl.Int64),
    "seconds": ("date_part('epoch', occurred_at)", pl.Float64),
    "kind": ("kind", pl.String),
    "turn": ("turn", pl.Int32),
    "intents": ("intents", pl.Int32),
    "conversation": ("hashtext(conversation_id)", pl.Int64),
    "skeleton": ("skeleton_hash", pl.Int64),
    "slot": ("hashint8(slot_hash)", pl.Int64),
    "by_model": ("model", pl.String),
    "temperature": ("temperature", pl.String),
    "max_tokens": ("max_tokens", pl.String),
    "payment": ("payment_fingerprint", pl.String),
    "device": ("device_id", pl.String),
    "address": ("client_ip", pl.String),
    "client_stack": ("client_stack", pl.String),
    "tools": ("tools_hash", pl.String),
    "system": ("system_hash", pl.String),
}
SELECTED: Final = ", ".join(selected for selected, _ in _COLUMNS.values())
_SCHEMA: Final = {name: kind for name, (_, kind) in _COLUMNS.items()}
_TEXTS: Final = [name for name, kind in _SCHEMA.items() if kind is pl.String]

DAY_BITS: Final = 17
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_EPOCH: Final = date(1970, 1, 1).toordinal()


def place_of(account: int, day: date) -> int:
    """An account-day as one number."""
    return account << DAY_BITS | day.toordinal() - _EPOCH


def split(place: int) -> tuple[int, int]:
    """The account, and the day in days since 1970."""
    return place >> DAY_BITS, place & (1 << DAY_BITS) - 1


def account_and_day(place: int) -> tuple[int, date]:
    account, number = split(place)
    return account, date.fromordinal(number + _EPOCH)


def read_table(copied: bytes) -> pl.DataFrame:
    """What `COPY (SELECT {SELECTED} …) TO STDOUT` wrote, one row an event."""
    if not copied:
        return _placed(pl.DataFrame(schema=_SCHEMA))
    table = pl.read_csv(
        BytesIO(copied),
        has_header=False,
        schema=_SCHEMA,
        separator="\t",
        quote_char=None,
        null_values="\\N",
        empty_string_is_null=False,
    )
    if b"\\" in copied.replace(b"\\N", b""):
        table = table.with_columns(
            pl.col(name).replace(_unescaped(table[name])) for name in _TEXTS
        )
    return _placed(table)


def _unescaped(texts: pl.Series) -> dict[str, str]:
    """Text with COPY's escapes → the text that was meant."""
    escaped = texts.filter(texts.str.contains("\\", literal=True)).unique()
    return {
        text: _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)
        for text in escaped
    }


def _placed(table: pl.DataFrame) -> pl.DataFrame:
    """With what every grouping needs: the account-day, the hour, the slot."""
    micros = (pl.col("seconds") * 1e6).round().cast(pl.Int64)
    day = micros.floordiv(86_400_000_000)
    table = table.with_columns(
        place=pl.col("account") * (1 << DAY_BITS) + day,
        second=(micros - day * 86_400_000_000).floordiv(1_000_000),
        is_request=pl.col("kind") == "request",
        opens=(pl.col("kind") == "request") & pl.col("turn").eq_missing(1),
    )
    return table.with_columns(params=_PARAMS, block=_blocks(table["address"]))


_DASH: Final = pl.lit("-")
_PARAMS: Final = pl.when("is_request").then(
    pl.concat_str(
        pl.col("temperature").fill_null(_DASH),
        pl.lit("|"),
        pl.col("max_tokens").fill_null(_DASH),
    )
)


def _blocks(addresses: pl.Series) -> pl.Series:
    """The /24 of an IPv4 address, the /48 of an IPv6 one."""
    found = addresses.str.replace(r"\.\d+$", ".0/24")
    long = addresses.filter(addresses.str.contains(":", literal=True)).unique()
    networks = {each: ipaddress.ip_network(f"{each}/48", strict=False) for each in long}
    # An IPv6 address may end like an IPv4 one, so it is looked up as it was.
    if not networks:
        return found
    names = {address: str(network) for address, network in networks.items()}
    ours = addresses.replace_strict(names, default=None, return_dtype=pl.String)
    return pl.select(pl.coalesce(ours, found)).to_series()


_VALUES: Final = (*OWN_MAPS, *INDICATORS)
_EACH: Final = (
    *("place", "is_request", "second", "opens"),
    *("turn", "conversation", "skeleton", "slot", "intents"),
    *_VALUES,
)
Days = Mapping[int, Day]


def add(table: pl.DataFrame, days: Days) -> None:
    """Adds each event to its account-day, which `days` holds by `place`."""
    for place, is_request, *event in _rows(table.select(_EACH)):
        day = days[place]
        if is_request:
            _add_time(day, *event[:2])
        _add_words(day, *event[2:7])
        _add_values(day.shown, event[7:])
    for place in table["place"].unique():
        days[place].trim()


def _rows(table: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    return zip(*(column.to_list() for column in table), strict=True)


def _add_time(day: Day, second: int, opens: int) -> None:
    slot = second // SLOT_SECONDS
    bit = 1 << (slot & 7)
    day.requests += 1
    if not day.active[slot >> 3] & bit:
        day.active = with_bit(day.active, slot)
    if opens:
        hour = second // 3600
        day.openings[hour] = day.openings.get(hour, 0) + 1
        if not day.opened[slot >> 3] & bit:
            day.opened = with_bit(day.opened, slot)


def _add_words(
    day: Day,
    turn: int | None,
    conversation: int | None,
    skeleton: int | None,
    slot: int | None,
    intents: int | None,
) -> None:
    if conversation is not None:
        known, hashed = day.conversations, conversation & 0xFFFF_FFFF
        first = hashed not in known and (turn is None or turn == 1)
        known[hashed] = ONCE if first else OFTEN
    if skeleton is not None:
        day.skeletons[skeleton] = day.skeletons.get(skeleton, 0) + 1
    if slot is not None:
        day.slots[slot & 0xFFFF_FFFF] = 1
    for name in _INTENTS[intents or 0]:
        day.intents[name] = day.intents.get(name, 0) + 1


def _add_values(shown: dict[str, dict[str, int]], values: Iterable[str | None]) -> None:
    for kind, value in zip(_VALUES, values, strict=True):
        if value is not None:
            counts = shown.get(kind)
            if counts is None:
                shown[kind] = {value: 1}
            else:
                counts[value] = counts.get(value, 0) + 1


class _Intents(dict[int, tuple[str, ...]]):
    """Bits → their names."""

    def __missing__(self, bits: int) -> tuple[str, ...]:
        names = tuple(name for name, bit in INTENT_BITS.items() if bits & bit)
        self[bits] = names
        return names


_INTENTS: Final = _Intents()
