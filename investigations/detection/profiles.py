"""Widely shared values → who stands behind each: a pool, or all sorts of people.

A value above the cap of its kind makes no links (rarity.py), but it can be looked at:
behind a campus or a VPN stand customers who have nothing else in common, behind a pool
those who also share cards, programs and hours. So each value is asked how alike its
customers are, one voice for each organisation, beside the same measured at other values
of its kind (detection.md 2b and 4.3, last line). Nothing here feeds a score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from investigations.detection.population import spread
from investigations.detection.rarity import PROGRAM
from investigations.detection.shapes import (
    AccountFeatures,
    Bools,
    Everyone,
    Floats,
    Ints,
)

MANY = 20  # customers from which a value that is no hub is looked at, too
MOST_VALUES = 2_000  # values looked at, hubs first, then the most widely shared
MOST_LOOKED_AT = 400  # customers of one value, evenly spread
MOST_HOURS = 100  # of these, whose hours of the day are read
ENOUGH_HOURS = 8  # customers with hours, from which these can be told to be alike
FEW_OTHERS = 5  # other values of a kind that make a norm; below, everybody does
YOUNG_DAYS = 30.0

POOL, DIVERSE, UNCLEAR = "pool", "diverse", "unclear"
# Of the way from the norm to all the same: from here on alike, up to here not.
ALIKE, USUAL = 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing that customers may have in common. `family`: facets that follow from
    one another are one voice. `shared`: measured as the share of customers who show
    the same as another one here; else as the chance that two of them are the same."""

    family: str
    shared: bool = False


FACETS: dict[str, Facet] = {
    "payment": Facet("money", shared=True),
    "device": Facet("device", shared=True),
    "tools": Facet("program"),
    "client_stack": Facet("program"),
    "skeleton": Facet("program"),
    "signup_day": Facet("identity"),
    "hours": Facet("time"),
}
SHOWN = ("payment", "device", "tools", "skeleton")  # facets that are kinds of values
# What strangers practically never have in common; two families with one of these
# make a pool, otherwise it takes three.
TELLING = frozenset({"money", "device"})


@dataclass(frozen=True, slots=True)
class Measure:
    """How alike a value's customers are in one facet, 0-1, and what is usual."""

    facet: str
    alike: float
    norm: float

    @property
    def excess(self) -> float:
        """How far from the norm to all the same."""
        if self.norm >= 1:
            return 0.0
        return max(0.0, min(1.0, (self.alike - self.norm) / (1 - self.norm)))


@dataclass(frozen=True, slots=True)
class Profile:
    """Who stands behind one value. `customers` there are, `looked_at` were looked at;
    `others`: values of its kind that make the norm, 0 where everybody does."""

    customers: int
    looked_at: int
    young: float
    verified: float
    others: int
    measures: tuple[Measure, ...]

    @property
    def families(self) -> dict[str, float]:
        """Family → the most that one of its facets stands out."""
        found: dict[str, float] = {}
        for measure in self.measures:
            family = FACETS[measure.facet].family
            found[family] = max(found.get(family, 0.0), measure.excess)
        return found

    @property
    def likeness(self) -> float:
        """0 as everywhere, 1 all the same in everything: what lists are ordered by."""
        found = self.families
        return round(sum(found.values()) / len(found), 4) if found else 0.0

    @property
    def reading(self) -> str:
        found = self.families
        alike = {family for family, excess in found.items() if excess >= ALIKE}
        if len(alike) >= 3 or (len(alike) == 2 and alike & TELLING):
            return POOL
        usual = sum(excess < USUAL for excess in found.values())
        if not alike - {"identity"} and 2 * usual > len(found):
            return DIVERSE
        return UNCLEAR

    def as_json(self) -> dict[str, Any]:
        return {
            "customers": self.customers,
            "looked_at": self.looked_at,
            "young": round(self.young, 4),
            "verified": round(self.verified, 4),
            "others": self.others,
            "measures": [
                {"facet": m.facet, "alike": round(m.alike, 4), "norm": round(m.norm, 4)}
                for m in self.measures
            ],
        }


def from_json(told: Mapping[str, Any]) -> Profile:
    measures = tuple(Measure(**measure) for measure in told["measures"])
    return Profile(**{**told, "measures": measures})


