"""The first page: what there is to do, and what is leaving."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dashboard import charts
from dashboard.days import day_table, series
from ingest.selectors import facts_changed_at
from investigations import access
from investigations.selectors import overview as reads


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    now = timezone.now()
    losses = reads.losses(now)
    context = {
        "standing": reads.standing(now),
        "fresh_at": facts_changed_at(),
        "cases": reads.urgent_cases(),
        "clusters": reads.newest_clusters(),
        "decisions": reads.last_decisions(),
        "chart": day_table(losses.days, losses.verdicts),
    }
    return render(request, "overview/overview.html", context)


@require_GET
def losses_chart(request: HttpRequest) -> JsonResponse:
    access.require(request.user, access.VIEW)
    losses = reads.losses(timezone.now())
    return JsonResponse(charts.cluster_days(losses.days, series(losses.verdicts), []))
