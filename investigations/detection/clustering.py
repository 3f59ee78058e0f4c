"""Links → clusters that keep their id between runs.

Merging links make components; Leiden (CPM) splits each where it is held together by
a thread; groups found count as one customer and are linked again, until nothing
changes; members that hang on by little are trimmed. Input order does not matter:
everything is sorted by id first, and all seeds are fixed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import graspologic_native
import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from investigations.detection import linking
from investigations.detection.linking import Links, Pairs
from investigations.detection.shapes import (
    Floats,
    FoundCluster,
    Handoff,
    Ints,
    Member,
    Sightings,
    Value,
    WeightedLink,
)

# CPM: two groups stay apart below this mean link weight between their members.
RESOLUTION = 0.05
SEEDS = tuple(range(10))
ROUNDS = 5
FEWEST = 3  # customers in a cluster
TRIM = 0.2  # of the median member's support; who has less is trimmed
RARE = 5  # customers outside that may show a value and leave it rare
SAME_CLUSTER = 0.3  # Jaccard from which a cluster keeps its id

Partition = Callable[[Links, int], "Grouping"]


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Group of each node, and the share of runs that kept it with its group."""

    group: Ints
    stability: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Everyone:
    """All that clustering looks at. Positions, not ids; `accounts` has the ids in
    rising order, `organization` and `stack` a number for each (-1: no stack),
    `templates` how many prompts each sent that were among a day's most repeated."""

    accounts: Sequence[int]
    organization: Ints
    stack: Ints
    templates: Ints
    values: Sequence[Value]
    sightings: Sightings
    handoffs: Sequence[Handoff]
    today: int  # days since 1 January 1970


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    clusters: list[FoundCluster]
    links: list[WeightedLink]
    customers: Ints  # df of each value
    hub: Ints
    crowded: Ints


# --- Communities ------------------------------------------------------------------


def adjacency(links: Links, nodes: int, kept: Ints) -> csr_array:
    """Symmetric weights of the kept links."""
    a, b, weight = links.a[kept], links.b[kept], links.weight[kept]
    both = (np.concatenate([a, b]), np.concatenate([b, a]))
    matrix = coo_array((np.concatenate([weight, weight]), both), shape=(nodes, nodes))
    return matrix.tocsr()


def by_components(links: Links, nodes: int) -> Grouping:
    """Everything that hangs together, as one. Kept to show what it does wrong."""
    merging = adjacency(links, nodes, np.flatnonzero(links.merges))
    group = connected_components(merging, directed=False)[1].astype(np.int64)
    return Grouping(group, np.ones(nodes))


def by_leiden(links: Links, nodes: int) -> Grouping:
    """Communities inside the components of merging links."""
    whole = by_components(links, nodes).group
    order = np.argsort(whole, kind="stable")
    inside = np.flatnonzero(whole[links.a] == whole[links.b])
    # A component's nodes stand side by side, so that each is a block of the matrix.
    weights = adjacency(links, nodes, inside)[order][:, order].tocsr()
    weights.sort_indices()
    group, stability = np.arange(nodes, dtype=np.int64), np.ones(nodes)
    edges = np.flatnonzero(np.diff(whole[order], prepend=-1, append=-1))
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if end - start == 1:
            continue
        found, steady = communities(block(weights, start, end))
        members = order[start:end]
        # A group is named by its first node.
        firsts = np.unique(found, return_index=True)[1]
        group[members] = members[firsts[found]]
        stability[members] = steady
    return Grouping(group, stability)


def block(weights: csr_array, start: int, end: int) -> csr_array:
    """Rows and columns from start up to end, beyond which these rows are empty."""
    first, last = weights.indptr[start], weights.indptr[end]
    return csr_array(
        (
            weights.data[first:last],
            weights.indices[first:last] - start,
            weights.indptr[start : end + 1] - first,
        ),
        shape=(end - start, end - start),
    )


