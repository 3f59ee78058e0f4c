"""Computed claims → tables. Only what changed is written; call it in a transaction."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from investigations.detection import clustering, exposure, features, layout
from investigations.detection.detectors import CATALOGUE
from investigations.detection.features import Clock
from investigations.detection.models import (
    Cluster,
    ClusterHour,
    Exposure,
    IndicatorProfile,
    Link,
    Membership,
    Score,
    Signal,
)
from investigations.detection.pooling import Population
from investigations.detection.ruleset import RULESET
from investigations.detection.shapes import (
    Evidence,
    Reason,
    Rows,
    ScoredAccount,
    ScoredCluster,
    WeightedLink,
)
from investigations.detection.storing import Key, Table, columns, store

FLAGGED = 70.0
# A cluster that vanished may come back under its name within this time.
REMEMBERED = timedelta(days=90)

DETECTORS = {detector.key: detector for detector in CATALOGUE}


# --- Links and indicators ---------------------------------------------------------

LINKS = Table(
    Link, ("account_a_id", "account_b_id"), ("weight", "families", "evidence")
)
PROFILES = Table(
    IndicatorProfile, ("indicator_id",), ("accounts", "organizations", "hub")
)


def store_links(links: Iterable[WeightedLink]) -> int:
    wanted: dict[Key, Key] = {
        (link.a, link.b): (
            link.weight,
            link.families,
            [shared.as_json() for shared in link.evidence],
        )
        for link in links
    }
    return store(LINKS, wanted, columns(LINKS))


def store_profiles(everyone: Population) -> int:
    accounts, _ = everyone.value_totals
    wanted: dict[Key, Key] = {
        (value.indicator,): (
            int(accounts[at]),
            int(everyone.found.customers[at]),
            bool(everyone.found.hub[at]),
        )
        for at, value in enumerate(everyone.world.values)
        if value.indicator is not None
    }
    return store(PROFILES, wanted, columns(PROFILES))


# --- Clusters ---------------------------------------------------------------------


def store_clusters(
    scored: Sequence[ScoredCluster], links: Sequence[WeightedLink], as_of: datetime
) -> list[Cluster]:
    """Rows in the order of `scored`; who is not among them any more has vanished."""
    known = {
        row.pk: row
        for row in Cluster.objects.filter(live=True)
        | Cluster.objects.filter(updated_at__gte=as_of - REMEMBERED)
    }
    before = {pk: frozenset(row.last_members) for pk, row in known.items()}
    found = [frozenset(cluster.found.accounts) for cluster in scored]
    kept = clustering.carry_ids(found, before)
    stored = []
    for cluster, key in zip(scored, kept, strict=True):
        row = Cluster(first_seen_at=as_of) if key is None else known[key]
        write_cluster(row, cluster, links, as_of)
        stored.append(row)
    gone = Cluster.objects.filter(live=True).exclude(pk__in=[row.pk for row in stored])
    gone.update(live=False, proposed_ban=[])
    return stored


def write_cluster(
    row: Cluster,
    cluster: ScoredCluster,
    links: Sequence[WeightedLink],
    as_of: datetime,
) -> None:
    inside = set(cluster.found.accounts)
    row.score, row.decibans = cluster.scored.score, cluster.scored.decibans
    row.band, row.verdict = cluster.scored.band, cluster.verdict
    row.size, row.last_members = len(inside), sorted(inside)
    row.innocent_explanation = cluster.innocent_explanation
    row.proposed_ban = list(cluster.proposed_ban)
    row.link_kinds = link_kinds(
        link for link in links if link.a in inside and link.b in inside
    )
    row.live, row.updated_at = True, as_of
    row.first_seen_at = min(row.first_seen_at, as_of)
    row.first_flagged_at = first_flagged(row.first_flagged_at, row.score, as_of)
    if row._state.adding:
        row.save()  # the reasons' queries name the cluster
    row.reasons = [as_json(reason, row.pk) for reason in cluster.scored.reasons]
    row.save()


def first_flagged(
    before: datetime | None, score: float, as_of: datetime
) -> datetime | None:
    """The first clock at which 70 was reached; a replay may find an earlier one."""
    if score < FLAGGED:
        return before
    return as_of if before is None else min(before, as_of)


def link_kinds(links: Iterable[WeightedLink]) -> dict[str, int]:
    """Kind of shared value → pairs of members that it ties, the commonest first."""
    counts: dict[str, int] = {}
    for link in links:
        for kind in {shared.kind for shared in link.evidence}:
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def as_json(reason: Reason, cluster: int | None) -> dict[str, Any]:
    told = reason.as_json()
    told["rows"] = rows_json(reason.evidence.rows, cluster)
    return told


def rows_json(rows: Rows, cluster: int | None) -> dict[str, Any]:
    """The rows' query with the cluster named where it speaks of members."""
    filters = dict(rows.filters)
    if filters.pop("members", False):
        filters["cluster"] = cluster
    return {"table": rows.table, "filters": filters, "count": rows.count}


MEMBERSHIPS = Table(
    Membership,
    ("account_id",),
    ("cluster_id", "stability", "support", "x", "y"),
    ("joined_at",),
)


