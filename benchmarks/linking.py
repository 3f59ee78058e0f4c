"""What links and clusters cost beside the plain kernel on the same data.

    python -m benchmarks.linking [--accounts 224000] [--rounds 3] [--seed 7]

Makes up accounts with nine shared values each on average (heavy tails: crowded
addresses and public tools, families on one card) and campaigns among them, with a
dealt pool's tie or without. The plain kernel is A·Aᵀ of scipy with IDF over values
that at most 200 customers show, its pairs of 0.4 and more, and one run of Leiden on
them. It knows no families, no half-lives, no organisations and no stability, so it is
a floor and no answer. `--permutations` measures the nulls of pooled session starts
instead: 200 tables for each of 5,000 candidates.
Medians of the rounds, each kernel and ours one after the other; memory is the highest
of the process. No database.
"""

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median
from typing import Final

import graspologic_native
import numpy as np
from scipy.sparse import csr_array, triu

from investigations.detection import clustering, evenness, rarity
from investigations.detection.dealing import Hand, tied
from investigations.detection.shapes import Everyone, Ints, Sightings, Value

ACCOUNTS: Final = 224_000
HUB_CAP: Final = 200
TODAY: Final = 20_600
# Kind → values for each account that shows one, share of accounts that do, tail of the
# popularity (Pareto's alpha; lower is heavier), values a showing account has.
POPULAR: Final = {
    "address": (0.55, 0.95, 1.1, 2),
    "block": (0.06, 0.95, 0.9, 1),
    "client_stack": (0.002, 0.95, 0.6, 1),
    "skeleton": (0.5, 0.6, 0.9, 2),
    "system": (0.4, 0.5, 0.9, 1),
    "tools": (0.02, 0.35, 0.7, 1),
    "email_domain": (0.3, 0.4, 0.7, 1),
    "referrer": (0.01, 0.3, 0.7, 1),
}
CAMPAIGNS: Final = 60
# Cards and devices: households of two to four share both, the others have their own.
OWN: Final = ("payment", "device")
HOUSEHOLDS: Final = 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--permutations", action="store_true")
    told = parser.parse_args()
    if told.permutations:
        permutations(told.seed)
        return
    world = made_up(told.accounts, told.seed)
    shown = len(world.sightings.account)
    print(f"{told.accounts:,} accounts, {shown:,} account–indicator rows")
    with_tie = tied(world, [Hand(0, np.arange(40))])
    ways: list[tuple[str, Callable[[], str]]] = [
        ("plain: A·Aᵀ and Leiden once", lambda: plain(world)),
        ("links and clusters", lambda: ours(world)),
        ("the same with a dealt pool's tie", lambda: ours(with_tie)),
    ]
    spent: dict[str, list[float]] = {}
    told_of: dict[str, tuple[str, int]] = {}
    for _ in range(told.rounds):
        for name, way in ways:
            start = time.perf_counter()
            found = way()
            spent.setdefault(name, []).append(time.perf_counter() - start)
            told_of.setdefault(name, (found, peak()))
    floor = median(spent[ways[0][0]])
    print(f"{'':34} {'s':>7} {'ratio':>6} {'MB':>6}  found")
    for name, _ in ways:
        took = median(spent[name])
        found, memory = told_of[name]
        print(f"{name:34} {took:7.2f} {took / floor:6.1f} {memory:6,}  {found}")


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# --- Made-up data -----------------------------------------------------------------


def made_up(accounts: int, seed: int) -> Everyone:
    """The columns that linking works on; campaigns are among the first accounts."""
    dice = np.random.default_rng(seed)
    columns: list[tuple[Ints, Ints]] = []
    values: list[Value] = []
    for kind, (per_account, share, alpha, each) in POPULAR.items():
        who = np.flatnonzero(dice.random(accounts) < share)
        who = np.repeat(who, each)
        count = max(5, int(per_account * len(who)))
        weights = dice.pareto(alpha, count) + 1
        chosen = dice.choice(count, len(who), p=weights / weights.sum())
        columns.append((who, len(values) + chosen))
        values += [Value(kind, f"{kind}-{n}") for n in range(count)]
    columns += households(accounts, values, dice)
    columns += campaigns(accounts, values, dice)
    account, value = (np.concatenate(part) for part in zip(*columns, strict=True))
    cells = np.unique(value * accounts + account)
    value, account = cells // accounts, cells % accounts
    days = TODAY - dice.integers(0, 28, len(cells))
    lone = dice.random(accounts) < 0.8  # the others belong to an organisation
    organization = np.where(
        lone, np.arange(accounts), dice.integers(0, 9_000, accounts)
    )
    return Everyone(
        accounts=range(1, accounts + 1),
        organization=np.unique(organization, return_inverse=True)[1],
        stack=dice.integers(0, 300, accounts),
        templates=np.full(accounts, 60, np.int64),
        values=values,
        sightings=Sightings(
            account, value, np.full(len(cells), 20, np.int64), days - 5, days
        ),
        handoffs=[],
        today=TODAY,
    )


