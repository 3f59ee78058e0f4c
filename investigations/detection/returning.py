"""Past clusters: kept as they were, and looked for among those found now.

A fingerprint follows its cluster until people decide; from then on it is what later
clusters are held against. What a replay of an old clock may not know (a decision of
later on) is not held against anybody.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
from django.conf import settings
from django.db.models import Q

from ingest.fingerprints import subkey
from investigations.detection import claims, clustering, labels, lineage
from investigations.detection.models import (
    Cluster,
    ClusterLineage,
    ClusterResemblance,
    Fingerprint,
)
from investigations.detection.painting import Painter
from investigations.detection.population import Population, some_others, spread
from investigations.detection.portraits import Portrait, from_json
from investigations.detection.resembling import Null, Past, compare
from investigations.detection.shapes import Floats, FoundCluster, Resemblance
from investigations.detection.storing import Key, Table, columns, store

Outcome = Fingerprint.Outcome
# So long a fingerprint is kept after the decision; a card's mark is a quarter by then.
KEPT = timedelta(days=2 * 365)
GROUPS, LONE = 400, 400  # random groups and lone customers in the null
LARGEST = 50  # of a random group
# So many members confirmed, or half of them, decide a cluster.
FEWEST = 3


@cache
def keyed() -> Callable[[str], str]:
    """Hashes a value so that nobody can try values without the installation's key."""
    key = subkey(settings.HASH_KEY, "cluster fingerprint")
    return lambda text: hashlib.blake2b(
        text.encode(), digest_size=8, key=key
    ).hexdigest()


# --- What is looked for -------------------------------------------------------------


def with_past(everyone: Population, as_of: datetime) -> Population:
    """With what each found cluster resembles. Changes nothing where nobody has decided
    on any cluster yet."""
    past, portraits = known(as_of)
    clusters = everyone.found.clusters
    if not past or not clusters:
        return everyone
    painter = Painter(everyone, keyed())
    drawn = [draw(painter, each) for each in clusters]
    found = compare(drawn, past, kin(clusters, as_of), null(painter))
    resembling = {
        cluster.accounts[0]: told(painter, cluster, seen, portraits[seen.cluster])
        for cluster, seen in zip(clusters, found, strict=True)
        if seen is not None
    }
    return replace(everyone, resembling=resembling)


def draw(painter: Painter, cluster: FoundCluster) -> Portrait:
    at = [painter.everyone.position[pk] for pk in cluster.accounts]
    return painter.draw(at, dealt=True)


def told(
    painter: Painter, cluster: FoundCluster, seen: Resemblance, past: Portrait
) -> Resemblance:
    """With the rows that both showed."""
    at = [painter.everyone.position[pk] for pk in cluster.accounts]
    parts = [each.part for each in seen.agreements]
    indicators, showing = painter.shared(at, past, parts)
    return replace(seen, indicators=indicators, showing=showing)


def known(as_of: datetime) -> tuple[list[Past], dict[int, Portrait]]:
    """Clusters that people had decided on by then, in order of id."""
    newest = labels.newest(as_of)
    past, portraits = [], {}
    rows = Fingerprint.objects.order_by("cluster").iterator(500)
    for row in rows:
        outcome, at = decided(row.account_ids, newest)
        if at is None or row.as_of > as_of:
            continue
        portraits[row.cluster_id] = from_json(row.portrait)
        guilty = outcome == Outcome.CONFIRMED
        past.append(Past(row.cluster_id, guilty, at, portraits[row.cluster_id]))
    return past, portraits