def store_memberships(
    scored: Sequence[ScoredCluster],
    stored: Sequence[Cluster],
    links: Sequence[WeightedLink],
    as_of: datetime,
) -> int:
    """Members with their places on the map; who stays in a cluster keeps both."""
    before = {row.account_id: row for row in Membership.objects.all()}
    changes = 0
    wanted: dict[datetime, dict[Key, Key]] = {}
    for cluster, row in zip(scored, stored, strict=True):
        places = layout.place_members(
            cluster.found.accounts,
            links,
            {
                account: (known.x, known.y)
                for account in cluster.found.accounts
                if (known := before.get(account)) and known.cluster_id == row.pk
            },
        )
        for member in cluster.found.members:
            known = before.get(member.account)
            stays = known is not None and known.cluster_id == row.pk
            joined = known.joined_at if known is not None and stays else as_of
            wanted.setdefault(joined, {})[member.account,] = (
                row.pk,
                member.stability,
                member.support,
                *places[member.account],
            )
    members = {key for part in wanted.values() for key in part}
    existing = list(columns(MEMBERSHIPS))
    gone = [row for row in existing if (row[1],) not in members]
    changes += store(MEMBERSHIPS, {}, gone)
    for joined, part in wanted.items():
        rows = [row for row in existing if (row[1],) in part]
        changes += store(MEMBERSHIPS, part, rows, joined_at=joined)
    return changes


# --- Signals and scores -----------------------------------------------------------

SEEN = (
    "version",
    "family",
    "strength",
    "decibans",
    "value",
    "baseline",
    "sentence",
    "innocent",
    "rows",
)
ACCOUNT_SIGNALS = Table(Signal, ("account_id", "detector"), SEEN, ("as_of",))
CLUSTER_SIGNALS = Table(Signal, ("cluster_id", "detector"), SEEN, ("as_of",))


def store_signals(
    accounts: Iterable[ScoredAccount],
    clusters: Iterable[tuple[ScoredCluster, Cluster]],
    as_of: datetime,
) -> int:
    of_accounts: dict[Key, Key] = {
        (account.account, key): seen_columns(key, seen, 0, None)
        for account in accounts
        for key, seen in account.evidence.items()
    }
    of_clusters: dict[Key, Key] = {
        (row.pk, key): seen_columns(key, seen, 1, row.pk)
        for cluster, row in clusters
        for key, seen in cluster.evidence.items()
    }
    written = 0
    for table, wanted in (
        (ACCOUNT_SIGNALS, of_accounts),
        (CLUSTER_SIGNALS, of_clusters),
    ):
        existing = (row for row in columns(table) if row[1] is not None)
        written += store(table, wanted, existing, as_of=as_of)
    return written


def seen_columns(key: str, seen: Evidence, level: int, cluster: int | None) -> Key:
    detector = DETECTORS[key]
    worth = RULESET.weights[key][level]
    return (
        detector.version,
        detector.family.value,
        round(seen.strength, 6),
        round(seen.strength * worth, 4),
        seen.value,
        seen.baseline,
        seen.sentence,
        seen.innocent,
        rows_json(seen.rows, cluster),
    )


SCORES = Table(
    Score,
    ("account_id",),
    ("score", "decibans", "band", "reasons", "ruleset_hash", "first_flagged_at"),
    ("as_of",),
)


def store_scores(
    accounts: Iterable[ScoredAccount],
    cluster_score: Callable[[int], float],
    as_of: datetime,
) -> int:
    """`cluster_score`: an account's cluster's score, 0 where it belongs to none."""
    existing, rules = list(columns(SCORES)), RULESET.hash
    flagged = {row[1]: row[-1] for row in existing}
    wanted: dict[Key, Key] = {
        (account.account,): (
            account.scored.score,
            account.scored.decibans,
            account.scored.band,
            [as_json(reason, None) for reason in account.scored.reasons],
            rules,
            first_flagged(
                flagged.get(account.account),
                max(account.scored.score, cluster_score(account.account)),
                as_of,
            ),
        )
        for account in accounts
    }
    return store(SCORES, wanted, existing, as_of=as_of)


# --- What left --------------------------------------------------------------------

EXPOSURES = Table(
    Exposure,
    ("cluster_id",),
    (
        "since",
        "until",
        "days",
        "exchanges",
        "input_tokens",
        "output_tokens",
        "by_model",
        "by_intent",
    ),
)
HOURS = Table(
    ClusterHour, ("cluster_id", "hour"), ("requests", "output_tokens", "by_model")
)


def store_exposure(
    scored: Sequence[ScoredCluster], stored: Sequence[Cluster], clock: Clock
) -> int:
    """Sums and hours of live clusters; a vanished one keeps its last ones."""
    members = [
        (account, row.pk)
        for cluster, row in zip(scored, stored, strict=True)
        for account in cluster.found.accounts
    ]
    totals = features.totals([account for account, _ in members], clock)
    wanted: dict[Key, Key] = {}
    for cluster, row in zip(scored, stored, strict=True):
        left = exposure.add_up(
            totals[account] for account in cluster.found.accounts if account in totals
        )
        wanted[row.pk,] = tuple(getattr(left, name) for name in EXPOSURES.compared)
    live = set(wanted)
    existing = (row for row in columns(EXPOSURES) if (row[1],) in live)
    return store(EXPOSURES, wanted, existing) + store_hours(members, clock)


def store_hours(members: list[tuple[int, int]], clock: Clock) -> int:
    sums: dict[Key, list[Any]] = {}
    for cluster, hour, model, requests, tokens in features.hours(members, clock):
        cell = sums.setdefault((cluster, hour), [0, 0, {}])
        cell[0] += requests
        cell[1] += tokens
        cell[2][model] = requests
    live = {cluster for _, cluster in members}
    existing = (
        row
        for row in columns(HOURS)
        # Hours before the window stay as they were last counted.
        if row[1] in live and row[2] >= clock.since
    )
    return store(HOURS, {key: tuple(cell) for key, cell in sums.items()}, existing)