# --- Which values, and which of their customers --------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """A value to look at: its position, how many customers show it, and the positions
    of those that are looked at, one account each."""

    value: int
    customers: int
    voices: Ints

    @property
    def timed(self) -> Ints:
        return spread(self.voices, MOST_HOURS)


def crowds(world: Everyone, hub: Bools) -> list[Crowd]:
    """Values that are hubs or shown by many, in order of their position."""
    shown, owners = world.sightings, int(world.organization.max(initial=0)) + 1
    key = shown.value * owners + world.organization[shown.account]
    order = np.lexsort((shown.account, key))
    first = order[np.diff(key[order], prepend=-1) > 0]  # one account for each customer
    value, account = shown.value[first], shown.account[first]
    size = np.bincount(value, minlength=len(world.values))
    known = np.array([v.indicator is not None for v in world.values], bool)
    hubs = hub[: len(world.values)]  # what timing found stands behind them
    wanted = np.flatnonzero(known & (size > 1) & (hubs | (size >= MANY)))
    wanted = wanted[np.lexsort((wanted, -size[wanted], ~hubs[wanted]))][:MOST_VALUES]
    bounds = np.searchsorted(value, np.arange(len(world.values) + 1))
    return [
        Crowd(
            at,
            int(size[at]),
            spread(np.sort(account[bounds[at] : bounds[at + 1]]), MOST_LOOKED_AT),
        )
        for at in np.sort(wanted).tolist()
    ]


# --- How alike ------------------------------------------------------------------------


def profiled(
    world: Everyone,
    features: Sequence[AccountFeatures],
    found: Sequence[Crowd],
    hours: Mapping[int, Sequence[int]],
) -> dict[int, Profile]:
    """Position of each value → its profile. `features` in the world's order; `hours`:
    account id → requests by hour of the day, of those whose hours were read."""
    columns = shown_by(world, features)
    clocks = {account: unit(counts) for account, counts in hours.items()}
    everybody = measured(columns, np.unique(world.organization, return_index=True)[1])
    alike: dict[int, dict[str, float]] = {}
    for crowd in found:
        kind = world.values[crowd.value].kind
        own = measured(columns, crowd.voices)
        timed = [clocks[a] for at in crowd.timed if (a := world.accounts[at]) in clocks]
        if len(timed) >= ENOUGH_HOURS:
            own["hours"] = together(np.array(timed))
        alike[crowd.value] = {
            facet: share for facet, share in own.items() if tells(facet, kind)
        }
    everybody["hours"] = usual_hours(clocks)
    norms = norms_of(world, alike, everybody)
    young = np.array(
        [f.created_at is not None and f.age_days < YOUNG_DAYS for f in features]
    )
    verified = np.array([f.is_verified for f in features])
    return {
        crowd.value: Profile(
            customers=crowd.customers,
            looked_at=len(crowd.voices),
            young=float(young[crowd.voices].mean()),
            verified=float(verified[crowd.voices].mean()),
            others=norms[crowd.value][0],
            measures=tuple(
                Measure(facet, alike[crowd.value][facet], norms[crowd.value][1][facet])
                for facet in FACETS
                if facet in alike[crowd.value]
            ),
        )
        for crowd in found
    }


def tells(facet: str, kind: str) -> bool:
    """Whether a likeness says anything about customers who share a value of a kind."""
    if facet == kind:
        return False
    # Whoever shows one part of a program shows the others, too: that is no likeness.
    return not (kind in PROGRAM and facet in ("tools", "client_stack"))


def shown_by(world: Everyone, features: Sequence[AccountFeatures]) -> dict[str, Ints]:
    """Facet → what each account shows of it, as a number; -1 for nothing that anybody
    else shows."""
    kinds = np.array([value.kind for value in world.values], dtype=object)
    columns = {kind: main_value(world, kinds == kind) for kind in SHOWN}
    born = [
        -1 if f.created_at is None else int(f.created_at.timestamp() // 86400)
        for f in features
    ]
    columns["client_stack"] = world.stack
    columns["signup_day"] = np.array(born, np.int64)
    # What nobody on record shows cannot be compared.
    return {facet: shown for facet, shown in columns.items() if (shown >= 0).any()}


def main_value(world: Everyone, of_kind: Bools) -> Ints:
    """The value of one kind that each account showed most often, -1 for none."""
    shown = world.sightings
    rows = np.flatnonzero(of_kind[shown.value])
    order = rows[
        np.lexsort((shown.value[rows], -shown.count[rows], shown.account[rows]))
    ]
    first = order[np.diff(shown.account[order], prepend=-1) > 0]
    main = np.full(len(world.accounts), -1, np.int64)
    main[shown.account[first]] = shown.value[first]
    return main


def measured(columns: Mapping[str, Ints], voices: Ints) -> dict[str, float]:
    return {
        facet: likeness(shown[voices], shared=FACETS[facet].shared)
        for facet, shown in columns.items()
    }


def likeness(shown: Ints, *, shared: bool) -> float:
    """0-1 of what so many customers show (-1: what nobody else does)."""
    size = len(shown)
    if size < 2:
        return 0.0
    counts = np.unique(shown[shown >= 0], return_counts=True)[1].astype(float)
    if shared:
        return float(counts[counts > 1].sum() / size)
    return float((counts * (counts - 1)).sum() / (size * (size - 1)))


def unit(counts: Sequence[int]) -> Floats:
    hours = np.array(counts, np.float64)
    return hours / max(float(np.linalg.norm(hours)), 1e-9)


def together(clocks: Floats) -> float:
    """Mean likeness (cosine) of any two days among rows of length 1."""
    size = len(clocks)
    whole = float((clocks.sum(axis=0) ** 2).sum())
    return max(0.0, min(1.0, (whole - size) / (size * (size - 1))))


def usual_hours(clocks: Mapping[int, Floats]) -> float:
    return together(np.array(list(clocks.values()))) if len(clocks) > 1 else 0.0


def norms_of(
    world: Everyone,
    alike: Mapping[int, Mapping[str, float]],
    everybody: Mapping[str, float],
) -> dict[int, tuple[int, dict[str, float]]]:
    """Value → how many others of its kind make its norm, and the norm by facet: their
    median, or what holds of everybody where there are too few."""
    by_kind: dict[str, list[int]] = {}
    for value in alike:
        by_kind.setdefault(world.values[value].kind, []).append(value)
    found = {}
    for values in by_kind.values():
        others = len(values) - 1
        enough = others >= FEW_OTHERS
        columns = {
            facet: np.array([alike[value].get(facet, np.nan) for value in values])
            for facet in FACETS
        }
        for at, value in enumerate(values):
            norm = {
                facet: but_one(columns[facet], at, everybody.get(facet, 0.0))
                if enough
                else everybody.get(facet, 0.0)
                for facet in alike[value]
            }
            found[value] = (others if enough else 0, norm)
    return found


def but_one(column: Floats, at: int, otherwise: float) -> float:
    """Median of the others that were measured."""
    rest = np.delete(column, at)
    rest = rest[~np.isnan(rest)]
    return float(np.median(rest)) if len(rest) >= FEW_OTHERS else otherwise
