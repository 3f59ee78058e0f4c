"""Links → clusters that keep their id between runs.

Merging links make components; Leiden (CPM) splits each where it is held together by
a thread; groups found count as one customer and are linked again, until nothing
changes; members that hang on by little are trimmed. Input order does not matter:
everything is sorted by id first, and all seeds are fixed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from investigations.detection import combining, linking, rarity
from investigations.detection.combining import Tied
from investigations.detection.communities import Partition, by_leiden
from investigations.detection.pairing import Nodes, Shown, candidate_pairs
from investigations.detection.rarity import Rarity
from investigations.detection.shapes import (
    Bools,
    Everyone,
    Floats,
    FoundCluster,
    Handoff,
    Ints,
    Sightings,
    WeightedLink,
)
from investigations.detection.trimming import FEWEST, showing_of, trimmed

ROUNDS = 5
SAME_CLUSTER = 0.3  # Jaccard from which a cluster keeps its id


@dataclass(frozen=True, eq=False)
class Found:
    """`group` numbers the accounts by their group before trimming."""

    world: Everyone
    clusters: list[FoundCluster]
    kept: linking.Strongest
    customers: Ints  # df of each value
    hub: Ints
    crowded: Ints
    group: Ints

    @cached_property
    def links(self) -> list[WeightedLink]:
        """Written out for who looks at some of them; a large run's are millions."""
        return linking.told(self.kept, self.world.values, self.world.accounts)

    @cached_property
    def inside(self) -> list[linking.Inside]:
        """What ties the members of each cluster."""
        home = np.full(len(self.world.accounts), -1, np.int64)
        position = {pk: at for at, pk in enumerate(self.world.accounts)}
        for number, cluster in enumerate(self.clusters):
            home[[position[pk] for pk in cluster.accounts]] = number
        return linking.inside(self.kept, self.world.accounts, home)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What is known of the values before anybody is grouped."""

    kinds: Ints
    sightings: Sightings
    payer: Ints
    crowded: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """Whose groups are looked for; the others stay in theirs, which they share with
    nobody of `among`. A group is named by one of its accounts."""

    among: Bools
    group: Ints


# --- From links to clusters -------------------------------------------------------


def find_clusters(
    world: Everyone,
    *,
    partition: Partition = by_leiden,
    hub_cap: bool = True,
    again: Again | None = None,
    alone: Sequence[Tied] | None = None,
) -> Found:
    """Clusters in order of their first account, and the links between accounts.

    `partition` and `hub_cap` exist so that a test can take each safeguard away and
    see that an innocent campus is swallowed without it. With `again`, clusters and
    links of some accounts only; how common a value is is still asked of everybody.
    `alone`: what `ties_alone` gave for this world, where it is known already.
    """
    ground = prepared(world)
    nodes = len(world.accounts)
    among = np.ones(nodes, bool) if again is None else again.among
    shown = shown_among(ground.sightings, among)
    handing = replace(world, handoffs=handed_among(world, among))
    group, stability = np.arange(nodes, dtype=np.int64), np.ones(nodes)
    profile = worth = worth_of(world, ground, group, hub_cap=hub_cap)
    if alone is None:
        alone = ties_between(handing, shown, ground.kinds, worth, group)
    tied = combining.telling(alone, nodes)
    kept, ties = linking.strongest(tied, worth.customers), alone
    for _ in range(ROUNDS):
        found = partition(tied.links, nodes)
        merged = found.group[group]
        if again is not None:
            merged = np.where(among, merged, again.group)
        if np.array_equal(merged, group):
            break
        stability *= np.where(among, found.stability[group], 1.0)
        before, worth = worth, worth_of(world, ground, merged, hub_cap=hub_cap)
        touched = touched_by(group, merged, world, ground, before, worth)
        anew = ties_between(handing, shown, ground.kinds, worth, merged, touched)
        ties = [*combining.but_between(ties, touched), *anew]
        tied = combining.telling(ties, nodes)
        group = merged
    showing = showing_of(handing, ground.sightings, ground.kinds, ground.crowded)
    clusters = trimmed(showing, world.accounts, group, stability, among)
    return Found(
        world,
        clusters,
        kept,
        profile.customers,
        profile.hub,
        ground.crowded,
        group,
    )


def ties_alone(world: Everyone) -> list[Tied]:
    """What ties accounts while nobody is grouped."""
    ground, group = prepared(world), np.arange(len(world.accounts), dtype=np.int64)
    worth = worth_of(world, ground, group)
    return ties_between(world, ground.sightings, ground.kinds, worth, group)


def ties_with_more(
    world: Everyone, ties: Sequence[Tied], known: Everyone
) -> list[Tied]:
    """The same for a world that shows more values than one that is `known`, in which
    these were the ties."""
    ground, group = prepared(world), np.arange(len(world.accounts), dtype=np.int64)
    worth = worth_of(world, ground, group)
    shown = ground.sightings
    touched = np.zeros(len(group), bool)
    touched[shown.account[shown.value >= len(known.values)]] = True
    anew = ties_between(world, shown, ground.kinds, worth, group, touched)
    return [*combining.but_between(ties, touched), *anew]


def touched_by(
    group: Ints,
    merged: Ints,
    world: Everyone,
    ground: Ground,
    before: Rarity,
    now: Rarity,
) -> Bools:
    """Accounts whose ties among one another may be others, now that groups merged: who
    is in such a group, shows what one of these shows, or exchanges conversations with
    one, and their groups."""
    changed = np.isin(merged, merged[merged != group])
    shown = ground.sightings
    value = np.zeros(len(ground.kinds), bool)
    value[shown.value[changed[shown.account]]] = True
    value &= (before.strength > 0) | (now.strength > 0)
    touched = changed.copy()
    touched[shown.account[value[shown.value]]] = True
    place = {account: at for at, account in enumerate(world.accounts)}
    for handoff in world.handoffs:
        both = [place[handoff.giver], place[handoff.taker]]
        touched[both] |= changed[both].any()
    found: Bools = np.isin(merged, merged[touched])
    return found


def prepared(world: Everyone) -> Ground:
    kinds = rarity.kinds_of(world.values)
    sightings = linkable(world, kinds)
    payer = rarity.payers(world.organization, sightings, kinds)
    crowded = rarity.crowded_places(sightings, kinds, payer, world.stack)
    return Ground(kinds, sightings, payer, crowded)


def worth_of(
    world: Everyone, ground: Ground, group: Ints, *, hub_cap: bool = True
) -> Rarity:
    """What each value is worth while these groups count as one customer each."""
    worth = rarity.rarity(
        ground.sightings,
        ground.kinds,
        as_one(world.organization, group),
        as_one(ground.payer, group),
        ground.crowded,
        hub_cap=hub_cap,
    )
    share = gathered(ground.sightings, group, len(ground.kinds))
    return rarity.private_harness(worth, ground.kinds, share)


def shown_among(sightings: Sightings, among: Bools) -> Sightings:
    """The sightings of these accounts."""
    if among.all():
        return sightings
    return sightings.where(among[sightings.account])


def handed_among(world: Everyone, among: Bools) -> Sequence[Handoff]:
    """The hand-offs between these accounts."""
    if among.all():
        return world.handoffs
    inside = {world.accounts[at] for at in np.flatnonzero(among).tolist()}
    return [h for h in world.handoffs if h.giver in inside and h.taker in inside]


def gathered(sightings: Sightings, group: Ints, values: int) -> Floats:
    """Share of each value's accounts that stand in groups of three or more."""
    inside = np.bincount(group, minlength=len(group))[group] >= FEWEST
    showing = np.bincount(sightings.value, minlength=values)
    counted = np.bincount(
        sightings.value, inside[sightings.account].astype(float), minlength=values
    )
    share: Floats = counted / np.maximum(showing, 1)
    return share


