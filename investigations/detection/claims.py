"""Computed claims → tables. Only what changed is written; call it in a transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from investigations.detection import (
    allowlists,
    clustering,
    layout,
    lineage,
)
from investigations.detection.detectors import CATALOGUE
from investigations.detection.linking import Inside
from investigations.detection.models import (
    Cluster,
    ClusterLineage,
    IndicatorProfile,
    Membership,
    Score,
    Signal,
)
from investigations.detection.population import Population
from investigations.detection.profiles import Profile
from investigations.detection.ruleset import Ruleset
from investigations.detection.shapes import (
    Everyone,
    Evidence,
    Reason,
    Rows,
    ScoredAccount,
    ScoredCluster,
)
from investigations.detection.storing import Key, Table, columns, store

FLAGGED = 70.0
# A cluster that vanished may come back under its name within this time.
REMEMBERED = timedelta(days=90)

DETECTORS = {detector.key: detector for detector in CATALOGUE}


# --- Indicators --------------------------------------------------------------------

PROFILES = Table(
    IndicatorProfile,
    ("indicator_id",),
    (
        "accounts",
        "organizations",
        "hub",
        "listed",
        "crowded",
        "crowd",
        "likeness",
        "reading",
    ),
)


# Accounts that a quick pass looked at; None for everybody. Claims about others stay.
Within = Collection[int] | None


def of(within: Within, *names: str) -> dict[str, Any]:
    """What Django is to find: rows whose columns all name accounts within."""
    accounts = None if within is None else list(within)
    return {} if accounts is None else {f"{name}__in": accounts for name in names}


def store_profiles(
    everyone: Population,
    world: Everyone,
    rules: Ruleset,
    profiles: Mapping[int, Profile],
) -> int:
    """`world` has the sightings of listed values too: they are counted all the same.
    `profiles`: position of a value → who stands behind it, where many do."""
    accounts, _ = everyone.value_totals
    customers, listed = everyone.found.customers, allowlists.is_public(world, rules)
    if listed.any():
        everywhere, owners = allowlists.spread(world)
        known = np.flatnonzero(listed)
        accounts, customers = accounts.copy(), customers.copy()
        accounts[known], customers[known] = everywhere[known], owners[known]
    wanted: dict[Key, Key] = {
        (value.indicator,): (
            int(accounts[at]),
            int(customers[at]),
            bool(everyone.found.hub[at]),
            bool(listed[at]),
            bool(everyone.found.crowded[at]),
            *crowd_columns(profiles.get(at)),
        )
        for at, value in enumerate(world.values)
        if value.indicator is not None
    }
    return store(PROFILES, wanted, columns(PROFILES))


def crowd_columns(profile: Profile | None) -> Key:
    if profile is None:
        return None, None, ""
    return profile.as_json(), profile.likeness, profile.reading


# --- Clusters ---------------------------------------------------------------------


def store_clusters(
    scored: Sequence[ScoredCluster],
    inside: Sequence[Inside],
    as_of: datetime,
    within: Within = None,
) -> list[Cluster]:
    """Rows in the order of `scored`; who is not among them any more has vanished."""
    rows = Cluster.objects.all()
    if within is not None:
        rows = rows.filter(last_members__overlap=list(within))
    known = {
        row.pk: row
        for row in rows.filter(live=True)
        | rows.filter(updated_at__gte=as_of - REMEMBERED)
    }
    before = {
        pk: lineage.Known(frozenset(row.last_members), row.live, row.updated_at)
        for pk, row in known.items()
    }
    found = [frozenset(cluster.found.accounts) for cluster in scored]
    kept = clustering.carry_ids(found, {pk: b.members for pk, b in before.items()})
    stored = []
    for cluster, key, own in zip(scored, kept, inside, strict=True):
        row = Cluster(first_seen_at=as_of) if key is None else known[key]
        write_cluster(row, cluster, own, as_of)
        stored.append(row)
    here = [row.pk for row in stored]
    gone = Cluster.objects.filter(live=True, pk__in=known).exclude(pk__in=here)
    gone.update(live=False, proposed_ban=[], withheld=[], withheld_because="")
    after = {row.pk: members for row, members in zip(stored, found, strict=True)}
    store_lineage(lineage.changes(before, after), as_of)
    return stored


def store_lineage(changes: Iterable[lineage.Change], as_of: datetime) -> None:
    """History is added to; a clock that is run once more corrects its own."""
    ClusterLineage.objects.bulk_create(
        (
            ClusterLineage(
                parent_id=change.parent,
                child_id=change.child,
                kind=change.kind,
                shared=change.shared,
                at=as_of,
            )
            for change in changes
        ),
        update_conflicts=True,
        unique_fields=["at", "parent", "child", "kind"],
        update_fields=["shared"],
    )


def write_cluster(
    row: Cluster,
    cluster: ScoredCluster,
    inside: Inside,
    as_of: datetime,
) -> None:
    accounts = sorted(cluster.found.accounts)
    row.score, row.decibans = cluster.scored.score, cluster.scored.decibans
    row.band, row.verdict = cluster.scored.band, cluster.verdict
    row.amount = cluster.amount
    row.size, row.last_members = len(accounts), accounts
    row.innocent_explanation = cluster.innocent_explanation
    row.proposed_ban = list(cluster.proposed_ban)
    row.withheld = list(cluster.withheld)
    row.withheld_because = cluster.withheld_because
    row.link_kinds = dict(inside.kinds)
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
    inside: Sequence[Inside],
    as_of: datetime,
    within: Within = None,
) -> int:
    """Members with their places on the map; who stays in a cluster keeps both."""
    ours = of(within, "account_id")
    before = {row.account_id: row for row in Membership.objects.filter(**ours)}
    changes = 0
    wanted: dict[datetime, dict[Key, Key]] = {}
    for cluster, row, own in zip(scored, stored, inside, strict=True):
        places = layout.place_members(
            cluster.found.accounts,
            own.ties,
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
    existing = list(columns(MEMBERSHIPS, **ours))
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
    rules: Ruleset,
    within: Within = None,
) -> int:
    of_accounts: dict[Key, Key] = {
        (account.account, key): seen_columns(key, seen, rules.weights[key][0], None)
        for account in accounts
        for key, seen in account.evidence.items()
    }
    of_clusters: dict[Key, Key] = {
        (row.pk, key): seen_columns(key, seen, rules.weights[key][1], row.pk)
        for cluster, row in clusters
        for key, seen in cluster.evidence.items()
    }
    theirs: dict[str, Any] = {"cluster__isnull": False}
    if within is not None:
        theirs["cluster__last_members__overlap"] = list(within)
    written = 0
    for table, wanted, only in (
        (ACCOUNT_SIGNALS, of_accounts, of(within, "account_id")),
        (CLUSTER_SIGNALS, of_clusters, theirs),
    ):
        existing = (row for row in columns(table, **only) if row[1] is not None)
        written += store(table, wanted, existing, as_of=as_of)
    return written


def seen_columns(key: str, seen: Evidence, worth: float, cluster: int | None) -> Key:
    """`worth`: decibans at full strength."""
    detector = DETECTORS[key]
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
    ruleset_hash: str,
    within: Within = None,
) -> int:
    """`cluster_score`: an account's cluster's score, 0 where it belongs to none."""
    existing = list(columns(SCORES, **of(within, "account_id")))
    flagged = {row[1]: row[-1] for row in existing}
    wanted: dict[Key, Key] = {
        (account.account,): (
            account.scored.score,
            account.scored.decibans,
            account.scored.band,
            [as_json(reason, None) for reason in account.scored.reasons],
            ruleset_hash,
            first_flagged(
                flagged.get(account.account),
                max(account.scored.score, cluster_score(account.account)),
                as_of,
            ),
        )
        for account in accounts
    }
    return store(SCORES, wanted, existing, as_of=as_of)
