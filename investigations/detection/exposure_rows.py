"""What left through clusters → tables. Only what changed is written."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from investigations.detection import exposure, features
from investigations.detection.features import Clock
from investigations.detection.models import Cluster, ClusterHour, Exposure
from investigations.detection.storing import Key, Table, columns, store

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
    ClusterHour,
    ("cluster_id", "hour"),
    ("requests", "output_tokens", "by_model", "by_intent"),
)


def homes(accounts: Collection[int], but: Sequence[Cluster]) -> list[Cluster]:
    """Live clusters that hold one of these accounts, but for some."""
    found = Cluster.objects.filter(live=True, memberships__account__in=accounts)
    return list(found.exclude(pk__in=[row.pk for row in but]).distinct())


def store_exposure(
    rows: Sequence[Cluster], clock: Clock, recent: datetime | None = None
) -> int:
    """Sums and hours of live clusters; a vanished one keeps its last ones. With
    `recent`, clusters that were there before keep their hours up to then."""
    members = [(account, row.pk) for row in rows for account in row.last_members]
    totals = features.totals(members, clock)
    wanted: dict[Key, Key] = {
        (row.pk,): tuple(
            getattr(totals.get(row.pk, exposure.NOTHING), name)
            for name in EXPOSURES.compared
        )
        for row in rows
    }
    existing = columns(EXPOSURES, cluster__in=[row.pk for row in rows])
    written = store(EXPOSURES, wanted, existing)
    if recent is None:
        return written + store_hours(members, clock, clock.since)
    before = {row.pk for row in rows if row.first_seen_at < clock.as_of}
    known = [each for each in members if each[1] in before]
    new = [each for each in members if each[1] not in before]
    written += store_hours(known, clock, max(recent, clock.since))
    return written + store_hours(new, clock, clock.since)


def store_hours(members: list[tuple[int, int]], clock: Clock, since: datetime) -> int:
    """Hours before `since` stay as they were last counted."""
    sums: dict[Key, list[Any]] = {}
    for part in features.hours(members, clock, since):
        cell = sums.setdefault((part.cluster, part.hour), [0, 0, {}, {}])
        cell[0] += part.requests
        cell[1] += part.output_tokens
        cell[2][part.model] = part.requests
        cell[3] = exposure.summed([cell[3], part.by_intent])
    live = {cluster for _, cluster in members}
    existing = columns(HOURS, cluster__in=live, hour__gte=since)
    return store(HOURS, {key: tuple(cell) for key, cell in sums.items()}, existing)
