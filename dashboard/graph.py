"""A cluster's members and ties to the columns that static/js/graph.js draws.

Accounts are circles, what they share are squares: a shared card with 200 accounts is
200 lines to one square rather than 19,900 lines between accounts. Columns instead of
one object for each node keep 24,000 nodes at 1.6 MB (libraries.md measured it).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, log2, pi, sin, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.display import shown_score
from dashboard.outside_text import spelled_out

# More marks than this are a grey cloud; the list beside the map has them all.
MAX_NODES = 1500
# No two multiples of it point the same way (Vogel, 1979).
_GOLDEN_ANGLE = pi * (3 - sqrt(5))
# Of the marks, how many are set aside for what is shared.
_SHARED_PART = 5

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class AccountNode:
    """One member. `group` is a key of the legend; `x`, `y` are its place on the
    cluster's stored map, None where it has none yet."""

    id: str
    label: str
    score: float
    group: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class IndicatorNode:
    """Something shared: a card, an address, a template. `label` is already masked."""

    id: str
    label: str
    kind: str
    accounts: int


@dataclass(frozen=True, slots=True)
class Tie:
    """A line between two node ids; `weight` is 0-1, `kind` a key of the legend."""

    source: str
    target: str
    kind: str
    weight: float


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What fits on the map."""

    accounts: Sequence[AccountNode]
    indicators: Sequence[IndicatorNode]
    ties: Sequence[Tie]


def cluster_graph(
    accounts: Sequence[AccountNode],
    indicators: Sequence[IndicatorNode],
    ties: Sequence[Tie],
    *,
    names: Mapping[str, str],
    limit: int = MAX_NODES,
) -> dict[str, Any]:
    """Columns for graph.js.

    `names` words each group of accounts, kind of indicator and kind of tie; a key
    without a name is shown as it is. Beyond `limit` the accounts of the highest score
    and the indicators of the most accounts stay, and `shown` falls below `total`.
    Ties to what is not drawn are left out. Same input, same output.
    """
    drawn = _fit(accounts, indicators, ties, limit)
    ids = [each.id for each in drawn.accounts]
    ids += [each.id for each in drawn.indicators]
    groups = _groups(drawn, names)
    kinds = _legend(Counter(tie.kind for tie in drawn.ties), names)
    return {
        "nodes": _node_columns(drawn, ids, groups, names),
        "edges": _edge_columns(drawn.ties, ids, kinds),
        "groups": groups,
        "kinds": kinds,
        "shown": len(ids),
        "total": len(accounts) + len(indicators),
    }


def _fit(
    accounts: Sequence[AccountNode],
    indicators: Sequence[IndicatorNode],
    ties: Sequence[Tie],
    limit: int,
) -> _Drawn:
    aside = min(len(indicators), limit // _SHARED_PART)
    kept = sorted(accounts, key=lambda each: (-each.score, each.id))[: limit - aside]
    widest = sorted(indicators, key=lambda each: (-each.accounts, each.id))
    shared = widest[: limit - len(kept)]
    ids = {each.id for each in kept} | {each.id for each in shared}
    drawn_ties = [tie for tie in ties if tie.source in ids and tie.target in ids]
    # A square without a line says nothing.
    tied = {end for tie in drawn_ties for end in (tie.source, tie.target)}
    return _Drawn(kept, [each for each in shared if each.id in tied], drawn_ties)


def _node_columns(
    drawn: _Drawn,
    ids: Sequence[str],
    groups: Sequence[dict[str, Any]],
    names: Mapping[str, str],
) -> dict[str, list[Any]]:
    number = {group["key"]: n for n, group in enumerate(groups)}
    places = _places(drawn)
    people, shared = drawn.accounts, drawn.indicators
    return {
        "id": list(ids),
        "x": [round(places[key][0], 4) for key in ids],
        "y": [round(places[key][1], 4) for key in ids],
        "size": [_account_size(each.score) for each in people]
        + [_indicator_size(each.accounts) for each in shared],
        "ring": [_ring(each.score) for each in people] + [0] * len(shared),
        "group": [number[each.group] for each in people]
        + [number[_shared_key(each.kind)] for each in shared],
        "label": [_account_label(each) for each in people]
        + [_indicator_label(each, names) for each in shared],
    }


def _edge_columns(
    ties: Sequence[Tie], ids: Sequence[str], kinds: Sequence[dict[str, Any]]
) -> dict[str, list[Any]]:
    index = {key: n for n, key in enumerate(ids)}
    number = {kind["key"]: n for n, kind in enumerate(kinds)}
    return {
        "source": [index[tie.source] for tie in ties],
        "target": [index[tie.target] for tie in ties],
        "kind": [number[tie.kind] for tie in ties],
        "weight": [round(tie.weight, 3) for tie in ties],
    }


def _groups(drawn: _Drawn, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The legend of nodes: groups of accounts first, then kinds of indicator."""
    groups = _legend(Counter(each.group for each in drawn.accounts), names)
    shared = _legend(Counter(each.kind for each in drawn.indicators), names)
    for entry in groups:
        entry["shape"] = "circle"
    for entry in shared:
        entry |= {"key": _shared_key(entry["key"]), "shape": "square"}
    # Eight colours; beyond them shape, label and toggle still tell groups apart.
    return [
        entry | {"category": n % 8 + 1} for n, entry in enumerate([*groups, *shared])
    ]


