"""Shared values: whether they tie anybody, who shows them, and what that reads like."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from dashboard.answers import reader
from dashboard.filters import IndicatorFilters
from dashboard.indicators import indicator_context, row_of
from dashboard.query import PLACE, address, choice, cursor, narrowed
from dashboard.reveal import RevealForm
from ingest.models import Indicator
from investigations import access
from investigations.actions.reveals import reveal_indicator
from investigations.detection.models import IndicatorProfile
from investigations.selectors import indicators as reads

FILTERS = ("kind", "reading", "hub")


@require_GET
def indicators(request: HttpRequest) -> HttpResponse:
    """Hubs and other values of many customers, those that read most like a pool on
    top."""
    access.require(request.user, access.VIEW)
    path, params = request.path, request.GET
    wide = reads.looked_at()
    found = narrowed(
        wide if params.get("hub") else wide.filter(hub=True),
        IndicatorFilters,
        params,
        offered=FILTERS,
        beside=("sort", *PLACE),
    )
    sort = choice(params, "sort", reads.INDICATOR_SORTS) or "likeness"
    page = reads.indicator_page(
        found, sort=sort, after=cursor(params, "after"), before=cursor(params, "before")
    )
    context = {
        "rows": [row_of(profile) for profile in page.rows],
        "chosen": params,
        "filtered": any(params.get(name) for name in FILTERS),
        "kinds": Indicator.Kind.choices,
        "readings": IndicatorProfile.Reading.choices,
        "sort": sort,
        "sort_urls": {
            key: address(path, params, sort=key) for key in reads.INDICATOR_SORTS
        },
        "next_url": page.after and address(path, params, after=page.after),
        "previous_url": page.before and address(path, params, before=page.before),
    }
    return render(request, "indicators/list.html", context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    indicator = readable_indicator(request, pk)
    shown = indicator_context(request, indicator) | {"form": RevealForm()}
    return render(request, "indicators/detail.html", shown)


@require_POST
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """The value in clear, once: nothing remembers that it was shown."""
    access.require(request.user, access.REVEAL)
    indicator = readable_indicator(request, pk)
    form = RevealForm(request.POST)
    shown: dict[str, object] = {"indicator": indicator, "form": form}
    if not form.is_valid():
        return render(request, "indicators/reveal.html", shown, status=422)
    reveal_indicator(
        indicator=indicator, reason=form.cleaned_data["reason"], by=reader(request)
    )
    shown |= {"value": indicator.value, "wording": reads.wording_of(indicator)}
    return render(request, "indicators/reveal.html", shown)


def readable_indicator(request: HttpRequest, pk: int) -> Indicator:
    """The value with its profile; 404 where there is none."""
    access.require(request.user, access.VIEW)
    indicator = reads.indicator_with(pk)
    if indicator is None:
        raise Http404
    return indicator