def communities(weights: csr_array) -> tuple[Ints, Floats]:
    """One component's best partition of ten, and how steady each node is in it."""
    size = weights.shape[0]
    if size <= FEWEST:
        return np.zeros(size, np.int64), np.ones(size)
    runs = [leiden(weights, seed) for seed in SEEDS]
    best = max(runs, key=lambda run: round(run[0], 9))[1]
    return best, np.mean([kept_with(best, other) for _, other in runs], axis=0)


def leiden(weights: csr_array, seed: int) -> tuple[float, Ints]:
    quality, found = graspologic_native.leiden_csr(
        weights.indptr.astype(np.int64),
        weights.indices.astype(np.int32),
        weights.data.astype(np.float64),
        weights.shape[0],
        resolution=RESOLUTION,
        iterations=2,
        use_modularity=False,
        seed=seed,
    )
    return quality, np.array([found[node] for node in range(weights.shape[0])])


def kept_with(best: Ints, other: Ints) -> Floats:
    """Share of each node's group in `best` that `other` leaves with it."""
    sizes = np.bincount(best)[best]
    _, cell, counts = np.unique(
        best * (int(other.max()) + 1) + other, return_inverse=True, return_counts=True
    )
    share: Floats = (counts[cell] - 1) / np.maximum(sizes - 1, 1)
    return np.where(sizes == 1, 1.0, share)


# --- From links to clusters -------------------------------------------------------


def find_clusters(
    world: Everyone, *, partition: Partition = by_leiden, hub_cap: bool = True
) -> Found:
    """Clusters in order of their first account, and the links between accounts.

    `partition` and `hub_cap` exist so that a test can take each safeguard away and
    see that an innocent campus is swallowed without it.
    """
    kinds = linking.kinds_of(world.values)
    sightings = linkable(world, kinds)
    payer = linking.payers(world.organization, sightings, kinds)
    crowded = linking.crowded_places(sightings, kinds, payer, world.stack)
    nodes = len(world.accounts)
    group, stability = np.arange(nodes, dtype=np.int64), np.ones(nodes)
    kept: list[WeightedLink] = []
    profile = None
    for _ in range(ROUNDS):
        worth = linking.rarity(
            sightings,
            kinds,
            as_one(world.organization, group),
            as_one(payer, group),
            crowded,
            hub_cap=hub_cap,
        )
        worth = linking.private_harness(
            worth, kinds, gathered(sightings, group, len(kinds))
        )
        pairs = node_pairs(world, sightings, kinds, worth, group)
        tied = linking.combine(pairs, nodes)
        if profile is None:
            profile = worth
            kept = linking.strongest(
                tied, pairs, world.values, worth.customers, world.accounts
            )
        found = partition(tied.links, nodes)
        merged = found.group[group]
        if np.array_equal(merged, group):
            break
        stability *= found.stability[group]
        group = merged
    assert profile is not None
    clusters = trimmed(world, sightings, kinds, group, stability, crowded)
    return Found(clusters, kept, profile.customers, profile.hub, crowded)


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
    keep = (kind >= 0) & ((kind != linking.NAMES.index("skeleton")) | used)
    return Sightings(
        shown.account[keep],
        shown.value[keep],
        shown.count[keep],
        shown.first_day[keep],
        shown.last_day[keep],
    )


def node_pairs(
    world: Everyone,
    sightings: Sightings,
    kinds: Ints,
    worth: linking.Rarity,
    group: Ints,
) -> Pairs:
    """What ties groups of accounts; a lone account is a group of one."""
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
    values = linking.pair_up(
        cells // size, cells % size, freshest * cover, kinds, worth.strength, owner
    )
    node_of = {account: int(group[at]) for at, account in enumerate(world.accounts)}
    values = linking.between_groups(values, sizes, FEWEST)
    ties = linking.handoff_pairs(world.handoffs, node_of, sizes, world.today)
    return linking.joined(values, ties)


