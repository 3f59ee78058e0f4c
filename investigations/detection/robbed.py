"""Whose key may have been stolen is not proposed for a ban, nor who only knows them.

Whoever finds a customer's key can work through a corpus with it, beside the customer's
own traffic: then the account shares a harness and a client with strangers, takes part
in their hand-offs, and is innocent all the same. What tells it from an operator's
account is a life of its own: it worked before the cluster's client program appeared on
it and still sends through others, or it sends so much through others that they cannot
be a cover. The right answer is to revoke the key, which the page says.

Where most who use the cluster's program are such customers, the thief has hardly an
account of its own, and one that came lately and does little tells nothing: nobody who
uses the program is proposed.

Pretending this costs an operator a second program on each account from its first day
on, and gains a look by a person: the cluster stands, only the proposal leaves it out.

A robbed customer's sister firms share its card and its tools, and nothing with the
thief: they hang on the cluster by it alone, and leave the cluster.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from investigations.detection.population import Population
from investigations.detection.shapes import FoundCluster, ScoredCluster
from investigations.detection.trimming import FEWEST

# Of its requests, through programs that are not the cluster's: with work before, and
# without.
OWN_SHARE, MUCH = 0.1, 0.3
DAYS_BEFORE = 1  # with sessions, between its first and that of the cluster's program
# A program is the cluster's where three customers inside use it, and few others.
STRANGERS, PRIVATE = 3, 0.5
# Of those who use the cluster's program, customers with a life of their own: from here
# on all of them may be.
MOSTLY = 0.5
# What hangs on by the robbed alone is their company up to this share of the cluster.
COMPANY = 0.1


def spare(everyone: Population, cluster: ScoredCluster) -> ScoredCluster:
    """The cluster without proposals against customers whose keys may be stolen."""
    if not cluster.proposed_ban:
        return cluster
    using = users_of_programs(everyone, cluster.found.accounts)
    apart = lives_apart(everyone, using)
    spared = victims(everyone, using, apart).intersection(cluster.proposed_ban)
    if not spared:
        return cluster
    words = sentence(len(spared), all_own=spared <= apart)
    return cluster.withholding(spared, words)


def victims(
    everyone: Population, using: Mapping[int, list[int]], apart: set[int]
) -> set[int]:
    """Members whose keys may be stolen. `using` as from `users_of_programs`; `apart`:
    those of them with a life of their own."""
    if len(apart) < MOSTLY * len(using):
        return apart
    return {everyone.world.accounts[at] for at in using}


def lives_apart(everyone: Population, using: Mapping[int, list[int]]) -> set[int]:
    """Members that worked before the cluster's program was seen on them, and still
    send much through another. `using` as from `users_of_programs`."""
    return {
        everyone.world.accounts[at]
        for at, through in using.items()
        if has_own_life(everyone, at, through)
    }


def users_of_programs(
    everyone: Population, accounts: Sequence[int]
) -> dict[int, list[int]]:
    """Position of each member that uses a program of the cluster's → its sightings of
    those."""
    shown, world = everyone.world.sightings, everyone.world
    rows = everyone.sightings_of(*(everyone.position[each] for each in accounts))
    stacks = rows[everyone.is_program[shown.value[rows]]].tolist()
    owners: dict[int, set[int]] = {}
    for row in stacks:
        owner = int(world.organization[shown.account[row]])
        owners.setdefault(int(shown.value[row]), set()).add(owner)
    private = mostly_inside(everyone, owners, fewest=STRANGERS)
    using: dict[int, list[int]] = {}
    for row in stacks:
        if int(shown.value[row]) in private:
            using.setdefault(int(shown.account[row]), []).append(row)
    return using


def leave_company_out(everyone: Population) -> Population:
    """The same, of each cluster only those whom not just a robbed one holds to it."""
    clusters = [without_company(everyone, each) for each in everyone.found.clusters]
    return replace(everyone, found=replace(everyone.found, clusters=clusters))


def without_company(everyone: Population, found: FoundCluster) -> FoundCluster:
    """The cluster without members that only robbed ones hold to it: small groups that
    share something with those, nothing with the rest, and use no program of its."""
    using = users_of_programs(everyone, found.accounts)
    lead = victims(everyone, using, lives_apart(everyone, using))
    others = [account for account in found.accounts if account not in lead]
    if not lead or not others:
        return found
    tied = private_values(everyone, found.accounts)
    theirs = frozenset().union(*(tied[account] for account in lead))
    gone: set[int] = set()
    for part in parts_of(everyone, others, tied):
        joins = any(everyone.position[account] in using for account in part)
        knows = any(tied[account] & theirs for account in part)
        if knows and not joins and is_company(everyone, part, found):
            gone.update(part)
    left = tuple(m for m in found.members if m.account not in gone)
    enough = customers(everyone, [m.account for m in left]) >= FEWEST
    return FoundCluster(left) if enough else found


def is_company(everyone: Population, part: Sequence[int], found: FoundCluster) -> bool:
    most = max(FEWEST - 1, COMPANY * customers(everyone, found.accounts))
    return customers(everyone, part) <= most


def customers(everyone: Population, accounts: Sequence[int]) -> int:
    places = [everyone.position[account] for account in accounts]
    return len(np.unique(everyone.world.organization[places]))


def private_values(
    everyone: Population, accounts: Collection[int]
) -> dict[int, frozenset[int]]:
    """Account → values it shows that are mostly these accounts' own."""
    shown, world = everyone.world.sightings, everyone.world
    value: dict[int, list[int]] = {}
    owner: dict[int, set[int]] = {}
    for account in accounts:
        at = everyone.position[account]
        value[account] = shown.value[everyone.sightings_of(at)].tolist()
        for each in value[account]:
            owner.setdefault(each, set()).add(int(world.organization[at]))
    private = mostly_inside(everyone, owner, fewest=2)
    return {a: frozenset(private.intersection(value[a])) for a in accounts}


