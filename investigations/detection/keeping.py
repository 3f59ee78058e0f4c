"""Frozen dataclasses of columns ↔ bytes, so that a later pass can go on from them.

What goes in comes out equal: dataclasses of shapes.py and of whoever asks, arrays,
numbers, text, times, and sequences and maps of these. A long sequence of one dataclass
is kept by column. Nothing that is read back can run: names are looked up among the
classes that the reader allows.
"""

import gc
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

# Level 1: a third of the size at ten times the speed of a half.
LEVEL = 1
# What JSON takes and gives back as it is; whole columns of it are not looked into.
PLAIN = frozenset((bool, int, float, str, type(None)))
Classes = Mapping[str, type[Any]]


def shape(classes: Classes) -> str:
    """Of classes whose packed fields, which go by their place, can be read as these."""
    told = {name: [f.name for f in fields(each)] for name, each in classes.items()}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def pack(value: Any) -> bytes:
    arrays: list[np.ndarray[Any, Any]] = []
    told = json.dumps(_told(value, arrays), separators=(",", ":")).encode()
    body = io.BytesIO()
    body.write(len(told).to_bytes(8, "big"))
    body.write(told)
    for array in arrays:
        np.lib.format.write_array(body, np.ascontiguousarray(array), allow_pickle=False)
    return zlib.compress(body.getbuffer(), LEVEL)


def unpack(packed: bytes, classes: Classes) -> Any:
    """Raises KeyError for a class that is not among `classes`."""
    was_on = gc.isenabled()
    gc.disable()  # so many things at once, and none of them in a circle
    try:
        return _unpack(packed, classes)
    finally:
        if was_on:
            gc.enable()


def _unpack(packed: bytes, classes: Classes) -> Any:
    body = io.BytesIO(zlib.decompress(packed))
    told = json.loads(body.read(int.from_bytes(body.read(8), "big")))
    arrays = []
    while body.tell() < body.getbuffer().nbytes:
        arrays.append(np.lib.format.read_array(body, allow_pickle=False))
    return _value(told, arrays, classes)


def _told(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime):
        return {"time": told_time(value)}
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if is_dataclass(value):
        named = [_told(getattr(value, f.name), arrays) for f in fields(value)]
        return {"one": type(value).__name__, "fields": named}
    if isinstance(value, Mapping):
        if are_words(value):
            return {"words": dict(value)}
        keys, values = list(value), list(value.values())
        return {"map": [_told(keys, arrays), _told(values, arrays)]}
    if isinstance(value, frozenset):
        return {"set": [_told(part, arrays) for part in sorted(value)]}
    return _told_sequence(value, arrays)


def _told_sequence(value: Sequence[Any], arrays: list[np.ndarray[Any, Any]]) -> Any:
    kind = "tuple" if isinstance(value, tuple) else "list"
    if not len(value) or not is_dataclass(value[0]):
        return {kind: _told_each(value, arrays)}
    names = [f.name for f in fields(value[0])]
    columns = [_told_each([getattr(part, n) for part in value], arrays) for n in names]
    return {kind + " of": type(value[0]).__name__, "columns": columns}


def _told_each(values: Sequence[Any], arrays: list[np.ndarray[Any, Any]]) -> Any:
    """A list, or a name for what all of them are."""
    if are_plain(values):
        return list(values)
    if all(value is None or isinstance(value, datetime) for value in values):
        return {"times": [value and told_time(value) for value in values]}
    if all(are_words(value) for value in values):
        return {"words": list(map(dict, values))}
    return [_told(part, arrays) for part in values]


def told_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def are_words(value: Any) -> bool:
    """Whether it is a map that JSON takes and gives back as it is."""
    if not isinstance(value, Mapping):
        return False
    return are_plain(value.values()) and all(type(key) is str for key in value)


def are_plain(values: Iterable[Any]) -> bool:
    return PLAIN.issuperset(map(type, values))


def _value(told: Any, arrays: Sequence[Any], classes: Classes) -> Any:
    if not isinstance(told, dict):
        return told
    kind, rest = next(iter(told.items()))
    if kind == "time":
        return datetime.fromisoformat(rest)
    if kind == "array":
        return arrays[rest]
    if kind == "one":
        named = (_value(part, arrays, classes) for part in told["fields"])
        return classes[rest](*named)
    if kind == "words":
        return rest
    if kind == "map":
        keys, values = (_value(part, arrays, classes) for part in rest)
        return dict(zip(keys, values, strict=True))
    if kind.endswith(" of"):
        columns = (_each_value(c, arrays, classes) for c in told["columns"])
        found = list(map(classes[rest], *columns))
    else:
        found = _each_value(rest, arrays, classes)
    return found if kind.startswith("list") else kind_of(kind)(found)


def _each_value(told: Any, arrays: Sequence[Any], classes: Classes) -> list[Any]:
    if isinstance(told, dict):
        if "times" in told:
            return [at and datetime.fromisoformat(at) for at in told["times"]]
        words: list[Any] = told["words"]
        return words
    if are_plain(told):
        return told  # type: ignore[no-any-return]
    return [_value(part, arrays, classes) for part in told]


def kind_of(kind: str) -> type[Any]:
    return frozenset if kind == "set" else tuple
