"""What a cluster came from and became, in sentences for its page and its cases' pages.

Each sentence is `lead`, the other cluster, `verb`, a date and `tail`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from investigations.detection import selectors
from investigations.detection.models import Cluster, ClusterLineage

Kind = ClusterLineage.Kind
# More than these are history that the API tells.
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Line:
    lead: str
    other: Cluster | None
    verb: str
    at: datetime
    tail: str


def lineage_context(cluster: Cluster | None) -> dict[str, Any]:
    """`lineage` (lines, the newest first) and `successors` of one that has ended."""
    if cluster is None:
        return {"lineage": [], "successors": []}
    told = selectors.cluster_lineage([cluster.pk])[:SHOWN]
    return {
        "lineage": [line(cluster, step) for step in told],
        "successors": selectors.successors(cluster),
    }


def line(cluster: Cluster, step: ClusterLineage) -> Line:
    told = origin if step.child_id == cluster.pk else descent
    other = step.parent if step.child_id == cluster.pk else step.child
    lead, verb, tail = told(step.kind, accounts(step.shared))
    return Line(lead, other, verb, step.at, tail)


def origin(kind: str, accounts: str) -> tuple[str, str, str]:
    """Of something that went into the cluster."""
    return {
        Kind.SPLIT.value: ("Split from", "", f", {accounts} came along."),
        Kind.MOVED.value: (f"{accounts.capitalize()} came over from", "", "."),
        Kind.MERGED.value: ("", "became part of it", f", with {accounts}."),
        Kind.RETURNED.value: ("Found again", "", f", with {accounts} of before."),
    }[kind]


def descent(kind: str, accounts: str) -> tuple[str, str, str]:
    """Of something that left it, or of its end."""
    return {
        Kind.SPLIT.value: ("", "split off", f", with {accounts}."),
        Kind.MOVED.value: (f"{accounts.capitalize()} went over to", "", "."),
        Kind.MERGED.value: ("Became part of", "", f", with {accounts}."),
        Kind.VANISHED.value: ("Not found any more", "", f"; it had {accounts}."),
    }[kind]


def accounts(count: int) -> str:
    return "1 account" if count == 1 else f"{count:,} accounts"