def as_one(owner: Ints, group: Ints) -> Ints:
    """Owners, with all accounts of a found group counted as one more owner."""
    grouped = np.bincount(group, minlength=len(group))[group] > 1
    ones: Ints = np.where(grouped, int(owner.max(initial=0)) + 1 + group, owner)
    return ones


def linkable(world: Everyone, kinds: Ints) -> Sightings:
    """Sightings that may tie: of a known kind, and of a template in real use.

    A template counts where it makes up a twentieth of an account's repeated prompts
    and was sent three times: two people may ask the same short question once.
    """
    shown = world.sightings
    kind = kinds[shown.value]
    share = shown.count / np.maximum(world.templates[shown.account], 1)
    used = (share >= 0.05) & (shown.count >= 3)
    template = rarity.NAMES.index("skeleton")
    return shown.where((kind >= 0) & ((kind != template) | used))


def ties_between(
    world: Everyone,
    sightings: Sightings,
    kinds: Ints,
    worth: Rarity,
    group: Ints,
    touched: Bools | None = None,
) -> list[Tied]:
    """What ties groups of accounts; a lone account is a group of one. With `touched`,
    whole groups, only what ties these to one another."""
    if touched is not None:
        sightings = sightings.where(touched[sightings.account])
    fresh = linking.freshness(sightings, kinds, world.today)
    node = group[sightings.account]
    size = len(kinds)
    cells, cell, showing = np.unique(
        node * size + sightings.value, return_inverse=True, return_counts=True
    )
    freshest = np.bincount(cell, fresh) / showing
    sizes = np.bincount(group, minlength=len(group))
    cover = np.minimum(1.0, 2 * showing / sizes[cells // size])
    # Accounts of one organisation never accuse each other; a group has no single one.
    alone = sizes[group] == 1
    base = int(world.organization.max(initial=0)) + 1
    owner = np.full(len(group), -1, np.int64)
    owner[group] = np.where(alone, world.organization, base + group)
    node_of = {account: int(group[at]) for at, account in enumerate(world.accounts)}
    handed = linking.handoff_pairs(world.handoffs, node_of, sizes, world.today)
    if touched is not None:
        handed = handed.where(touched[handed.a] & touched[handed.b])
    candidates = candidate_pairs(
        Shown(cells // size, cells % size, freshest * cover),
        kinds,
        worth.strength,
        Nodes(owner, small=sizes < FEWEST),
        handed,
    )
    return combining.ties_of(candidates.parts(), len(group))


# --- Ids that survive -------------------------------------------------------------


def carry_ids(
    found: Sequence[frozenset[int]], before: Mapping[int, frozenset[int]]
) -> list[int | None]:
    """The id each cluster keeps, None for a new one. Greatest overlap first."""
    home: dict[int, list[int]] = {}
    for key, accounts in before.items():
        for account in accounts:
            home.setdefault(account, []).append(key)
    offers = []
    for at, accounts in enumerate(found):
        for key in {key for account in accounts for key in home.get(account, ())}:
            both = len(accounts & before[key])
            jaccard = both / len(accounts | before[key])
            if jaccard >= SAME_CLUSTER:
                offers.append((-jaccard, key, min(accounts), at))
    kept: list[int | None] = [None] * len(found)
    taken: set[int] = set()
    for _, key, _, at in sorted(offers):
        if kept[at] is None and key not in taken:
            kept[at] = key
            taken.add(key)
    return kept
