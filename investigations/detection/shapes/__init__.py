"""What passes between the steps of detection. Frozen, and without Django.

Times are aware datetimes in UTC; days are counted from 1 January 1970; shares and
strengths lie between 0 and 1; evidence is in decibans (10 × log10 of a likelihood
ratio). Country, language and nationality have no field here, so no step can lean on
them.
"""

from investigations.detection.shapes.accounts import (
    AccountFeatures,
    Chosen,
    Habits,
    Move,
    Release,
    Wording,
)
from investigations.detection.shapes.clusters import (
    Aftermath,
    Agreement,
    ClusterFeatures,
    CommonValue,
    Norm,
    Programmes,
    ReleaseMoves,
    Resemblance,
)
from investigations.detection.shapes.columns import (
    NEVER,
    Bools,
    Columns,
    Everyone,
    Floats,
    Handoff,
    Ints,
    Sightings,
    Value,
)
from investigations.detection.shapes.evidence import Evidence, Family, Rows
from investigations.detection.shapes.links import (
    FoundCluster,
    Member,
    SharedBy,
    WeightedLink,
)
from investigations.detection.shapes.scored import (
    Amount,
    Reason,
    Scored,
    ScoredAccount,
    ScoredCluster,
)
from investigations.detection.shapes.views import AccountView, Place

__all__ = [
    "AccountFeatures",
    "AccountView",
    "Aftermath",
    "Agreement",
    "Amount",
    "Bools",
    "Chosen",
    "ClusterFeatures",
    "Columns",
    "CommonValue",
    "Everyone",
    "Evidence",
    "Family",
    "Floats",
    "FoundCluster",
    "Habits",
    "Handoff",
    "Ints",
    "Member",
    "Move",
    "NEVER",
    "Norm",
    "Place",
    "Programmes",
    "Reason",
    "Release",
    "ReleaseMoves",
    "Resemblance",
    "Rows",
    "Scored",
    "ScoredAccount",
    "ScoredCluster",
    "SharedBy",
    "Sightings",
    "Value",
    "WeightedLink",
    "Wording",
]
