"""Ingest: what arrives, from whom, and what was not stored and why."""

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from dashboard import charts
from dashboard.answers import reader
from dashboard.charts import Series
from dashboard.query import address, choice, refuse_unknown, text, whole_number
from dashboard.reveal import RevealForm, readable_bytes
from dashboard.views.keys import state_of
from ingest import selectors as facts
from ingest.models import QuarantinedLine
from investigations import access
from investigations.actions.reveals import reveal_line

WINDOW = timedelta(hours=24)
# Rows of each list on the overview; the quarantine's own page has all its lines.
NEWEST = 10
LINES = 50


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.WATCH_INGEST)
    now = timezone.now()
    hours = facts.intake_by_hour(now)
    context = {
        "quarantine_url": reverse("ingest:quarantine"),
        "lost": sum(each.lost for each in hours),
        "lag": facts.ingest_lag(now),
        "day": facts.intake_by_source(since=now - WINDOW),
        "ever": facts.intake_by_source(),
        "codes": facts.rejects_by_code(since=now - WINDOW),
        "lines": facts.quarantine(limit=NEWEST),
        "batches": facts.recent_batches(limit=NEWEST),
        "keys": [(key, state_of(key)) for key in facts.keys_in_order()],
        "chart": {
            "columns": ["Hour (UTC)", "Received", "Not stored"],
            "rows": [
                [f"{each.hour:%a %H:%M}", f"{each.received:,}", f"{each.lost:,}"]
                for each in reversed(hours)
            ],
        },
    }
    return render(request, "ingest/overview.html", context)


@require_GET
def hours_chart(request: HttpRequest) -> JsonResponse:
    access.require(request.user, access.WATCH_INGEST)
    hours = facts.intake_by_hour(timezone.now())
    taken = Series("accepted", [each.received - each.lost for each in hours])
    lost = Series("not stored", [each.lost for each in hours])
    return JsonResponse(
        charts.events_per_hour([each.hour for each in hours], [taken, lost])
    )


@require_GET
def quarantine(request: HttpRequest) -> HttpResponse:
    """Every line that was not stored and not replayed since, newest first."""
    access.require(request.user, access.WATCH_INGEST)
    params = request.GET
    refuse_unknown(params, {"code", "fate", "before"})
    lines = list(
        facts.quarantine(
            code=text(params, "code", longest=48),
            fate=choice(params, "fate", QuarantinedLine.Fate.values),
            before=whole_number(params, "before"),
            limit=LINES + 1,
        )
    )
    more = len(lines) > LINES
    context = {
        "lines": lines[:LINES],
        "codes": facts.quarantine_codes(),
        "fates": QuarantinedLine.Fate.choices,
        "chosen": params,
        "filtered": params.get("code") or params.get("fate"),
        "older": more
        and address(request.path, params, before=str(lines[LINES - 1].pk)),
    }
    return render(request, "ingest/quarantine.html", context)


@require_http_methods(["GET", "POST"])
def line(request: HttpRequest, pk: int) -> HttpResponse:
    """One line: where it stood and why it was not stored. Posting a reason shows it."""
    access.require(request.user, access.WATCH_INGEST)
    kept = facts.quarantined_line(pk)
    if kept is None:
        raise Http404
    shown: dict[str, object] = {
        "line": kept,
        "may_reveal": access.can(request.user, access.REVEAL),
        "form": RevealForm(),
    }
    if request.method == "GET":
        return render(request, "ingest/line.html", shown)
    access.require(request.user, access.REVEAL)
    shown["form"] = form = RevealForm(request.POST)
    if not form.is_valid():
        return render(request, "ingest/line.html", shown, status=422)
    raw = reveal_line(line=kept, reason=form.cleaned_data["reason"], by=reader(request))
    return render(request, "ingest/line.html", shown | readable_bytes(raw))
