"""Records of the contract → the rows that are stored, a column at a time. Pure.

Records come as msgspec writes them, one a line: checked, times in UTC, nothing unknown
and nothing null. So they can be read as a table, and what is worked out is worked out
once a value and not once a row. Rows leave as the CSV that COPY reads.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Final

import msgspec
import polars as pl

from ingest import fingerprints
from ingest.fingerprints import INTENT_BITS, Fingerprint
from ingest.records import normalise
from ingest.records.schemas import LONG_TEXT_BYTES, LONG_TEXTS, TEXTS, Event, Request
from ingest.texts import redaction

_String, _Integer = pl.String(), pl.Int64()
_READ: Final[dict[str, pl.DataType]] = {
    "event_id": _String,
    "occurred_at": _String,
    "account_id": _String,
    "client_ip": _String,
    "asn": _Integer,
    "country": _String,
    "user_agent": _String,
    "ja4": _String,
    "device_id": _String,
}
_READ_OF_REQUEST: Final[dict[str, pl.DataType]] = {
    **_READ,
    "api_key_id": _String,
    "model": _String,
    "operation": _String,
    "input_tokens": _Integer,
    "output_tokens": _Integer,
    "cached_input_tokens": _Integer,
    "reasoning_tokens": _Integer,
    "max_tokens": pl.Float64(),
    "temperature": pl.Float64(),
    "latency_ms": _Integer,
    "http_status": _Integer,
    "finish_reason": _String,
    "stream": pl.Boolean(),
    "tool_count": _Integer,
    "image_count": _Integer,
    "conversation_id": _String,
    "turn": _Integer,
    "tools_hash": _String,
    "prior_response_hashes": pl.List(pl.String()),
}
_READ_OF_ACTIVITY: Final[dict[str, pl.DataType]] = {
    **_READ,
    "kind": _String,
    "payment_fingerprint": _String,
}
_ADDED: Final = (
    *("source_id", "batch_id", "received_at"),
    *("client_stack", "cut_fields", "skewed"),
)
REQUEST_COLUMNS: Final = (
    *_READ_OF_REQUEST,
    *_ADDED,
    "kind",
    *("skeleton_hash", "slot_hash", "intents", "system_hash", "response_hash"),
)
ACTIVITY_COLUMNS: Final = (*_READ_OF_ACTIVITY, *_ADDED)
# As msgspec writes a moment in UTC, with or without microseconds.
_MOMENT: Final = "%Y-%m-%dT%H:%M:%S%.fZ"
# No line that is shorter holds a text that is cut.
_SHORTEST_CUT: Final = min(TEXTS["user_agent"], LONG_TEXT_BYTES // 4)


@dataclass(frozen=True, slots=True)
class Place:
    """What a row takes from its batch and not from the record.

    An event of after `flagged_from` is flagged: its sender's clock runs ahead.
    """

    source_id: int
    batch_id: int
    received_at: datetime
    flagged_from: datetime


@dataclass(frozen=True, slots=True)
class Hashes:
    """The keyed hashes of one request's texts."""

    prompt: Fingerprint | None
    system: str | None
    response: str | None


def hashes_of(request: Request, key: bytes) -> Hashes:
    """Texts are fingerprinted; what a gateway has hashed itself is taken over."""
    prompt = None
    if request.prompt:
        prompt = fingerprints.skeleton_of(request.prompt, key)
    elif request.prompt_fingerprint:
        prompt = fingerprints.parse(request.prompt_fingerprint)
    system, response = request.system_hash or None, request.response_hash or None
    if request.system_prompt:
        system = fingerprints.system_hash(request.system_prompt, key)
    if request.response:
        response = fingerprints.response_hash(request.response, key)
    return Hashes(prompt, system, response)


def read(
    kind: type[Event], records: Sequence[Event], lines: Sequence[bytes]
) -> pl.DataFrame:
    """A row a record, all of one kind, in their order; `lines` are the records written.

    Columns as in the contract, without the texts; `occurred_at` is a moment in UTC and
    `told_at` the same as text, `cut_fields` is there already.
    """
    schema = _READ_OF_REQUEST if kind is Request else _READ_OF_ACTIVITY
    table = pl.read_ndjson(BytesIO(b"\n".join(lines)), schema=schema)
    at = pl.col("occurred_at").str.to_datetime(_MOMENT, time_unit="us", time_zone="UTC")
    cut: dict[int, str | None] = {}
    if max(map(len, lines)) > _SHORTEST_CUT:
        cut = {
            place: _array(cut_fields(records[place]))
            for place, line in enumerate(lines)
            if len(line) > _SHORTEST_CUT
        }
    told_at = table["occurred_at"].alias("told_at")
    return table.with_columns(at, told_at, _sparse(cut, len(lines)).alias("cut_fields"))


def _sparse(values: Mapping[int, str | None], rows: int) -> pl.Series:
    """Texts at these places, and nothing at the others."""
    if not values:
        return pl.repeat(None, rows, dtype=pl.String, eager=True)
    return pl.Series([values.get(place) for place in range(rows)], dtype=pl.String)


def request_rows(
    table: pl.DataFrame, places: Sequence[Place], hashes: Sequence[Hashes | None]
) -> pl.DataFrame:
    """The rows of requests in the order of REQUEST_COLUMNS.

    `table` is what `read` gave, with the account's key for `account_id`, and in `part`
    each row's place among `places`. `hashes` are those of its rows, and empty where
    none of them holds any text.
    """
    table = table.with_columns(
        pl.lit("request").alias("kind"),
        # An empty one is none.
        pl.col("operation").fill_null("chat"),
        pl.col("http_status").fill_null(200),
        _written_arrays(table["prior_response_hashes"]),
        *_told(hashes, len(table)),
    ).with_columns(intents=_INTENTS)
    return _common(table, places).select(REQUEST_COLUMNS)


