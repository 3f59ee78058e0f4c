"""Accounts of strangers that ask about the same, prompt for prompt (B4).

What an account asks about is the mean of its prompts' embeddings. Compared are pairs
of customers, with pairs in random groups of comparable ones: never one account with the
world, from which every product in production differs.
"""

import numpy as np

from investigations.detection.detectors.base import (
    FEWEST_PEERS,
    Detector,
    beyond,
    from_null,
    number,
    once_a_cluster,
    random_picks,
    window,
)
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    Evidence,
    Family,
    Floats,
    Rows,
)

sameness = Detector(
    key="sameness", title="Asks about the same", family=Family.CONTENT, version=1
)

FEWEST = 5  # customers whose prompts are known
# Mean likeness above that of random groups: so much counts in full, less than that is
# nothing, however sure.
FULL_GAIN, LEAST_GAIN = 0.1, 0.02
INNOCENT = (
    "Customers of one product, a class with one exercise, people of one trade: what is "
    "asked says nothing about why."
)


def likeness(means: Floats) -> float:
    """Mean likeness of a prompt of one row to a prompt of another, over all pairs."""
    return float(pairwise(means[None])[0])


def pairwise(groups: Floats) -> Floats:
    """The same for each of several groups of rows of equal number."""
    size = groups.shape[1]
    sums, own = groups.sum(axis=1), (groups**2).sum(axis=(1, 2))
    mean: Floats = ((sums**2).sum(axis=1) - own) / (size * (size - 1))
    return mean


def of_customers(seen: ClusterFeatures) -> Floats:
    """What each customer inside asks about: its first account that is known."""
    first: dict[str, Floats] = {}
    for member in seen.members:
        if member.account in seen.habits.subjects:
            first.setdefault(member.customer, seen.habits.subjects[member.account])
    return np.array(list(first.values()))


@sameness.looks_at_cluster(decibans=4)
def pooled_subjects(seen: ClusterFeatures) -> Evidence | None:
    means, others = of_customers(seen), seen.habits.others_subjects
    if len(means) < FEWEST or len(others) < FEWEST_PEERS:
        return None
    mean = likeness(means)
    drawn = pairwise(others.at(random_picks(len(others), len(means))))
    usual, quantile = float(np.median(drawn)), beyond(mean, drawn)
    if mean - usual < LEAST_GAIN or not from_null(quantile):
        return None
    return Evidence(
        strength=from_null(quantile) * min(1.0, (mean - usual) / FULL_GAIN),
        value=mean,
        baseline=usual,
        sentence=(
            f"Prompts of different accounts are alike by {mean:.2f} on average (0.6 is "
            f"no word in common, 1 all words), over {number(len(means))} customers; in "
            f"{number(len(drawn))} random groups of as many comparable ones by "
            f"{usual:.2f}, and by {float(drawn.max()):.2f} at most."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"members": True, "kind": "request", **window(seen)},
            seen.requests,
        ),
        quantile=quantile,
    )


@once_a_cluster
def of_members(seen: ClusterFeatures) -> tuple[Floats, int]:
    """The sum of what members ask about, and of how many that is known."""
    known = seen.habits.subjects
    told = [known[m.account] for m in seen.members if m.account in known]
    whole: Floats = np.sum(told, axis=0)
    return whole, len(told)


@sameness.looks_at_account(decibans=3)
def own_subject(seen: AccountView) -> Evidence | None:
    own = seen.features
    if seen.place is None or "sameness" not in seen.place.evidence:
        return None
    cluster, pooled = seen.place.cluster, seen.place.evidence["sameness"]
    subjects = cluster.habits.subjects
    if own.account not in subjects:
        return None
    (whole, count), mine = of_members(cluster), subjects[own.account]
    mean = float(mine @ (whole - mine)) / (count - 1)
    # Nearer to what is usual in the cluster than to what is usual elsewhere.
    if mean < (pooled.value + (pooled.baseline or 0.0)) / 2:
        return None
    return Evidence(
        strength=pooled.strength,
        value=mean,
        baseline=pooled.baseline,
        sentence=(
            f"Its prompts are alike to those of the other accounts of its cluster by "
            f"{mean:.2f} on average (0.6 is no word in common, 1 all words); among "
            f"comparable customers it is {pooled.baseline:.2f}."
        ),
        innocent=INNOCENT,
        rows=Rows(
            "event",
            {"accounts": [own.account], "kind": "request", **window(seen)},
            own.requests,
        ),
    )
