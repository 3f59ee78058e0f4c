"""Accounts and clusters in the shape of the contract's "What comes back out".

The API and the export files both take their rows from here, so they cannot differ.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from ingest.models import Account
from investigations.detection.models import Band, Cluster, Link, Membership
from investigations.detection.selectors import cluster_lineage


class ReasonRow(TypedDict):
    signal: str
    points: float
    value: float | None
    baseline: float | None
    sentence: str


class AccountRow(TypedDict):
    account_id: str
    score: float
    band: str
    cluster_id: str | None
    cluster_score: float | None
    status: str
    first_flagged_at: datetime | None
    reasons: list[ReasonRow]


class ExposureRow(TypedDict):
    exchanges: int
    input_tokens: int
    output_tokens: int


class ClusterRow(TypedDict):
    cluster_id: str
    score: float
    band: str
    verdict: str
    size: int
    members: list[str]
    proposed_ban: list[str]
    exposure: ExposureRow
    first_flagged_at: datetime | None


class LineageRow(TypedDict):
    at: datetime
    kind: str
    came_from: str | None
    went_to: str | None
    shared: int


def accounts() -> QuerySet[Account]:
    """Every account with what its row needs, in one query.

    Annotated `shown_score`: an account that was never scored stands at 0.
    """
    related = Account.objects.select_related("score", "membership__cluster")
    return related.annotate(shown_score=Coalesce("score__score", 0.0))


def clusters() -> QuerySet[Cluster]:
    """The clusters of the newest run."""
    return Cluster.objects.filter(live=True).select_related("exposure")


def account_row(account: Account) -> AccountRow:
    score = getattr(account, "score", None)
    membership: Membership | None = getattr(account, "membership", None)
    cluster = membership.cluster if membership and membership.cluster.live else None
    return {
        "account_id": account.external_id,
        "score": score.score if score else 0.0,
        "band": score.band if score else Band.NONE.value,
        "cluster_id": cluster.ref if cluster else None,
        "cluster_score": cluster.score if cluster else None,
        "status": account.status,
        # Detection counts the cluster's score too when it notes this.
        "first_flagged_at": score.first_flagged_at if score else None,
        "reasons": reason_rows(score.reasons if score else []),
    }


def reason_rows(reasons: Iterable[dict[str, Any]]) -> list[ReasonRow]:
    return [
        {
            "signal": reason["signal"],
            "points": reason["points"],
            "value": reason.get("value"),
            "baseline": reason.get("baseline"),
            "sentence": reason["sentence"],
        }
        for reason in reasons
    ]


def cluster_rows(found: Sequence[Cluster]) -> list[ClusterRow]:
    """Rows of some clusters; two more queries, however many there are."""
    members = _members([cluster.pk for cluster in found])
    proposed = {pk for cluster in found for pk in cluster.proposed_ban}
    names = dict(
        Account.objects.filter(pk__in=proposed).values_list("pk", "external_id")
    )
    return [_cluster_row(cluster, members[cluster.pk], names) for cluster in found]


def _members(cluster_ids: list[int]) -> dict[int, list[str]]:
    pairs = Membership.objects.filter(cluster__in=cluster_ids).values_list(
        "cluster_id", "account__external_id"
    )
    members: dict[int, list[str]] = defaultdict(list)
    for cluster_id, account_id in pairs.order_by("account__external_id"):
        members[cluster_id].append(account_id)
    return members


def _cluster_row(
    cluster: Cluster, members: list[str], names: dict[int, str]
) -> ClusterRow:
    exposure = getattr(cluster, "exposure", None)
    return {
        "cluster_id": cluster.ref,
        "score": cluster.score,
        "band": cluster.band,
        "verdict": cluster.verdict,
        "size": cluster.size,
        "members": members,
        "proposed_ban": sorted(names[pk] for pk in cluster.proposed_ban if pk in names),
        "exposure": {
            "exchanges": exposure.exchanges if exposure else 0,
            "input_tokens": exposure.input_tokens if exposure else 0,
            "output_tokens": exposure.output_tokens if exposure else 0,
        },
        "first_flagged_at": cluster.first_flagged_at,
    }


def lineage_rows(found: Sequence[Cluster]) -> dict[int, list[LineageRow]]:
    """What some clusters came from and became, the newest first; one query."""
    rows: dict[int, list[LineageRow]] = {cluster.pk: [] for cluster in found}
    for step in cluster_lineage(rows):
        row: LineageRow = {
            "at": step.at,
            "kind": step.kind,
            "came_from": step.parent.ref if step.parent else None,
            "went_to": step.child.ref if step.child else None,
            "shared": step.shared,
        }
        for pk in (step.parent_id, step.child_id):
            if pk in rows:
                rows[pk].append(row)
    return rows


def shared_kinds(account_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """For each account: kind of shared indicator → others that share it with them."""
    wanted = set(account_ids)
    tied = Q(account_a__in=wanted) | Q(account_b__in=wanted)
    counts: dict[int, dict[str, int]] = {pk: defaultdict(int) for pk in wanted}
    links = Link.objects.filter(tied).values_list("account_a", "account_b", "evidence")
    for one, other, evidence in links.iterator(chunk_size=2000):
        for kind in {item["kind"] for item in evidence}:
            for pk in (one, other):
                if pk in wanted:
                    counts[pk][kind] += 1
    return counts
