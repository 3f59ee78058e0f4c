"""Found clusters and everybody's features → scores, verdicts and proposals."""

from collections.abc import Set
from dataclasses import dataclass, replace

import numpy as np

from investigations.detection import (
    neighbours,
    pooling,
    robbed,
    scoring,
    verdicts,
)
from investigations.detection.population import Population
from investigations.detection.ruleset import RULESET, Ruleset, probability
from investigations.detection.shapes import (
    AccountView,
    ClusterFeatures,
    FoundCluster,
    Habits,
    ScoredAccount,
    ScoredCluster,
)


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """Clusters in the order they were found, accounts in order of id."""

    clusters: list[ScoredCluster]
    accounts: list[ScoredAccount]


def assess(
    everyone: Population,
    rules: Ruleset = RULESET,
    only: Set[int] | None = None,
) -> Assessment:
    """`only`: ids of the accounts to score, members of all clusters found among them;
    None for everybody."""
    clusters = [
        assess_cluster(everyone, found, rules) for found in everyone.found.clusters
    ]
    pooled, member_of = {}, {}
    for at, cluster in enumerate(clusters):
        pooled[at] = (cluster.features, cluster.evidence, likely(cluster))
        for member in cluster.found.members:
            member_of[member.account] = (at, member.support)
    views = neighbours.views(everyone, pooled, member_of, only)
    accounts = []
    for view in views:
        place = member_of.get(view.features.account)
        home = clusters[place[0]] if place else None
        accounts.append(assess_account(view, home, rules))
    proposed = proposals(everyone, clusters, accounts, rules)
    return Assessment([robbed.spare(everyone, each) for each in proposed], accounts)


def likely(cluster: ScoredCluster) -> float:
    """How likely it is one operation: what membership is worth.

    What may be shown of the cluster bounds it; but a resale pool is shown at less for
    what it is not, a harvest, and not because it might be none.
    """
    chance = probability(cluster.scored.decibans)
    if cluster.verdict == verdicts.RESALE_POOL:
        return chance
    return min(chance, cluster.scored.score / 100)


def assess_cluster(
    everyone: Population, found: FoundCluster, rules: Ruleset
) -> ScoredCluster:
    features = pooling.pool(everyone, found)
    evidence = scoring.look_at_cluster(features)
    scored, verdict = scoring.score_cluster(features, evidence, rules)
    scored = scoring.leaving_one_out(
        scored,
        evidence,
        lambda less: scoring.score_cluster(features, less, rules)[0].score,
    )
    explanation = verdicts.innocent_explanation(scored)
    kept, amount = without_comparison(features), verdicts.amount_of(features, rules)
    early = verdicts.is_told_early(verdict, amount)
    return ScoredCluster(
        found,
        kept,
        evidence,
        scored,
        verdict,
        explanation,
        amount,
        withheld_because=verdicts.early_words(features, rules) if early else "",
    )


def without_comparison(features: ClusterFeatures) -> ClusterFeatures:
    """The same without what only the cluster's own look compares it with: some ten
    megabytes each, of which a large installation would hold thousands."""
    nobody = Habits()
    habits = replace(
        features.habits,
        others_settings=nobody.others_settings,
        others_subjects=nobody.others_subjects,
    )
    return replace(
        features,
        peers=np.zeros((0, 0), np.int64),
        other_births=np.zeros(0),
        habits=habits,
    )


def assess_account(
    view: AccountView, cluster: ScoredCluster | None, rules: Ruleset
) -> ScoredAccount:
    """A member is shown no higher than the verdict on its cluster allows."""
    evidence = scoring.look_at_account(view)
    ceiling = 100.0
    if cluster is not None:
        ceiling = verdicts.ceiling(cluster.verdict, rules, amount=cluster.amount)
    scored = scoring.score_account(view, evidence, rules, ceiling=ceiling)
    return ScoredAccount(view.features.account, evidence, scored)


def proposals(
    everyone: Population,
    clusters: list[ScoredCluster],
    accounts: list[ScoredAccount],
    rules: Ruleset,
) -> list[ScoredCluster]:
    """The clusters, each with the accounts that the machine proposes to ban."""
    scores = {account.account: account.scored for account in accounts}
    return [
        replace(
            cluster,
            proposed_ban=verdicts.propose_ban(
                cluster.scored,
                cluster.verdict,
                [
                    (
                        features,
                        member.support,
                        neighbours.tied_anew(everyone, cluster.features, features),
                        scores[features.account],
                    )
                    for features, member in zip(
                        cluster.features.members, cluster.found.members, strict=True
                    )
                ],
                rules,
            ),
        )
        for cluster in clusters
    ]