def activity_rows(table: pl.DataFrame, places: Sequence[Place]) -> pl.DataFrame:
    """The rows of activities in the order of ACTIVITY_COLUMNS; see `request_rows`."""
    return _common(table, places).select(ACTIVITY_COLUMNS)


def _carried(count: str, intent: str) -> pl.Expr:
    return pl.when(pl.col(count) > 0).then(INTENT_BITS[intent]).otherwise(0)


_BITS: Final = (
    pl.col("intents").fill_null(0)
    | _carried("tool_count", "tool_use")
    | _carried("image_count", "vision")
)
# What the words say, and what the request carried besides. Words that say nothing are
# told from no words.
_INTENTS: Final = pl.when((_BITS > 0) | pl.col("intents").is_not_null()).then(_BITS)


def _told(hashes: Sequence[Hashes | None], rows: int) -> Iterable[pl.Series]:
    names = ("skeleton_hash", "slot_hash", "intents", "system_hash", "response_hash")
    kinds = (pl.Int64, pl.Int64, pl.Int64, pl.String, pl.String)
    if not hashes:
        for name, kind in zip(names, kinds, strict=True):
            yield pl.repeat(None, rows, dtype=kind, eager=True).alias(name)
        return
    columns = zip(*map(_values, hashes), strict=True)
    for name, kind, values in zip(names, kinds, columns, strict=True):
        yield pl.Series(name, values, dtype=kind)


def _values(told: Hashes | None) -> tuple[object, ...]:
    if told is None:
        return (None,) * 5
    prompt = told.prompt
    words = (prompt.skeleton, prompt.slots, prompt.intents) if prompt else (None,) * 3
    return (*words, told.system, told.response)


def _common(table: pl.DataFrame, places: Sequence[Place]) -> pl.DataFrame:
    batches = pl.DataFrame(
        {
            "source_id": [each.source_id for each in places],
            "batch_id": [each.batch_id for each in places],
            "received_at": [in_utc(each.received_at).isoformat() for each in places],
            "flagged_from": [in_utc(each.flagged_from) for each in places],
        }
    )
    return table.hstack(batches[table["part"]]).with_columns(
        _each(table["client_ip"], normalise.address, plain=_PLAIN_ADDRESS),
        _each(table["country"], normalise.country),
        _each(table["user_agent"], _agent),
        _stacks(table.select("ja4", "user_agent")),
        skewed=pl.col("occurred_at") > pl.col("flagged_from"),
        # Rows leave as text, and to write a moment takes longer than all other columns.
        occurred_at=pl.col("told_at"),
    )


# In the words of Rust, where $ is the very end.
_PLAIN_ADDRESS: Final = f"^{normalise.PLAIN_IPV4}$"


def _each(
    told: pl.Series, canonical: Callable[[str], str | None], *, plain: str | None = None
) -> pl.Series:
    """Every value in its canonical form; most of them are in it already.

    What matches `plain` surely is.
    """
    values = told.unique().drop_nulls()
    if plain is not None:
        values = values.filter(~values.str.contains(plain))
    changed = {value: to for value in values if (to := canonical(value)) != value}
    if not changed:
        return told
    return told.replace(list(changed), pl.Series(list(changed.values()), dtype=_String))


def _stacks(told: pl.DataFrame) -> pl.Series:
    """The client stack of each pair of a TLS fingerprint and a user agent."""
    pairs = told.unique()
    stacks = pl.Series([_stack(*pair) for pair in pairs.iter_rows()], dtype=_String)
    pairs = pairs.with_columns(client_stack=stacks)
    return told.join(
        pairs,
        on=told.columns,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )["client_stack"]


@lru_cache(maxsize=16_384)
def _agent(told: str) -> str:
    return redaction.without_contacts(told)[: TEXTS["user_agent"]]


@lru_cache(maxsize=16_384)
def _stack(ja4: str | None, told: str | None) -> str | None:
    agent = redaction.without_contacts(told) if told else None
    stack = normalise.client_stack(ja4, agent)
    return stack[:512] if stack else None


def cut_fields(record: msgspec.Struct) -> tuple[str, ...]:
    """The fields whose text is longer than what is kept of it."""
    cut = [
        name
        for name, limit in TEXTS.items()
        if len(getattr(record, name, None) or "") > limit
    ]
    for name in LONG_TEXTS:
        text: str = getattr(record, name, None) or ""
        # Only a text of a quarter of the limit or more can exceed it in bytes.
        long = len(text) * 4 > LONG_TEXT_BYTES
        if long and len(text.encode()) > LONG_TEXT_BYTES:
            cut.append(name)
    return tuple(cut)


def _written_arrays(lists: pl.Series) -> pl.Series:
    if lists.null_count() == len(lists):
        return lists.cast(_String)
    written = [_array(tuple(each)) if each else None for each in lists.to_list()]
    return pl.Series(lists.name, written, dtype=_String)


@lru_cache(maxsize=1024)
def _array(texts: tuple[str, ...]) -> str | None:
    """A PostgreSQL array in text form; None for an empty one."""
    if not texts:
        return None
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def copy_text(table: pl.DataFrame) -> tuple[str, bytes]:
    """What follows the table's name in COPY, and what it reads.

    Columns without any value are left out; an empty text is no value.
    """
    kept = [column.name for column in table if column.null_count() < len(table)]
    texts = [name for name in kept if table.schema[name] == pl.String]
    force = f", FORCE_NULL ({', '.join(texts)})" if texts else ""
    text = BytesIO()
    table.select(kept).write_csv(text, include_header=False)
    return f"({', '.join(kept)}) FROM STDIN (FORMAT csv{force})", text.getvalue()


def in_utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)
