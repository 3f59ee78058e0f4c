"""Whose key may have been stolen is not proposed for a ban.

Whoever finds a customer's key can work through a corpus with it, beside the customer's
own traffic: then the account shares a harness and a client with strangers, takes part
in their hand-offs, and is innocent all the same. What tells it from an operator's
account is a life of its own: it worked before the cluster's client program appeared on
it and still sends through others, or it sends so much through others that they cannot
be a cover. The right answer is to revoke the key, which the page says.

Pretending this costs an operator a second program on each account from its first day
on, and gains a look by a person: the cluster stands, only the proposal leaves it out.
"""

from dataclasses import replace

import numpy as np

from investigations.detection.population import Population
from investigations.detection.shapes import ScoredCluster

# Of its requests, through programs that are not the cluster's: with work before, and
# without.
OWN_SHARE, MUCH = 0.1, 0.3
DAYS_BEFORE = 1  # with sessions, between its first and that of the cluster's program
# A program is the cluster's where three customers inside use it, and few others.
STRANGERS, PRIVATE = 3, 0.5


def spare(everyone: Population, cluster: ScoredCluster) -> ScoredCluster:
    """The cluster without proposals against customers with a life of their own."""
    lead = lives_apart(everyone, cluster.found.accounts)
    spared = [account for account in cluster.proposed_ban if account in lead]
    if not spared:
        return cluster
    return replace(
        cluster,
        proposed_ban=tuple(a for a in cluster.proposed_ban if a not in lead),
        withheld=tuple(sorted({*cluster.withheld, *spared})),
        withheld_because=" ".join(
            filter(None, (cluster.withheld_because, sentence(len(spared))))
        ),
    )


def lives_apart(everyone: Population, accounts: tuple[int, ...]) -> set[int]:
    """Members that worked before the cluster's program was seen on them, and still
    send much through another."""
    shown, world = everyone.world.sightings, everyone.world
    members = [everyone.position[account] for account in accounts]
    order, bounds = everyone.by_account
    rows = np.concatenate([order[bounds[at] : bounds[at + 1]] for at in members])
    stacks = [row for row in rows.tolist() if is_stack(everyone, shown.value[row])]
    owners: dict[int, set[int]] = {}
    for row in stacks:
        owner = int(world.organization[shown.account[row]])
        owners.setdefault(int(shown.value[row]), set()).add(owner)
    private = {
        value
        for value, inside in owners.items()
        if len(inside) >= max(STRANGERS, PRIVATE * everyone.found.customers[value])
    }
    found = set()
    for at in members:
        theirs = [
            row
            for row in stacks
            if shown.account[row] == at and int(shown.value[row]) in private
        ]
        if theirs and has_own_life(everyone, at, theirs):
            found.add(world.accounts[at])
    return found


def is_stack(everyone: Population, value: int) -> bool:
    return everyone.kinds[int(value)] == "client_stack"


def has_own_life(everyone: Population, at: int, theirs: list[int]) -> bool:
    """`theirs`: its sightings of programs that the cluster uses."""
    shown, requests = everyone.world.sightings, everyone.features[at].requests
    through = int(shown.count[theirs].sum())
    began = int(shown.first_day[theirs].min()) - everyone.world.today
    days = everyone.starts[: max(0, everyone.starts.shape[0] - 1 + began), at]
    own = (requests - through) / max(requests, 1)
    return bool(own >= MUCH or own >= OWN_SHARE and (days > 0).sum() >= DAYS_BEFORE)


def sentence(count: int) -> str:
    accounts = "1 account is" if count == 1 else f"{count:,} accounts are"
    it, its = ("it", "its") if count == 1 else ("they", "their")
    return (
        f"{accounts} not proposed for a ban: beside the cluster's program {it} "
        f"{'has' if count == 1 else 'have'} work of {its} own, through others. "
        f"{its.capitalize()} keys may be stolen: have them revoked."
    )
