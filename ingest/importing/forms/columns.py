"""Parquet → parts, a few thousand rows at a time; columns are the contract's fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from ingest.doors.errors import BadFile
from ingest.importing.forms import parts
from ingest.importing.forms.parts import Part
from ingest.importing.forms.tables import expected, kinds
from ingest.records.schemas import FIELDS
from ingest.records.verdicts import shown

_TIMES: Final = frozenset({"occurred_at", "updated_at", "created_at", "released_at"})
_KINDS: Final = kinds()
_TARGETS: Final[dict[type, pl.DataType]] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    list: pl.List(pl.String()),
}


def of_columns(
    path: Path, *, name: str, start: int, record_type: str | None
) -> Iterator[Part]:
    """A position is a count of rows. Raises BadFile where a column cannot be read."""
    try:
        frame = pl.scan_parquet(path, glob=False)
        frame = _fitted(frame, frame.collect_schema(), name, record_type)
        position = start
        for batch in frame.slice(start).collect_batches(
            chunk_size=parts.PART_RECORDS, maintain_order=True
        ):
            for rows in batch.iter_slices(parts.PART_RECORDS):
                first, position = position + 1, position + rows.height
                yield Part(rows.write_ndjson().encode(), position, first)
    except (PolarsError, OSError, ValueError) as error:
        raise _unreadable(name, error) from None


def told(path: Path, name: str) -> str:
    """What is left out because the contract does not know it. Raises BadFile."""
    known = frozenset().union(*FIELDS.values())
    try:
        unknown = sorted(set(pl.read_parquet_schema(path)) - known)
    except (PolarsError, OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    if not unknown:
        return ""
    return f"Parquet without the columns {shown(', '.join(unknown), 200)}"


def _unreadable(name: str, error: Exception) -> BadFile:
    said = shown(str(error).partition("\n")[0], 200)
    return BadFile(f"{name} cannot be read: {said}.", code="bad_parquet")


def _fitted(
    frame: pl.LazyFrame, schema: pl.Schema, name: str, record_type: str | None
) -> pl.LazyFrame:
    known = FIELDS[record_type] if record_type else frozenset().union(*FIELDS.values())
    wanted = set(expected(record_type).split(",")) if record_type else {"type"}
    if missing := sorted(wanted - set(schema)):
        told = " Or say `--type request` and the like." if missing == ["type"] else ""
        raise BadFile(
            f"{name} lacks the columns {', '.join(missing)}. Expected: "
            f"{expected(record_type)}, and any other field of the contract.{told}",
            code="bad_header",
        )
    chosen = [_column(field, schema[field], name) for field in schema if field in known]
    if record_type and "type" not in schema:
        chosen.insert(0, pl.lit(record_type).alias("type"))
    return frame.select(chosen)


def _column(field: str, found: pl.DataType, name: str) -> pl.Expr:
    column = pl.col(field)
    if field in _TIMES:
        return _time(column, field, found, name)
    target = _TARGETS.get(_KINDS.get(field, str), pl.String())
    if found.is_nested() != (target == pl.List(pl.String())) or found == pl.Binary:
        raise BadFile(
            f"{name}: the column `{field}` is of type {found}, which cannot be "
            f"read as {target}.",
            code="wrong_type",
        )
    if found.is_float() and target == pl.Int64():
        # Through text, since 2.5 is to be an error and not 2.
        column = column.cast(pl.String()).str.strip_suffix(".0")
    return column if found == target else column.cast(target, strict=True)


def _time(column: pl.Expr, field: str, found: pl.DataType, name: str) -> pl.Expr:
    if found == pl.String:
        return column
    if isinstance(found, pl.Datetime) and found.time_zone is not None:
        return column.dt.convert_time_zone("UTC")
    raise BadFile(
        f"{name}: the column `{field}` is of type {found}; write it as a time with "
        "a time zone (UTC), or as RFC 3339 text.",
        code="bad_time",
    )
