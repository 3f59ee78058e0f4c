"""What a pass read, with some accounts read anew.

Taken as they were for the others: their own facts, days, sightings, hand-offs and
moves. What depends on everybody (who belongs to whom, who was born together) is worked
out again from both. So only what time alone changes for the others is behind: their
age, and the window's edge.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from investigations.detection.features.clock import Clock, open_day
from investigations.detection.features.conversations import handoffs
from investigations.detection.features.facts import Facts, own_facts
from investigations.detection.features.releases import moves_at, releases
from investigations.detection.features.sessions import session_starts
from investigations.detection.features.sharing import (
    SIGHTINGS,
    Shown,
    assembled,
    named,
    positions,
    shown_rows,
    template_use,
)
from investigations.detection.shapes import (
    AccountFeatures,
    Everyone,
    Ints,
    Move,
    Release,
)

# A look at the index for each value: those who show what nobody else does are many.
SHARED_BY_SOME = """account_id = ANY(%(only)s::bigint[]) AND EXISTS (
    SELECT FROM ingest_sighting AS other
    WHERE other.indicator_id = s.indicator_id AND other.account_id <> s.account_id)
"""
SHOWN_BY_OTHERS = """indicator_id = ANY(%(fresh)s::bigint[])
    AND account_id <> ALL(%(only)s::bigint[])
"""


def reread(kept: Facts, anew: Collection[int], clock: Clock) -> Facts:
    """The facts by the clock, of which only these accounts are read."""
    some = Clock(clock.as_of, tuple(sorted(anew)))
    open_day(some)
    present, silent = own_facts(some)
    features = merged(kept.features, present, anew)
    return replace(
        kept,
        clock=clock,
        features=features,
        world=world_of(kept, features, some),
        starts=starts_of(kept, features, present, some),
        releases=releases(clock),
        moves=list(moves_of(kept, some)),
        silent=silent,
    )


def merged(
    kept: Iterable[AccountFeatures],
    fresh: Iterable[AccountFeatures],
    anew: Collection[int],
) -> list[AccountFeatures]:
    others = [own for own in kept if own.account not in anew]
    return sorted([*others, *fresh], key=lambda own: own.account)


def starts_of(
    kept: Facts,
    features: Collection[AccountFeatures],
    present: list[AccountFeatures],
    some: Clock,
) -> Ints:
    """Days × accounts; days since then are silent for those that are not read."""
    accounts = np.array([own.account for own in features], np.int64)
    starts = np.full((some.days, len(accounts)), -1, np.int64)
    gone = (some.since - kept.clock.since).days
    before = kept.starts[gone:]
    at, there = positions(np.array(kept.world.accounts, np.int64), accounts)
    starts[: len(before), at[there]] = before[:, there]
    fresh, _ = positions(np.array([own.account for own in present], np.int64), accounts)
    starts[:, fresh] = session_starts(present, some)
    return starts


def moves_of(kept: Facts, some: Clock) -> Iterable[Move]:
    known = {release.model for release in kept.releases}
    for release in releases(some):
        if release.model in known:
            yield from moves_patched(kept, release, some)
        else:
            yield from moves_at(release, Clock(some.as_of))


def moves_patched(kept: Facts, release: Release, some: Clock) -> list[Move]:
    anew = set(some.only or ())
    others = [
        move
        for move in kept.moves
        if move.model == release.model and move.account not in anew
    ]
    fresh = [*others, *moves_at(release, some)]
    return sorted(fresh, key=lambda move: move.account)


def world_of(kept: Facts, features: list[AccountFeatures], some: Clock) -> Everyone:
    anew = set(some.only or ())
    handed = [h for h in kept.world.handoffs if h.taker not in anew]
    handed += [h for h in handoffs(features, some) if h.taker in anew]
    handed.sort(key=lambda h: (h.giver, h.taker))
    return assembled(features, shown_by(kept.world, some), handed, some)


def shown_by(world: Everyone, some: Clock) -> Shown:
    shown, only = world.sightings, np.array(some.only, np.int64)
    pks = np.array([v.indicator or 0 for v in world.values], np.int64)  # 0: a birth
    accounts = np.array(world.accounts, np.int64)
    before = (
        accounts[shown.account],
        pks[shown.value],
        shown.count,
        shown.first_day,
        shown.last_day,
    )
    stays = (before[1] > 0) & ~np.isin(before[0], only)
    own = shown_rows(SIGHTINGS, SHARED_BY_SOME, some)
    fresh = np.setdiff1d(own[1], pks)
    more = shown_rows(SIGHTINGS, SHOWN_BY_OTHERS, some, fresh=fresh.tolist())
    parts = zip((column[stays] for column in before), own, more, strict=True)
    columns = [np.concatenate(part) for part in parts]
    order = np.lexsort((columns[0], columns[1]))
    values = {v.indicator: v for v in world.values if v.indicator is not None}
    templates = dict(zip(world.accounts, world.templates.tolist(), strict=True))
    for account in some.only or ():
        templates.pop(account, None)
    return Shown(
        [column[order] for column in columns],
        values | named(fresh.tolist()),
        templates | template_use(SIGHTINGS, some),
    )
