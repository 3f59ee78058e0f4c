"""What became of clusters from one run to the next: split, merged, gone, back.

An id goes on with the greatest overlap (`clustering.carry_ids`); what the id does not
tell is where the other members went. Lone members come and go; a move is told where
three or more go together and are a good part of what they left or of what they came to.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FEWEST = 3  # members that move together
PART = 0.3  # of the cluster that they left, or of the one they came to


class Kind(StrEnum):
    SPLIT = "split"  # part of the parent, which goes on or fell apart, is the child
    MOVED = "moved"  # part of the parent went to a child that was there before
    MERGED = "merged"  # the parent ended in the child
    VANISHED = "vanished"  # the parent was not found again, nor where it went
    RETURNED = "returned"  # the child, once vanished, was found again


@dataclass(frozen=True, slots=True)
class Known:
    """A cluster as it was last found; `live` if that was in the run before."""

    members: frozenset[int]
    live: bool
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """`parent` is None for what returned, `child` for what vanished; `shared` members
    came along, or were left."""

    kind: Kind
    parent: int | None
    child: int | None
    shared: int


def changes(
    before: Mapping[int, Known], after: Mapping[int, frozenset[int]]
) -> list[Change]:
    """From clusters by id, as known and as found now, in order of ids."""
    moves = moved(before, after)
    children: dict[int, list[int]] = defaultdict(list)
    for parent, child in moves:
        children[parent].append(child)
    found = [
        Change(kind_of(parent, child, children[parent], before, after), *pair, shared)
        for pair, shared in sorted(moves.items())
        for parent, child in [pair]
    ]
    found += [
        Change(Kind.VANISHED, parent, None, len(known.members))
        for parent, known in sorted(before.items())
        if known.live and parent not in after and parent not in children
    ]
    descended = {child for _, child in moves}
    found += [
        Change(Kind.RETURNED, None, child, len(before[child].members & members))
        for child, members in sorted(after.items())
        if child in before and not before[child].live and child not in descended
    ]
    return found


def moved(
    before: Mapping[int, Known], after: Mapping[int, frozenset[int]]
) -> dict[tuple[int, int], int]:
    """(from, to) → members that went together, where that is worth telling."""
    home = homes(before)
    going: Counter[tuple[int, int]] = Counter()
    for child, members in after.items():
        for account in members:
            parent = home.get(account, child)
            if parent != child:
                going[parent, child] += 1
    return {
        (parent, child): shared
        for (parent, child), shared in going.items()
        if shared >= FEWEST
        and shared >= PART * min(len(before[parent].members), len(after[child]))
    }


def homes(before: Mapping[int, Known]) -> dict[int, int]:
    """Account → the cluster it was last found in."""
    latest = sorted(
        before.items(), key=lambda item: (item[1].live, item[1].found_at, item[0])
    )
    return {account: key for key, known in latest for account in known.members}


def kind_of(
    parent: int,
    child: int,
    children: list[int],
    before: Mapping[int, Known],
    after: Mapping[int, frozenset[int]],
) -> Kind:
    if parent not in after:
        return Kind.SPLIT if len(children) > 1 else Kind.MERGED
    known = before.get(child)
    return Kind.MOVED if known is not None and known.live else Kind.SPLIT