# --- Trimming ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """What each account shows, and whom it exchanged conversations with; what each
    value is worth to a cluster (chance of its kind, 0 in crowded places) and how many
    customers show it at all."""

    values: Sequence[Ints]
    peers: Mapping[int, frozenset[int]]
    organization: Ints
    worth: Floats
    customers: Ints


def trimmed(
    world: Everyone,
    sightings: Sightings,
    kinds: Ints,
    group: Ints,
    stability: Floats,
    crowded: Ints,
) -> list[FoundCluster]:
    """Groups of three or more customers, without those who hang on by little."""
    showing = all_shown(world, sightings, kinds, crowded)
    sizes = np.bincount(group, minlength=len(group))
    clusters = []
    for label in np.flatnonzero(sizes >= FEWEST).tolist():
        support = dense_core(np.flatnonzero(group == label).tolist(), showing)
        left = sorted(support)
        if len({int(world.organization[at]) for at in left}) < FEWEST:
            continue
        clusters.append(
            FoundCluster(
                tuple(
                    Member(
                        world.accounts[at], round(float(stability[at]), 3), support[at]
                    )
                    for at in left
                )
            )
        )
    return sorted(clusters, key=lambda cluster: cluster.accounts)


def all_shown(
    world: Everyone, sightings: Sightings, kinds: Ints, crowded: Ints
) -> Showing:
    order = np.lexsort((sightings.value, sightings.account))
    account, value = sightings.account[order], sightings.value[order]
    bounds = np.searchsorted(account, np.arange(1, len(world.accounts)))
    position = {pk: at for at, pk in enumerate(world.accounts)}
    peers: dict[int, set[int]] = {}
    for handoff in world.handoffs:
        giver, taker = position[handoff.giver], position[handoff.taker]
        peers.setdefault(giver, set()).add(taker)
        peers.setdefault(taker, set()).add(giver)
    chance = np.array([kind.chance for kind in linking.KINDS.values()])[kinds]
    return Showing(
        values=np.split(value, bounds),
        peers={at: frozenset(others) for at, others in peers.items()},
        organization=world.organization,
        worth=np.where((kinds < 0) | (crowded > 0), 0.0, chance),
        customers=linking.customers_of(
            world.organization[account], value, len(world.values)
        ),
    )


def dense_core(members: Sequence[int], showing: Showing) -> dict[int, int]:
    """Members that stay, with the number of rare values each shares with the rest.

    After FRAUDAR (Hooi et al., KDD 2016): a value shared inside weighs
    1 / ln(e + customers outside), so that popular things hold nobody; members below
    a fifth of the median weight go, and the rest is weighed again.
    """
    inside = set(members)
    while True:
        weighed = weigh(inside, showing)
        floor = TRIM * float(np.median([w for w, _ in weighed.values()] or [0.0]))
        gone = {
            at for at, (weight, rare) in weighed.items() if not rare or weight < floor
        }
        if not gone:
            return {at: rare for at, (_, rare) in weighed.items()}
        inside -= gone


def weigh(inside: set[int], showing: Showing) -> dict[int, tuple[float, int]]:
    """Weight of what each member shares with other customers inside, and how many of
    those values are rare outside."""
    owners: dict[int, set[int]] = {}
    for at in inside:
        for value in showing.values[at].tolist():
            owners.setdefault(value, set()).add(int(showing.organization[at]))
    weighed = {}
    for at in inside:
        weight, rare = 0.0, 0
        for value in showing.values[at].tolist():
            together = len(owners[value])
            if together < 2 or not showing.worth[value]:
                continue
            outside = max(0, int(showing.customers[value]) - together)
            weight += float(showing.worth[value]) * linking.idf(outside)
            rare += outside <= max(RARE, together // 4)
        mine = showing.organization[at]
        handed = any(
            peer in inside and showing.organization[peer] != mine
            for peer in showing.peers.get(at, ())
        )
        weighed[at] = (weight + 0.95 * handed, rare + handed)
    return weighed


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
