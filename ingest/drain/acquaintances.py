"""The accounts that a process met last, so that they need not be looked up again.

Of a name only two hashes are kept, 64 bits each under seeds that nobody knows: half a
million accounts take 20 MB, and thousands are found at once by a search among sorted
numbers. That two names share both is less likely than an error of the machine.
"""

import secrets
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

_SEEDS: Final = tuple(secrets.randbits(64) for _ in range(2))
_ROW: Final = np.dtype(
    [
        ("name", np.uint64),
        ("check", np.uint64),
        ("pk", np.int64),
        ("first", np.int64),
        ("met", np.int64),
    ]
)
Rows = npt.NDArray[np.void]


class Acquaintances:
    """Name → primary key and when it was first seen, in microseconds since 1970."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rows: Rows = np.zeros(0, _ROW)
        self._clock = 0

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, names: pl.Series) -> pl.DataFrame:
        """`pk` and `first` of these names in their order; null where one is unknown."""
        self._clock += 1
        wanted = _hashed(names)
        rows = self._rows  # another thread may put others in their place
        if not len(rows):
            nothing = pl.repeat(None, len(names), dtype=pl.Int64, eager=True)
            return pl.DataFrame({"pk": nothing, "first": nothing})
        at = _places(rows, wanted)
        met = rows["name"][at] == wanted["name"]
        met &= rows["check"][at] == wanted["check"]
        rows["met"][at[met]] = self._clock
        found = {each: pl.Series(rows[each][at]) for each in ("pk", "first")}
        return pl.DataFrame(found).select(pl.when(pl.Series(met)).then(pl.all()))

    def learn(self, names: pl.Series, pks: pl.Series, firsts: pl.Series) -> None:
        """Remembers these, all different; what was known of one of them is replaced."""
        new = _hashed(names)
        new["pk"], new["first"], new["met"] = pks, firsts, self._clock
        new = new[np.argsort(new["name"], kind="stable")]
        rows = self._rows
        if len(rows):
            at = _places(rows, new)
            known = rows["name"][at] == new["name"]
            rows[at[known]] = new[known]
            places = np.searchsorted(rows["name"], new["name"][~known])
            new = np.insert(rows, places, new[~known])
        self._rows = _lately_met(new, self.most)

    def forget(self) -> None:
        self._rows = np.zeros(0, _ROW)


def _places(rows: Rows, wanted: Rows) -> npt.NDArray[np.intp]:
    """Where each stands if it is there."""
    at = np.searchsorted(rows["name"], wanted["name"])
    return np.minimum(at, len(rows) - 1)


def _lately_met(rows: Rows, most: int) -> Rows:
    """All of them, or where they are more than `most`, half as many: those met last."""
    if len(rows) <= most:
        return rows
    oldest = np.argsort(rows["met"], kind="stable")[: -(most // 2)]
    return np.delete(rows, oldest)


def _hashed(names: pl.Series) -> Rows:
    rows = np.zeros(len(names), _ROW)
    for field, seed in zip(("name", "check"), _SEEDS, strict=True):
        rows[field] = names.hash(seed).to_numpy()
    return rows