def households(
    accounts: int, values: list[Value], dice: np.random.Generator
) -> list[tuple[Ints, Ints]]:
    home = np.arange(accounts)
    heads = np.flatnonzero(dice.random(accounts) < HOUSEHOLDS)
    for size in (1, 2, 3):
        some = heads[dice.random(len(heads)) < 0.5] + size
        home[some[some < accounts]] -= size
    columns = []
    for kind in OWN:
        columns.append((np.arange(accounts), len(values) + home))
        values += [Value(kind, f"{kind}-{n}") for n in range(accounts)]
    return columns


def campaigns(
    accounts: int, values: list[Value], dice: np.random.Generator
) -> list[tuple[Ints, Ints]]:
    """Groups of 20 to 1,000 on cards of eight, some blocks and tools of their own."""
    columns = []
    first = 0
    for size in np.geomspace(20, 1_000, CAMPAIGNS).astype(int).tolist():
        if first + size > accounts // 4:
            break
        who = np.arange(first, first + size)
        for kind, share in (("payment", 8), ("block", 60), ("tools", size)):
            base, number = len(values), -(-size // share)
            values += [
                Value(kind, f"campaign-{kind}-{base + n}") for n in range(number)
            ]
            columns.append((who, base + dice.integers(0, number, size)))
        first += size
    return columns


# --- What is compared -------------------------------------------------------------


def plain(world: Everyone) -> str:
    shown, kinds = world.sightings, rarity.kinds_of(world.values)
    df = np.bincount(shown.value, minlength=len(kinds))
    chance = np.array([kind.chance for kind in rarity.KINDS.values()])[kinds]
    fade = np.maximum(0.0, 1 - np.log(np.maximum(df, 1)) / np.log(HUB_CAP))
    root = np.sqrt(np.where(df > 1, chance * fade, 0.0))[shown.value]
    live = root > 0
    shape = (len(world.accounts), len(kinds))
    table = csr_array((root[live], (shown.account[live], shown.value[live])), shape)
    pairs = triu(table @ table.T, 1).tocsr()
    total = pairs.nnz
    pairs.data[pairs.data < 0.4] = 0
    pairs.eliminate_zeros()
    both = (pairs + pairs.T).tocsr()
    both.sort_indices()
    _, found = graspologic_native.leiden_csr(
        both.indptr.astype(np.int64),
        both.indices.astype(np.int32),
        both.data,
        both.shape[0],
        resolution=0.05,
        iterations=2,
        use_modularity=False,
        seed=0,
    )
    sizes = np.bincount(list(found.values()) if isinstance(found, dict) else found)
    return f"{total:,} pairs, {pairs.nnz:,} edges, {(sizes > 2).sum():,} groups"


def ours(world: Everyone) -> str:
    found = clustering.find_clusters(world)
    return f"{len(found.kept.links.a):,} links, {len(found.clusters):,} clusters"


def permutations(seed: int) -> None:
    """The null of evenly dealt session starts, candidate by candidate."""
    dice = np.random.default_rng(seed)
    candidates, tables = 5_000, 200
    sample = [dice.poisson(2.0, (14, size)) for size in dice.integers(5, 120, 200)]
    start = time.perf_counter()
    for counts in sample:
        evenness.by_dice(counts.astype(np.int64), draws=tables)
    spent = (time.perf_counter() - start) / len(sample) * candidates
    print(f"{tables} permutations for {candidates:,} candidates: {spent:.0f} s")


if __name__ == "__main__":
    main()
