"""What a cluster's detectors would give without some signals and shared values. Pure.

Detectors that look at shared values look again, with and without what is dropped, and
what they gave counts in that proportion; one whose values are all gone gives nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from investigations.detection import regrouping, scoring
from investigations.detection.detectors import CATALOGUE
from investigations.detection.regrouping import Circle
from investigations.detection.ruleset import Ruleset
from investigations.detection.shapes import (
    AccountFeatures,
    Amount,
    ClusterFeatures,
    Evidence,
    Reason,
    Rows,
)

ON_VALUES: dict[str, tuple[str, ...]] = {
    "shared_payment": ("payment",),
    "tool_schema": ("tools", "system"),
    "private_template": ("skeleton",),
    "rare_client_stack": ("client_stack",),
    "egress_concentration": ("block",),
}
DETECTORS = {detector.key: detector for detector in CATALOGUE}
Seen = Mapping[str, Evidence]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Keys of detectors, and numbers of values."""

    signals: frozenset[str] = frozenset()
    values: frozenset[int] = frozenset()


NOTHING = Dropped()


@dataclass(frozen=True, slots=True)
class Accused:
    """A member that is proposed for a ban: its own evidence and decibans, what
    membership added, and the rare values it shares with the others."""

    account: int
    evidence: Seen
    decibans: float
    membership: float
    support: int


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What the last pass left of a cluster. `stacks`: client stack → accounts of
    everybody. `circle` is None where there are too many members to group anew."""

    members: tuple[AccountFeatures, ...]
    evidence: Seen
    decibans: float
    amount: Amount
    accused: tuple[Accused, ...]
    population: int
    as_of: datetime
    circle: Circle | None = None
    stacks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """The cluster as detectors on shared values see it, with what is dropped and
    without; `keys`: the detectors that look at a kind of which something is."""

    keys: tuple[str, ...] = ()
    full: ClusterFeatures | None = None
    less: ClusterFeatures | None = None


def looks_of(known: Known, dropped: Dropped) -> Looks:
    if known.circle is None or not dropped.values:
        return Looks()
    gone = {v.kind for v in known.circle.world.values if v.indicator in dropped.values}
    keys = tuple(key for key, kinds in ON_VALUES.items() if gone & set(kinds))
    if not keys:
        return Looks()
    kinds = frozenset(kind for key in keys for kind in ON_VALUES[key])
    return Looks(keys, pooled(known, NOTHING, kinds), pooled(known, dropped, kinds))


def left_of(known: Known, dropped: Dropped, looks: Looks) -> dict[str, Evidence]:
    """The cluster's evidence without what is dropped."""
    seen = {k: e for k, e in known.evidence.items() if k not in dropped.signals}
    for key in looks.keys:
        look = DETECTORS[key].cluster
        if key in seen and look and looks.full and looks.less:
            weaken(seen, key, look.see(looks.full), look.see(looks.less))
    return seen


def weaken(
    seen: dict[str, Evidence],
    key: str,
    before: Evidence | None,
    after: Evidence | None,
) -> None:
    """What a detector gave, in proportion to what it sees now; nothing where it sees
    nothing. Where it cannot be made to see what it saw, it stays as it was."""
    if before is None or not before.strength:
        return
    share = min(1.0, after.strength / before.strength) if after else 0.0
    if share:
        seen[key] = replace(seen[key], strength=seen[key].strength * share)
    else:
        del seen[key]


def pooled(known: Known, dropped: Dropped, kinds: Collection[str]) -> ClusterFeatures:
    """As much of the cluster as detectors on shared values look at."""
    assert known.circle is not None
    circle = regrouping.without(known.circle, dropped.values)
    stacks = {
        value.text
        for value in circle.world.values
        if value.kind == "client_stack" and value.indicator in dropped.values
    }
    return ClusterFeatures(
        members=tuple(
            replace(own, public_stack=own.public_stack or own.stack in stacks)
            for own in known.members
        ),
        population=max(known.population, len(known.members)),
        since=known.as_of,
        until=known.as_of,
        common=regrouping.common_values(circle, kinds),
        stacks=known.stacks,
        template_requests=int(circle.world.templates.sum()),
    )


def rest(decibans: float, seen: Seen, rules: Ruleset, *, level: int) -> Reason:
    """What is no detector's, with the odds at the start, as one sum."""
    found = scoring.capped(scoring.weighed(seen, rules, level=level), rules)
    prior = (rules.prior_account, rules.prior_cluster)[level]
    points = decibans - prior - sum(reason.points for reason in found)
    return Reason("rest", "", "", points, unnamed(1.0))


def unnamed(strength: float) -> Evidence:
    return Evidence(strength, 0.0, None, "", "", Rows("", {}, 0))
