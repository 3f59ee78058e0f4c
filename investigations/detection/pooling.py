"""Accounts and clusters → what detectors look at: own facts beside everybody else's.

A cluster is a sum of its members, and every comparison is with customers outside it,
one voice for each organisation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np

from investigations.detection.clustering import Found
from investigations.detection.detectors.prompt_sweep import ENOUGH, sweeps
from investigations.detection.detectors.release_pivot import MOVED
from investigations.detection.shapes import (
    AccountFeatures,
    ClusterFeatures,
    CommonValue,
    Everyone,
    Floats,
    FoundCluster,
    Ints,
    Move,
    Norm,
    Release,
    ReleaseMoves,
)

POOLED_KINDS = ("payment", "block", "tools", "system", "skeleton")
# How much rarer or more frequent a comparable customer's sessions may be.
COMPARABLE = 3.0
MOST_PEERS = 2000
SMALL_COHORT = 20


@dataclass(frozen=True, eq=False)
class Population:
    """Everybody one run sees. `features` in the order of `world.accounts`; `starts`
    counts session starts by day (rows) and account (columns), -1 while absent."""

    features: Sequence[AccountFeatures]
    world: Everyone
    found: Found
    starts: Ints
    since: datetime
    until: datetime
    # Session starts one by one, of accounts in clusters: account id → seconds.
    start_times: Mapping[int, Floats] = field(default_factory=dict)
    releases: Sequence[Release] = ()
    moves: Sequence[Move] = ()

    @cached_property
    def position(self) -> dict[int, int]:
        return {account: at for at, account in enumerate(self.world.accounts)}

    @cached_property
    def kinds(self) -> list[str]:
        return [value.kind for value in self.world.values]

    @cached_property
    def by_account(self) -> tuple[Ints, Ints]:
        """Order of sightings by account, and where each account's begin."""
        account = self.world.sightings.account
        order = np.argsort(account, kind="stable")
        bounds = np.searchsorted(account[order], np.arange(len(self.features) + 1))
        return order, bounds

    @cached_property
    def value_totals(self) -> tuple[Ints, Ints]:
        """Accounts and requests of each value, over everybody."""
        shown, size = self.world.sightings, len(self.world.values)
        accounts = np.bincount(shown.value, minlength=size)
        requests = np.bincount(shown.value, shown.count, minlength=size)
        return accounts, requests.astype(np.int64)

    @cached_property
    def stacks(self) -> dict[str, int]:
        """Accounts by the client stack they use most."""
        counts: dict[str, int] = {}
        for account in self.features:
            if account.stack:
                counts[account.stack] = counts.get(account.stack, 0) + 1
        return counts

    @cached_property
    def norms(self) -> dict[str, Norm]:
        """Rates of intents that 5 in 100 customers exceed."""
        active = [f for f in self.features if f.requests >= ENOUGH]
        names = sorted({name for account in active for name in account.intents})
        return {
            name: norm([a.intents.get(name, 0) / a.requests for a in active])
            for name in names
        }

    @cached_property
    def voices(self) -> Ints:
        """One account for each customer: the first."""
        return np.unique(self.world.organization, return_index=True)[1]

    @cached_property
    def births(self) -> Floats:
        """Sign-up times in minutes, nan where unknown."""
        return np.array(
            [
                f.created_at.timestamp() / 60 if f.created_at else np.nan
                for f in self.features
            ]
        )


def norm(rates: Sequence[float]) -> Norm:
    high = max(0.05, float(np.quantile(rates, 0.95)) if rates else 0.05)
    above = sum(rate > high for rate in rates)
    return Norm(high, (above + 1) / (len(rates) + 2))


def pool(everyone: Population, cluster: FoundCluster) -> ClusterFeatures:
    """One cluster beside the rest."""
    members = np.array([everyone.position[a] for a in cluster.accounts], np.int64)
    features = tuple(everyone.features[at] for at in members.tolist())
    inside = set(cluster.accounts)
    others = outside(everyone, members)
    voices = np.intersect1d(members, everyone.voices)
    births, elsewhere = everyone.births[voices], everyone.births[others]
    rest = [everyone.features[at] for at in others.tolist()]
    busy = [other for other in rest if other.requests >= ENOUGH]
    customer = {f.account: f.customer for f in features}
    times = [everyone.start_times.get(a, np.zeros(0)) for a in cluster.accounts]
    return ClusterFeatures(
        members=features,
        population=len(everyone.features),
        since=everyone.since,
        until=everyone.until,
        common=common_values(everyone, members),
        stacks=everyone.stacks,
        template_requests=int(everyone.world.templates[members].sum()),
        others_compared=len(busy),
        others_sweeping=sum(sweeps(other) for other in busy),
        norms=everyone.norms,
        starts=everyone.starts[:, members],
        peers=comparable(everyone.starts, members, others),
        start_of=np.repeat(np.arange(len(times)), [len(each) for each in times]),
        start_at=np.concatenate(times),
        births=births[~np.isnan(births)],
        other_births=elsewhere[~np.isnan(elsewhere)],
        moves=release_moves(everyone, inside, members, others),
        handoffs=tuple(
            h
            for h in everyone.world.handoffs
            if h.giver in inside
            and h.taker in inside
            and customer[h.giver] != customer[h.taker]
        ),
    )