def _legend(counts: Counter[str], names: Mapping[str, str]) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"key": key, "label": names.get(key, key), "count": count}
        for key, count in ordered
    ]


def _shared_key(kind: str) -> str:
    # An account group and an indicator kind may bear the same name.
    return f"shared:{kind}"


def _account_size(score: float) -> float:
    return round(4 + 4 * score / 100, 1)


def _indicator_size(accounts: int) -> float:
    return round(5 + 1.2 * log2(max(accounts, 1)), 1)


def _ring(score: float) -> float:
    """Share of the circle's width that its dark ring takes: risk without colour."""
    if score >= 90:
        return 0.36
    return 0.2 if score >= 70 else 0


def _account_label(account: AccountNode) -> str:
    return f"{spelled_out(account.label)} · {shown_score(account.score)}"


def _indicator_label(indicator: IndicatorNode, names: Mapping[str, str]) -> str:
    kind = names.get(indicator.kind, indicator.kind)
    return f"{kind} {spelled_out(indicator.label)} · {indicator.accounts}"


def _places(drawn: _Drawn) -> dict[str, Place]:
    """Where each node stands, in the units of the stored map."""
    places = _account_places(drawn)
    if not drawn.indicators:
        return places
    return places | _indicator_places(drawn, places)


def _account_places(drawn: _Drawn) -> dict[str, Place]:
    stored = {
        each.id: (each.x, each.y)
        for each in drawn.accounts
        if each.x is not None and each.y is not None
    }
    # A map on which all stand on one spot has not been drawn yet.
    if len(set(stored.values())) < 2:
        stored = {}
    missing = [each.id for each in _alike_together(drawn) if each.id not in stored]
    reach = max((sqrt(x * x + y * y) for x, y in stored.values()), default=0.0)
    spots = _rings(len(missing), inner=1.1 * reach or 1.0)
    return stored | dict(zip(missing, spots, strict=True))


def _alike_together(drawn: _Drawn) -> list[AccountNode]:
    """Accounts in an order that puts those sharing the same things side by side.

    Each is written as one yes or no for each indicator, the most shared first, and
    these are sorted; so every square ends up on the side where its accounts are.
    """
    tied = {(tie.source, tie.target) for tie in drawn.ties}
    tied |= {(target, source) for source, target in tied}

    def signature(account: AccountNode) -> tuple[object, ...]:
        shares = tuple((account.id, each.id) not in tied for each in drawn.indicators)
        return (shares, account.group, -account.score, account.id)

    return sorted(drawn.accounts, key=signature)


def _rings(count: int, *, inner: float) -> list[Place]:
    """`count` places in order of angle, zigzag over as many rings as they need."""
    rings = max(1, round(sqrt(count / 24)))
    places = []
    for n in range(count):
        radius = inner * (1 + 0.13 * (n % rings))
        angle = 2 * pi * n / count
        places.append((radius * cos(angle), radius * sin(angle)))
    return places


def _indicator_places(drawn: _Drawn, places: Mapping[str, Place]) -> dict[str, Place]:
    """Each amid the accounts that share it, pushed off its equals."""
    ends: dict[str, list[tuple[Place, float]]] = {
        each.id: [] for each in drawn.indicators
    }
    for tie in drawn.ties:
        for one, other in ((tie.source, tie.target), (tie.target, tie.source)):
            if one in ends and other in places:
                ends[one].append((places[other], max(tie.weight, 0.01)))
    home = np.array([_middle(ends[each.id]) for each in drawn.indicators])
    spots = np.array(list(places.values()) or [(0.0, 0.0)])
    spread = float(np.ptp(spots, axis=0).max()) or 1.0
    settled = _pushed_apart(home, gap=0.45 * spread / sqrt(len(home) + 1))
    return {
        each.id: (float(x), float(y))
        for each, (x, y) in zip(drawn.indicators, settled, strict=True)
    }


def _middle(ends: Sequence[tuple[Place, float]]) -> Place:
    whole = sum(weight for _, weight in ends)
    if not whole:
        return 0.0, 0.0
    return (
        sum(x * weight for (x, _), weight in ends) / whole,
        sum(y * weight for (_, y), weight in ends) / whole,
    )


def _pushed_apart(home: NDArray[np.float64], *, gap: float) -> NDArray[np.float64]:
    """Points moved until about `gap` apart, each still drawn to where it started."""
    turn = np.arange(len(home)) * _GOLDEN_ANGLE
    at = home + 0.1 * gap * np.column_stack([np.cos(turn), np.sin(turn)])
    for _ in range(40):
        apart = at[:, None, :] - at[None, :, :]
        distance = np.sqrt((apart**2).sum(axis=2)) + 1e-9
        push = np.clip(gap - distance, 0, None) / distance
        np.fill_diagonal(push, 0)
        at = at + 0.25 * (apart * push[:, :, None]).sum(axis=1) + 0.04 * (home - at)
    return at
