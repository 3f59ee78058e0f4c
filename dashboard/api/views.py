"""What Stillwatch found, for other tools. Read only."""

from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard import findings
from dashboard.api import serializers
from dashboard.api.paging import KeysetPagination
from dashboard.filters import (
    AccountFilters,
    ClusterFilters,
    StrictFilters,
    cluster_pk,
)
from ingest.models import Account
from investigations.detection.models import Cluster

Row = TypeVar("Row", bound=Model)


class StrictBackend(DjangoFilterBackend):  # type: ignore[misc]  # no types
    """django-filter's door to the API; unknown names are refused, not ignored."""

    def get_filterset(
        self, request: Request, queryset: QuerySet[Row], view: "FoundList[Row]"
    ) -> StrictFilters:
        filters: StrictFilters = super().get_filterset(request, queryset, view)
        filters.refuse_bad()
        view.filters = filters
        return filters


class FoundList(GenericAPIView[Row], Generic[Row]):
    """One page of what a filter leaves, in the order asked for."""

    filterset_class: ClassVar[type[StrictFilters]]
    filter_backends = (StrictBackend,)
    pagination_class = KeysetPagination
    # Set by the backend; the paginator reads the order from it.
    filters: StrictFilters

    def one_page(self, queryset: QuerySet[Row]) -> list[Row]:
        page: list[Row] | None = self.paginate_queryset(self.filter_queryset(queryset))
        assert page is not None
        return page


class AccountList(FoundList[Account]):
    filterset_class = AccountFilters
    serializer_class = serializers.AccountSerializer

    def get_queryset(self) -> QuerySet[Account]:
        return findings.accounts()

    @extend_schema(operation_id="list_accounts", tags=["findings"])
    def get(self, request: Request) -> Response:
        """Accounts with score, band, cluster and the reasons behind the score."""
        page = self.one_page(self.get_queryset())
        return self.get_paginated_response(
            [findings.account_row(account) for account in page]
        )


class AccountDetail(GenericAPIView[Account]):
    serializer_class = serializers.AccountSerializer

    @extend_schema(operation_id="read_account", tags=["findings"])
    def get(self, request: Request, account_id: str) -> Response:
        """One account by the platform's own id."""
        account = findings.accounts().filter(external_id=account_id).first()
        if account is None:
            raise Http404
        return Response(findings.account_row(account))


class ClusterList(FoundList[Cluster]):
    filterset_class = ClusterFilters
    serializer_class = serializers.ClusterSerializer

    def get_queryset(self) -> QuerySet[Cluster]:
        return findings.clusters()

    @extend_schema(operation_id="list_clusters", tags=["findings"])
    def get(self, request: Request) -> Response:
        """Clusters of the newest run with members, exposure and link types."""
        return self.get_paginated_response(
            cluster_documents(self.one_page(self.get_queryset()))
        )


class ClusterDetail(GenericAPIView[Cluster]):
    serializer_class = serializers.ClusterSerializer

    @extend_schema(operation_id="read_cluster", tags=["findings"])
    def get(self, request: Request, cluster_id: str) -> Response:
        """One cluster, by CL-7 or 7; of one that ended, its last state and lineage."""
        return Response(cluster_documents([found_cluster(cluster_id)])[0])


class MemberList(FoundList[Account]):
    filterset_class = AccountFilters
    serializer_class = serializers.MemberSerializer

    def get_queryset(self) -> QuerySet[Account]:
        return findings.accounts()

    @extend_schema(operation_id="list_cluster_members", tags=["findings"])
    def get(self, request: Request, cluster_id: str) -> Response:
        """A cluster's accounts, with what ties each of them to others."""
        cluster = found_cluster(cluster_id)
        members = self.get_queryset().filter(membership__cluster=cluster)
        page = self.one_page(members)
        kinds = findings.shared_kinds([account.pk for account in page])
        return self.get_paginated_response(
            [member_document(account, kinds[account.pk]) for account in page]
        )


def found_cluster(ref: str) -> Cluster:
    pk = cluster_pk(ref)
    known = Cluster.objects.select_related("exposure")
    cluster = known.filter(pk=pk).first() if pk else None
    if cluster is None:
        raise Http404
    return cluster


def cluster_documents(clusters: list[Cluster]) -> list[dict[str, Any]]:
    rows = findings.cluster_rows(clusters)
    lineage = findings.lineage_rows(clusters)
    return [
        {
            **row,
            "live": cluster.live,
            "link_types": cluster.link_kinds,
            "reasons": findings.reason_rows(cluster.reasons),
            "lineage": lineage[cluster.pk],
        }
        for cluster, row in zip(clusters, rows, strict=True)
    ]


def member_document(account: Account, kinds: dict[str, int]) -> dict[str, Any]:
    return {
        **findings.account_row(account),
        "stability": account.membership.stability,
        "link_types": kinds,
    }