def decided(
    accounts: Sequence[int], newest: Mapping[int, tuple[str, datetime]]
) -> tuple[Outcome, datetime | None]:
    """What people said of a cluster with these accounts, and when first."""
    said: dict[str, list[datetime]] = defaultdict(list)
    for account in accounts:
        kind, at = newest.get(account, ("", None))
        if at is not None:
            said[kind].append(at)
    half = max(1, (len(accounts) + 1) // 2)
    if len(said["confirmed"]) >= min(FEWEST, half):
        return Outcome.CONFIRMED, min(said["confirmed"])
    if len(said["benign"]) >= half:
        return Outcome.CLEARED, min(said["benign"])
    return Outcome.OPEN, None


def null(painter: Painter) -> Null:
    """Random groups, of the sizes of clusters, and lone ones among customers outside
    all clusters whose habits were read; the same every time."""
    everyone, dice = painter.everyone, np.random.default_rng(1)
    clustered = [pk for each in everyone.found.clusters for pk in each.accounts]
    others = some_others(everyone.features, clustered)
    at = np.array([everyone.position[pk] for pk in others], np.int64)
    sizes = [min(LARGEST, len(each.accounts)) for each in everyone.found.clusters]
    drawn = [painter.draw([one]) for one in spread(at, LONE).tolist()]
    for size in dice.choice(sizes, GROUPS).tolist():
        if len(at) >= 2 * size:
            group = dice.choice(at, size, replace=False)
            drawn.append(painter.draw(group.tolist(), dealt=True))
    return Null(
        drawn,
        mean([everyone.subjects[pk] for pk in others if pk in everyone.subjects]),
        mean(
            [
                h / h.sum()
                for pk in others
                if (h := everyone.start_hours.get(pk)) is not None and h.sum()
            ]
        ),
    )


def mean(rows: Sequence[Floats]) -> Floats:
    found: Floats = np.mean(rows, axis=0) if rows else np.zeros(0)
    return found


def kin(clusters: Sequence[FoundCluster], as_of: datetime) -> list[frozenset[int]]:
    """For each cluster the ids of those that it is, comes from, or that came of it."""
    # Whose id one may take up again (claims.store_clusters), and who is looked for.
    known_by = Q(live=True) | Q(updated_at__gte=as_of - claims.REMEMBERED)
    rows = Cluster.objects.filter(known_by | Q(fingerprint__isnull=False))
    before = {
        row.pk: lineage.Known(frozenset(row.last_members), row.live, row.updated_at)
        for row in rows.only("last_members", "live", "updated_at")
    }
    found = [frozenset(each.accounts) for each in clusters]
    kept = clustering.carry_ids(found, {pk: b.members for pk, b in before.items()})
    # One that is new has no id yet.
    ids = [key if key is not None else -1 - at for at, key in enumerate(kept)]
    moves = lineage.moved(before, dict(zip(ids, found, strict=True)))
    steps = ClusterLineage.objects.filter(parent__isnull=False, child__isnull=False)
    tied = [*steps.values_list("parent", "child").distinct(), *moves]
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in tied:
        near[one].add(other)
        near[other].add(one)
    return [reached(own, near) for own in ids]


def reached(start: int, near: Mapping[int, Iterable[int]]) -> frozenset[int]:
    seen, waiting = {start}, [start]
    while waiting:
        for other in near.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return frozenset(seen)


# --- What is kept -------------------------------------------------------------------


def keep(
    everyone: Population,
    stored: Sequence[Cluster],
    as_of: datetime,
) -> None:
    """Fingerprints of clusters that reached 70 or that people decided on, as they are
    now; those decided on stay as they were. `stored` in the order of the found."""
    newest = labels.newest(as_of)
    settle(newest)
    Fingerprint.objects.filter(decided_at__lt=as_of - KEPT).delete()
    final = set(
        Fingerprint.objects.exclude(outcome=Outcome.OPEN).values_list(
            "cluster", flat=True
        )
    )
    painter = Painter(everyone, keyed())
    for found, row in zip(everyone.found.clusters, stored, strict=True):
        outcome, at = decided(found.accounts, newest)
        if row.pk in final or (row.first_flagged_at is None and at is None):
            continue
        Fingerprint.objects.update_or_create(
            cluster=row,
            defaults={
                "account_ids": list(found.accounts),
                "portrait": draw(painter, found).as_json(),
                "outcome": outcome,
                "decided_at": at,
                "as_of": as_of,
            },
        )


def settle(newest: Mapping[int, tuple[str, datetime]]) -> None:
    """Writes down what people decided since, or decided otherwise."""
    for row in Fingerprint.objects.defer("portrait"):
        outcome, at = decided(row.account_ids, newest)
        # A label that is taken back leaves a fingerprint final: what came after the
        # decision was never added to it.
        if outcome not in (row.outcome, Outcome.OPEN):
            row.outcome, row.decided_at = outcome, row.decided_at or at
            row.save(update_fields=["outcome", "decided_at"])


RESEMBLANCES = Table(
    ClusterResemblance,
    ("cluster_id",),
    ("past_id", "likeness", "quantile", "compared", "agreements", "since"),
)


def store_resemblances(
    everyone: Population, stored: Sequence[Cluster], as_of: datetime
) -> int:
    """What the clusters resemble, for pages; `since` stays while the past one does."""
    here = [row.pk for row in stored]
    existing = list(columns(RESEMBLANCES, cluster__in=here))
    since = {(row[1], row[2]): row[-1] for row in existing}
    wanted: dict[Key, Key] = {}
    for found, row in zip(everyone.found.clusters, stored, strict=True):
        seen = everyone.resembling.get(found.accounts[0])
        if seen is not None:
            wanted[row.pk,] = (
                seen.cluster,
                seen.likeness,
                seen.quantile,
                seen.compared,
                [
                    {"part": a.part, "likeness": a.likeness, "quantile": a.quantile}
                    for a in seen.agreements
                ],
                since.get((row.pk, seen.cluster), as_of),
            )
    return store(RESEMBLANCES, wanted, existing)
