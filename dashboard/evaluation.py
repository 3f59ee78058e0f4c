"""How good was a run, where the truth is known? Pure functions, no Django.

Precision and recall count accounts; B-cubed (Bagga and Baldwin, 1998) judges clusters
through their members; bounds are Wilson's 95 % intervals (Wilson, JASA 1927). What is
measured here is a simulated or composed world: simulated precision is not field
precision.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rates:
    """Share of the named that is right, and share of the guilty that was named; None
    where nothing was named, or nobody is guilty."""

    precision: float | None
    recall: float | None
    named: int
    right: int


def rates(named: Set[str], guilty: Set[str]) -> Rates:
    right = len(named & guilty)
    return Rates(
        precision=right / len(named) if named else None,
        recall=right / len(guilty) if guilty else None,
        named=len(named),
        right=right,
    )


def average_precision(scores: Mapping[str, float], guilty: Set[str]) -> float | None:
    """Area under precision over recall, step-wise; equal scores stand together.

    None where nobody is guilty. An account without a score counts as 0.
    """
    if not guilty:
        return None
    tiers: dict[float, list[str]] = defaultdict(list)
    for account in scores.keys() | guilty:
        tiers[scores.get(account, 0.0)].append(account)
    seen = right = 0
    area = 0.0
    for score in sorted(tiers, reverse=True):
        gained = sum(account in guilty for account in tiers[score])
        seen += len(tiers[score])
        right += gained
        area += gained / len(guilty) * right / seen
    return area


def b_cubed(found: Mapping[str, str], truth: Mapping[str, str]) -> tuple[float, float]:
    """Precision and recall of a clustering, each averaged over the items of `truth`.

    Both map an item to the name of its group; an item that was not found in any group
    is a group of its own.
    """
    if not truth:
        return 1.0, 1.0
    placed = {item: found.get(item, f"alone/{item}") for item in truth}
    both = Counter((placed[item], truth[item]) for item in truth)
    size_found, size_true = Counter(placed.values()), Counter(truth.values())
    precision = recall = 0.0
    for item, label in truth.items():
        shared = both[placed[item], label]
        precision += shared / size_found[placed[item]]
        recall += shared / size_true[label]
    return precision / len(truth), recall / len(truth)


def wilson(hits: float, of: float, z: float = Z95) -> tuple[float, float]:
    """Lower and upper bound of a share; (0, 1) where nothing was counted."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    spread = math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    reach = z * spread / (1 + z * z / of)
    # Against rounding: no hits is no lower bound above nothing.
    low = 0.0 if hits == 0 else max(0.0, centre - reach)
    return low, 1.0 if hits == of else min(1.0, centre + reach)


@dataclass(frozen=True, slots=True)
class Bin:
    """Accounts whose scores lie in one tenth of the scale: their mean score as a
    share, and the share of them that is guilty."""

    accounts: int
    expected: float
    guilty: float


