"""Claims: what the machine believes. All of it can be thrown away and recomputed.

The two exceptions are small and named: `Cluster.id` is carried from run to run by
overlap so that people can talk about a cluster, and `first_flagged_at` is history.
`Label` is what people told the machine; it comes down as data, never as an import.
"""

from investigations.detection.models.bands import Band
from investigations.detection.models.clusters import (
    Cluster,
    ClusterLineage,
    ClusterResemblance,
    Fingerprint,
    Membership,
)
from investigations.detection.models.exposure import ClusterHour, Exposure
from investigations.detection.models.labels import Label
from investigations.detection.models.links import IndicatorProfile, Link
from investigations.detection.models.passes import ChangedAccounts, Remembered, Run
from investigations.detection.models.rules import RuleTrial, RuleVersion
from investigations.detection.models.scores import Score, Signal

__all__ = [
    "Band",
    "ChangedAccounts",
    "Cluster",
    "ClusterHour",
    "ClusterLineage",
    "ClusterResemblance",
    "Exposure",
    "Fingerprint",
    "IndicatorProfile",
    "Label",
    "Link",
    "Membership",
    "Remembered",
    "RuleTrial",
    "RuleVersion",
    "Run",
    "Score",
    "Signal",
]