def mostly_inside(
    everyone: Population, owners: Mapping[int, set[int]], *, fewest: int
) -> set[int]:
    """Values that so many customers inside show, and few others. `owners`: value → the
    customers inside that show it."""
    return {
        value
        for value, inside in owners.items()
        if len(inside) >= max(fewest, PRIVATE * everyone.found.customers[value])
    }


def parts_of(
    everyone: Population,
    accounts: Sequence[int],
    tied: Mapping[int, Collection[int]],
) -> list[list[int]]:
    """Groups of the accounts that values and hand-offs between them hold together."""
    place = {account: at for at, account in enumerate(accounts)}
    values = sorted(frozenset().union(*(tied[account] for account in accounts)))
    node = {value: len(place) + at for at, value in enumerate(values)}
    edges = [
        (at, node[value]) for account, at in place.items() for value in tied[account]
    ]
    edges += [
        (place[h.giver], place[h.taker])
        for h in everyone.world.handoffs
        if h.giver in place and h.taker in place
    ]
    size = len(place) + len(node)
    a, b = np.array(edges, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(size, size))
    numbers = connected_components(graph, directed=False)[1][: len(place)]
    parts: dict[int, list[int]] = {}
    for account, number in zip(accounts, numbers.tolist(), strict=True):
        parts.setdefault(number, []).append(account)
    return list(parts.values())


def has_own_life(everyone: Population, at: int, theirs: list[int]) -> bool:
    """`theirs`: its sightings of programs that the cluster uses."""
    shown, requests = everyone.world.sightings, everyone.features[at].requests
    through = int(shown.count[theirs].sum())
    own = (requests - through) / max(requests, 1)
    return own >= MUCH or own >= OWN_SHARE and worked_before(everyone, at, theirs)


def worked_before(everyone: Population, at: int, theirs: list[int]) -> bool:
    """Whether it had sessions, or another program, on a day before the cluster's."""
    shown = everyone.world.sightings
    begun = int(shown.first_day[theirs].min())
    rows = everyone.sightings_of(at)
    programs = rows[everyone.is_program[shown.value[rows]]]
    if (shown.first_day[programs] < begun).any():
        return True
    until = everyone.starts.shape[0] - 1 + begun - everyone.world.today
    days = everyone.starts[: max(0, until), at]
    return bool((days > 0).sum() >= DAYS_BEFORE)


def sentence(count: int, *, all_own: bool) -> str:
    """`all_own`: each of them has work of its own, and not just most."""
    accounts = "1 account is" if count == 1 else f"{count:,} accounts are"
    if not all_own:
        return (
            f"{accounts} not proposed for a ban: most customers on whom the cluster's "
            "program was seen have work of their own, through others, and nothing "
            "tells the rest from them. Their keys may be stolen: have them revoked."
        )
    it, its = ("it", "its") if count == 1 else ("they", "their")
    return (
        f"{accounts} not proposed for a ban: beside the cluster's program {it} "
        f"{'has' if count == 1 else 'have'} work of {its} own, through others. "
        f"{its.capitalize()} keys may be stolen: have them revoked."
    )