def reliability(scores: Mapping[str, float], guilty: Set[str]) -> list[Bin]:
    """Tenths of the scale that hold accounts, the lowest first."""
    tenths: dict[int, list[str]] = defaultdict(list)
    for account, score in scores.items():
        tenths[min(9, int(score // 10))].append(account)
    return [
        Bin(
            accounts=len(held),
            expected=sum(scores[account] for account in held) / 100 / len(held),
            guilty=len(guilty & set(held)) / len(held),
        )
        for _, held in sorted(tenths.items())
    ]


def calibration_error(bins: Iterable[Bin]) -> float | None:
    """Expected calibration error (Naeini et al., AAAI 2015): the mean distance between
    what scores say and what is true, over accounts; None where there are none."""
    held = list(bins)
    accounts = sum(each.accounts for each in held)
    gaps = sum(each.accounts * abs(each.expected - each.guilty) for each in held)
    return gaps / accounts if accounts else None


@dataclass(frozen=True, slots=True)
class Answer:
    """The truth, by account. `grey` breaks the terms without harvesting: naming it is
    neither right nor wrong here. So it is with the `robbed`, whose stolen keys harvest;
    but a ban would hit an innocent."""

    population: Mapping[str, str]
    campaign: Mapping[str, str]
    pool: Mapping[str, str]
    grey: Set[str]
    robbed: Set[str] = frozenset()

    @property
    def guilty(self) -> Set[str]:
        return self.campaign.keys()


GREY = "relay_resale"


def answer_of(rows: Iterable[Mapping[str, Any]]) -> Answer:
    """Truth rows, as `make_demo_data --truth` writes them."""
    listed = list(rows)
    return Answer(
        population={row["account_id"]: row["population"] for row in listed},
        campaign={
            row["account_id"]: row["campaign"] for row in listed if row["campaign"]
        },
        pool={row["account_id"]: row["pool"] for row in listed if row["pool"]},
        grey={row["account_id"] for row in listed if row["population"] == GREY},
        robbed={row["account_id"] for row in listed if row.get("robbed_by")},
    )


@dataclass(frozen=True, slots=True)
class Bystanders:
    """How many innocents of one population stand where they should not."""

    population: str
    accounts: int
    in_hot_clusters: int
    in_proposed_bans: int

    @property
    def hot_at_most(self) -> float:
        return wilson(self.in_hot_clusters, self.accounts)[1]

    @property
    def banned_at_most(self) -> float:
        return wilson(self.in_proposed_bans, self.accounts)[1]


def bystanders(answer: Answer, hot: Set[str], banned: Set[str]) -> list[Bystanders]:
    """One row for each innocent population, then one for all of them."""
    groups: dict[str, set[str]] = defaultdict(set)
    for account, population in answer.population.items():
        if account not in answer.guilty and account not in answer.grey:
            groups[population].add(account)
    everyone = set().union(*groups.values())
    return [
        Bystanders(name, len(who), len(who & hot), len(who & banned))
        for name, who in [*sorted(groups.items()), ("all innocents", everyone)]
    ]


def by_pool(answer: Answer, accounts: Iterable[str]) -> dict[str, set[str]]:
    pools: dict[str, set[str]] = defaultdict(set)
    for account in accounts:
        if account in answer.pool:
            pools[answer.pool[account]].add(account)
    return pools


def cohorts_in_bans(answer: Answer, bans: Iterable[Set[str]]) -> list[str]:
    """Innocent pools (a class, a family, an agency) of which half or more stand in one
    proposed ban."""
    cohorts = by_pool(answer, answer.pool.keys() - answer.guilty - answer.grey)
    taken = [set(ban) for ban in bans]
    return sorted(
        pool
        for pool, members in cohorts.items()
        if len(members) > 1
        and any(2 * len(members & ban) >= len(members) for ban in taken)
    )


LARGE_POOL = 500  # accounts


def large_pools(answer: Answer, hot: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Guilty pool of 500 accounts or more → how many, and the most of them that stand
    in one cluster which is mostly theirs. `hot`: account → its cluster, where that has
    a case."""
    sizes = Counter(hot.values())
    found = {}
    for pool, members in sorted(by_pool(answer, answer.guilty).items()):
        if len(members) >= LARGE_POOL:
            here = Counter(hot[account] for account in members if account in hot)
            theirs = [n for name, n in here.items() if 2 * n > sizes[name]]
            found[pool] = len(members), max(theirs, default=0)
    return found


@dataclass(frozen=True, slots=True)
class Export:
    """What the product says, from its own export files (rows as in the contract)."""

    accounts: list[dict[str, Any]]
    clusters: list[dict[str, Any]]

    def scores(self) -> dict[str, float]:
        return {row["account_id"]: float(row["score"]) for row in self.accounts}

    def cluster_of(self, *, at_least: float) -> dict[str, str]:
        """Account → its cluster, for clusters of that score or more."""
        return {
            member: cluster["cluster_id"]
            for cluster in self.clusters
            if float(cluster["score"]) >= at_least
            for member in cluster["members"]
        }

    def bans(self) -> list[set[str]]:
        return [set(c["proposed_ban"]) for c in self.clusters if c["proposed_ban"]]

    def first_flag_on(self, accounts: Set[str]) -> str | None:
        """When one of these, or a cluster of which they are most, was first flagged."""
        flagged = [row for row in self.accounts if row["account_id"] in accounts]
        flagged += [
            row
            for row in self.clusters
            if 2 * len(accounts & set(row["members"])) > len(row["members"])
        ]
        times = (row.get("first_flagged_at") for row in flagged)
        return min((at for at in times if at), default=None)