def outside(everyone: Population, members: Ints) -> Ints:
    """One account for each customer that has none in the cluster."""
    organization = everyone.world.organization
    apart = ~np.isin(organization[everyone.voices], organization[members])
    others: Ints = everyone.voices[apart]
    return others


def common_values(
    everyone: Population, members: Ints
) -> dict[str, tuple[CommonValue, ...]]:
    """Values by kind that two or more customers inside show, most shared first."""
    shown, values = everyone.world.sightings, everyone.world.values
    order, bounds = everyone.by_account
    holders: dict[int, list[int]] = {}
    requests: dict[int, int] = {}
    for at in members.tolist():
        for row in order[bounds[at] : bounds[at + 1]].tolist():
            value = int(shown.value[row])
            if everyone.kinds[value] not in POOLED_KINDS:
                continue
            count = int(shown.count[row])
            holders.setdefault(value, []).append(at)
            requests[value] = requests.get(value, 0) + count
    accounts, total = everyone.value_totals
    organization = everyone.world.organization
    common: dict[str, list[CommonValue]] = {kind: [] for kind in POOLED_KINDS}
    for value, holding in holders.items():
        if len({int(organization[at]) for at in holding}) < 2:
            continue
        common[values[value].kind].append(
            CommonValue(
                kind=values[value].kind,
                value=values[value].text,
                indicator=values[value].indicator,
                members=frozenset(everyone.features[at].account for at in holding),
                accounts=int(accounts[value]),
                member_requests=requests[value],
                requests=int(total[value]),
                crowded=bool(everyone.found.crowded[value]),
            )
        )
    return {
        kind: tuple(sorted(found, key=lambda v: (-len(v.members), v.value)))
        for kind, found in common.items()
    }


def comparable(starts: Ints, members: Ints, others: Ints) -> Ints:
    """Columns of customers outside who start sessions about as often."""
    here = starts >= 0
    rate = np.where(here, starts, 0).sum(axis=0) / np.maximum(here.sum(axis=0), 1)
    usual = float(np.median(rate[members])) if len(members) else 0.0
    alike = (rate[others] >= usual / COMPARABLE) & (rate[others] <= usual * COMPARABLE)
    lasting = here[:, others].sum(axis=0) >= here[:, members].sum(axis=0).mean() / 2
    chosen = others[alike & lasting & (rate[others] > 0)]
    if len(chosen) > MOST_PEERS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST_PEERS).astype(int)]
    peers: Ints = starts[:, chosen]
    return peers


def release_moves(
    everyone: Population, inside: set[int], members: Ints, others: Ints
) -> tuple[ReleaseMoves, ...]:
    """Who moved at each release: members, and others on the same client programs."""
    used = [everyone.features[at].stack for at in members.tolist()]
    stacks = {stack for stack in used if stack and 20 * used.count(stack) >= len(used)}
    voices = {everyone.world.accounts[at] for at in others.tolist()}
    found = []
    for release in everyone.releases:
        day = [move for move in everyone.moves if move.model == release.model]
        each = [move for move in day if move.counts]
        mine = tuple(move for move in each if move.account in inside)
        rest = [move for move in each if move.account in voices]
        alike = [
            move
            for move in rest
            if everyone.features[everyone.position[move.account]].stack in stacks
        ]
        cohort = alike if len(alike) >= SMALL_COHORT else rest
        found.append(
            ReleaseMoves(
                release=release,
                requests=sum(m.moved for m in day if m.account in inside),
                each=mine,
                moved=frozenset(m.account for m in mine if has_moved(m)),
                cohort=len(cohort),
                cohort_moved=sum(has_moved(move) for move in cohort),
            )
        )
    return tuple(found)


def has_moved(move: Move) -> bool:
    return move.moved >= MOVED * move.requests
