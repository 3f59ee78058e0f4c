"""Clusters as their own pages read them."""

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, Round

from investigations.detection.models import Cluster
from investigations.models import Case
from investigations.selectors.keyset import Cursor, Slice, slice_of

CLUSTER_ROWS = 50
# Each order as one whole number, so that a page can be cut at it exactly.
CLUSTER_SORTS = {
    "score": Cast(Round(F("score") * 100.0), BigIntegerField()),
    "size": Cast("size", BigIntegerField()),
    "exchanges": Coalesce(F("exposure__exchanges"), 0, output_field=BigIntegerField()),
}


def cluster_page(
    clusters: QuerySet[Cluster],
    *,
    sort: str = "score",
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Slice[Cluster]:
    """Clusters, each annotated `unfinished_case` (a case's key, or None)."""
    cases = Case.objects.filter(cluster=OuterRef("pk"), status__in=Case.UNFINISHED)
    ranked = clusters.select_related("exposure").annotate(
        rank=CLUSTER_SORTS[sort], unfinished_case=Subquery(cases.values("pk")[:1])
    )
    return slice_of(ranked, size=CLUSTER_ROWS, after=after, before=before)


def cluster_with(pk: int) -> Cluster | None:
    """The cluster and what left through it, in one query; None where there is none."""
    return Cluster.objects.select_related("exposure").filter(pk=pk).first()


def cases_of(cluster: Cluster) -> list[Case]:
    """Its cases, an unfinished one on top."""
    return sorted(
        Case.objects.filter(cluster=cluster).select_related("assignee"),
        key=lambda case: (not case.is_unfinished, -case.pk),
    )


def unopened_case(cluster: Cluster) -> Case:
    """A case about the cluster that nobody opened, so that what is read of a case can
    be read of any cluster. It is never stored."""
    return Case(cluster=cluster)
