"""Clusters: what the machine believes, whether or not anyone opened a case."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dashboard import findings
from dashboard import what_if as what_ifs
from dashboard.answers import reader
from dashboard.cases import figures
from dashboard.clusters import cluster_context, daily_chart
from dashboard.evidence import About, show_rows
from dashboard.filters import ClusterFilters
from dashboard.query import PLACE, address, choice, cursor, narrowed
from investigations import access
from investigations.actions.cases import open_case
from investigations.detection.models import Band, Cluster
from investigations.selectors import clusters as reads

FILTERS = ("verdict", "band", "min_score", "account_id")


@require_GET
def clusters(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    path, params = request.path, request.GET
    found = narrowed(
        findings.clusters(),
        ClusterFilters,
        params,
        offered=FILTERS,
        beside=("sort", *PLACE),
    )
    sort = choice(params, "sort", reads.CLUSTER_SORTS) or "score"
    page = reads.cluster_page(
        found, sort=sort, after=cursor(params, "after"), before=cursor(params, "before")
    )
    context = {
        "page": page,
        "chosen": params,
        "filtered": any(params.get(name) for name in FILTERS),
        "verdicts": Cluster.Verdict.choices,
        "bands": Band.choices,
        "sort": sort,
        "sort_urls": {
            key: address(path, params, sort=key) for key in reads.CLUSTER_SORTS
        },
        "next_url": page.after and address(path, params, after=page.after),
        "previous_url": page.before and address(path, params, before=page.before),
    }
    return render(request, "clusters/list.html", context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    cluster = readable_cluster(request, pk)
    return render(request, "clusters/detail.html", cluster_context(request, cluster))


@require_GET
def timeline(request: HttpRequest, pk: int) -> JsonResponse:
    return JsonResponse(daily_chart(readable_cluster(request, pk)))


@require_GET
def graph(request: HttpRequest, pk: int) -> JsonResponse:
    cluster = readable_cluster(request, pk)
    return JsonResponse(figures.map_of(reads.unopened_case(cluster)))


@require_GET
def evidence(request: HttpRequest, pk: int, signal: str) -> HttpResponse:
    """The rows behind one of the machine's reasons."""
    cluster = readable_cluster(request, pk)
    url, clusters = reverse("clusters:detail", args=[pk]), reverse("clusters:list")
    about = About(cluster.ref, url, "Clusters", clusters)
    return show_rows(request, cluster.reasons, signal, about)


@require_GET
def what_if(request: HttpRequest, pk: int) -> HttpResponse:
    """The cluster without some of what speaks against it."""
    cluster = readable_cluster(request, pk)
    ref, clusters = [cluster.ref], reverse("clusters:list")
    url, here = (
        reverse("clusters:detail", args=ref),
        reverse("clusters:what_if", args=ref),
    )
    about = what_ifs.About(cluster.ref, url, here, "Clusters", clusters)
    return what_ifs.show(request, cluster, about)


@require_POST
def open_by_hand(request: HttpRequest, pk: int) -> HttpResponse:
    """A case for a cluster that did not open one by itself."""
    access.require(request.user, access.WORK)
    case = open_case(cluster=readable_cluster(request, pk), by=reader(request))
    messages.success(request, f"{case.ref} is open.")
    return redirect("cases:detail", case.ref)


def readable_cluster(request: HttpRequest, pk: int) -> Cluster:
    """The cluster with its exposure; 404 where there is none."""
    access.require(request.user, access.VIEW)
    cluster = reads.cluster_with(pk)
    if cluster is None:
        raise Http404
    return cluster
