"""One case to read: its page, and the parts of it that fetch themselves anew."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from dashboard import what_if as what_ifs
from dashboard.answers import target_of
from dashboard.cases import context, figures
from dashboard.cases.context import readable_case
from dashboard.cases.decision import decision_context
from dashboard.evidence import About, show_rows


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    case = readable_case(request, pk)
    if target_of(request) == "members":
        shown = context.members_context(request, case)
        response = render(request, "cases/_members.html", shown)
    else:
        shown = context.page_context(request, case) | decision_context(request, case)
        response = render(request, "cases/detail.html", shown)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@require_GET
def head(request: HttpRequest, pk: int) -> HttpResponse:
    """The head again, or nothing while it shows what is still so."""
    case = readable_case(request, pk)
    if request.GET.get("seen") == context.head_digest(request, case):
        return HttpResponse(status=204)
    return render(request, "cases/_head.html", context.head_context(request, case))


@require_GET
def history(request: HttpRequest, pk: int) -> HttpResponse:
    case = readable_case(request, pk)
    shown = context.history_context(request, case)
    return render(request, "cases/_history_lines.html", shown)


@require_GET
def timeline(request: HttpRequest, pk: int, step: str) -> JsonResponse:
    case = readable_case(request, pk)
    chart = {"days": figures.daily_chart, "hours": figures.hourly_chart}[step]
    return JsonResponse(chart(case))


@require_GET
def graph(request: HttpRequest, pk: int) -> JsonResponse:
    return JsonResponse(figures.map_of(readable_case(request, pk)))


@require_GET
def what_if(request: HttpRequest, pk: int) -> HttpResponse:
    """Its cluster without some of what speaks against it; 404 where it has none."""
    case = readable_case(request, pk)
    if case.cluster is None:
        raise Http404
    ref, queue = [case.ref], reverse("cases:queue")
    url, here = reverse("cases:detail", args=ref), reverse("cases:what_if", args=ref)
    about = what_ifs.About(case.ref, url, here, "Queue", queue)
    return what_ifs.show(request, case.cluster, about)


@require_GET
def evidence(request: HttpRequest, pk: int, signal: str) -> HttpResponse:
    """The rows behind one of the machine's reasons."""
    case = readable_case(request, pk)
    url, queue = reverse("cases:detail", args=[case.ref]), reverse("cases:queue")
    about = About(case.ref, f"{url}#evidence", "Queue", queue)
    return show_rows(request, context.reasons_of(case), signal, about)
