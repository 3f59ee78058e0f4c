"""Found clusters and everybody's features → scores, verdicts and proposals."""

from dataclasses import dataclass, replace

from investigations.detection import neighbours, pooling, scoring, verdicts
from investigations.detection.pooling import Population
from investigations.detection.ruleset import RULESET, Ruleset, probability
from investigations.detection.shapes import (
    AccountView,
    FoundCluster,
    ScoredAccount,
    ScoredCluster,
)


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """Clusters in the order they were found, accounts in order of id."""

    clusters: list[ScoredCluster]
    accounts: list[ScoredAccount]


def assess(everyone: Population, rules: Ruleset = RULESET) -> Assessment:
    clusters = [
        assess_cluster(everyone, found, rules) for found in everyone.found.clusters
    ]
    pooled, member_of = {}, {}
    for at, cluster in enumerate(clusters):
        likely = probability(cluster.scored.decibans)
        # What may be shown also bounds what membership is worth.
        likely = min(likely, cluster.scored.score / 100)
        pooled[at] = (cluster.features, cluster.evidence, likely)
        for member in cluster.found.members:
            member_of[member.account] = (at, member.support)
    views = neighbours.views(everyone, pooled, member_of)
    accounts = []
    for view in views:
        place = member_of.get(view.features.account)
        home = clusters[place[0]] if place else None
        accounts.append(assess_account(view, home, rules))
    return Assessment(proposals(everyone, clusters, accounts, rules), accounts)


def assess_cluster(
    everyone: Population, found: FoundCluster, rules: Ruleset
) -> ScoredCluster:
    features = pooling.pool(everyone, found)
    evidence = scoring.look_at_cluster(features)
    scored, verdict = scoring.score_cluster(features, evidence, rules)
    explanation = verdicts.innocent_explanation(scored)
    return ScoredCluster(found, features, evidence, scored, verdict, explanation)


def assess_account(
    view: AccountView, cluster: ScoredCluster | None, rules: Ruleset
) -> ScoredAccount:
    """A member is shown no higher than the verdict on its cluster allows."""
    evidence = scoring.look_at_account(view)
    ceiling = 100.0
    if cluster is not None:
        ceiling = verdicts.ceiling(cluster.features, cluster.verdict, rules)
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
