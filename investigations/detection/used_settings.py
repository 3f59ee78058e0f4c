"""Settings of many customers as columns: what each cluster's own are held against."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
# An account with fewer requests shows no habit.
ENOUGH = 20
# So large a part of the requests with one setting is fixed.
FIXED = 0.9
UNSET = "-|-"
Settings = Mapping[str, int]  # temperature|token limit → requests


@dataclass(frozen=True, slots=True, eq=False)
class UsedSettings:
    """`names`: all settings that anybody sends. A row a customer: the place of the one
    that it has fixed, -1 for none. A cell for each setting that a row sends: its row,
    its place in `names` and its requests, in order of rows."""

    names: tuple[str, ...]
    fixed: Ints
    row: Ints
    setting: Ints
    count: Ints

    @classmethod
    def of(cls, each: Sequence[Settings]) -> "UsedSettings":
        names = tuple(dict.fromkeys(name for used in each for name in used))
        place = {name: at for at, name in enumerate(names)} | {"": -1}
        return cls(
            names,
            np.array([place[fixed(used)] for used in each], np.int64),
            np.repeat(np.arange(len(each)), [len(used) for used in each]),
            np.array([place[name] for used in each for name in used], np.int64),
            np.array([n for used in each for n in used.values()], np.int64),
        )

    def __len__(self) -> int:
        return len(self.fixed)

    def some(self, rows: NDArray[np.bool_]) -> "UsedSettings":
        """Those customers alone."""
        cells, place = rows[self.row], np.cumsum(rows) - 1
        return UsedSettings(
            self.names,
            self.fixed[rows],
            place[self.row[cells]],
            self.setting[cells],
            self.count[cells],
        )

    def with_fixed(self, setting: str) -> int:
        """How many have fixed this one."""
        if setting not in self.names:
            return 0
        return int((self.fixed == self.names.index(setting)).sum())

    def entropy(self) -> float:
        """Of the settings of all their requests together, in bits."""
        used, first = np.unique(self.setting, return_index=True)
        sums = np.zeros(len(self.names), np.int64)
        np.add.at(sums, self.setting, self.count)
        # In order of first use: a sum depends on its order in the last digit.
        return bits(sums[used[np.argsort(first)]].tolist())


def fixed(settings: Settings) -> str:
    """The setting of nine in ten requests; empty where there is none, or none set."""
    total = sum(settings.values())
    for setting, count in settings.items():
        if total >= ENOUGH and count >= FIXED * total and setting != UNSET:
            return setting
    return ""


def entropy(all_settings: Iterable[Settings]) -> float:
    """Of the settings of all these accounts' requests together, in bits."""
    counts: dict[str, int] = {}
    for settings in all_settings:
        for setting, count in settings.items():
            counts[setting] = counts.get(setting, 0) + count
    return bits(counts.values())


def bits(counts: Iterable[int]) -> float:
    whole = list(counts)
    total = sum(whole)
    return -sum(n / total * math.log2(n / total) for n in whole if n) + 0.0
