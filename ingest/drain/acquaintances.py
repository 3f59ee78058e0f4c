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
        if not len(self._rows):
            nothing = pl.repeat(None, len(names), dtype=pl.Int64, eager=True)
            return pl.DataFrame({"pk": nothing, "first": nothing})
        at = self._places(wanted)
        met = self._rows["check"][at] == wanted["check"]
        met &= self._rows["name"][at] == wanted["name"]
        self._rows["met"][at[met]] = self._clock
        return pl.DataFrame(
            {each: pl.Series(self._rows[each][at]) for each in ("pk", "first")}
        ).select(pl.when(pl.Series(met)).then(pl.all()))

    def learn(self, names: pl.Series, pks: pl.Series, firsts: pl.Series) -> None:
        """Remembers these, all different; what was known of one of them is replaced."""
        new = _hashed(names)
        new["pk"], new["first"], new["met"] = pks, firsts, self._clock
        new = new[np.argsort(new["name"], kind="stable")]
        if len(self._rows):
            at = self._places(new)
            known = self._rows["name"][at] == new["name"]
            self._rows[at[known]] = new[known]
            places = np.searchsorted(self._rows["name"], new["name"][~known])
            self._rows = np.insert(self._rows, places, new[~known])
        else:
            self._rows = new
        if len(self._rows) > self.most:
            self._forget_half()

    def forget(self) -> None:
        self._rows = np.zeros(0, _ROW)

    def _places(self, wanted: Rows) -> npt.NDArray[np.intp]:
        """Where each stands if it is there."""
        at = np.searchsorted(self._rows["name"], wanted["name"])
        return np.minimum(at, len(self._rows) - 1)

    def _forget_half(self) -> None:
        """Those who were met longest ago."""
        oldest = np.argsort(self._rows["met"], kind="stable")[: -self.most // 2]
        self._rows = np.delete(self._rows, oldest)


def _hashed(names: pl.Series) -> Rows:
    rows = np.zeros(len(names), _ROW)
    for field, seed in zip(("name", "check"), _SEEDS, strict=True):
        rows[field] = names.hash(seed).to_numpy()
    return rows
