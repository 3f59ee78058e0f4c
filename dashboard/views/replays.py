"""Sending every line that matches once more: first what it would do, then doing it."""

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from dashboard import mending
from dashboard.answers import is_fragment, reader
from dashboard.mending_forms import FixForm, ReasonForm
from dashboard.query import BadQuery, address, refuse_unknown
from dashboard.views.kept_lines import FILTERS, matching_of
from ingest.mending import replay_runs
from ingest.mending.fixing import Fix
from ingest.mending.kept_lines import COUNTED, Matching
from ingest.models import Batch, ReplayRun
from investigations import access

CHANGES = ("kind", "name", "value")


@require_http_methods(["GET", "POST"])
def replay(request: HttpRequest) -> HttpResponse:
    """GET shows what a run would do as things are now; POST starts it."""
    access.require(request.user, access.MEND_INGEST)
    refuse_unknown(request.GET, {*FILTERS, *CHANGES, "before"})
    matching = chosen_lines(request)
    change = FixForm(request.GET)
    valid = change.is_valid()
    fix = change.cleaned_data.get("fix") if valid else None
    if request.method == "GET" or not valid:
        status = 200 if request.method == "GET" and valid else 422
        return page(request, matching, change, fix, status=status)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return page(request, matching, change, fix, status=422, form=form)
    run = mending.start_replay(
        matching=matching,
        fix=fix,
        reason=form.cleaned_data["reason"],
        by=reader(request),
    )
    return redirect("ingest:run", run.pk)


@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """None of the lines that match is worth mending."""
    access.require(request.user, access.MEND_INGEST)
    refuse_unknown(request.GET, FILTERS)
    matching = chosen_lines(request)
    form = ReasonForm(request.POST, auto_id="discard_%s")
    if not form.is_valid():
        change = FixForm({})
        return page(request, matching, change, None, status=422, discard_form=form)
    reason = form.cleaned_data["reason"]
    lines = mending.discard_lines(matching=matching, reason=reason, by=reader(request))
    messages.success(
        request, f"{lines:,} lines are discarded. They stay in the counts."
    )
    return redirect("ingest:quarantine")


def chosen_lines(request: HttpRequest) -> Matching:
    """Raises BadQuery where nothing is chosen: all lines are never meant."""
    matching = matching_of(request.GET)
    if not matching:
        raise BadQuery("Choose first which lines: by code, source, key, field or day.")
    return matching


def page(
    request: HttpRequest,
    matching: Matching,
    change: FixForm,
    fix: Fix | None,
    *,
    status: int,
    **forms: ReasonForm,
) -> HttpResponse:
    context = {
        "told": matching.as_json(),
        "change": change,
        "fix": fix,
        "form": ReasonForm(),
        "discard_form": ReasonForm(auto_id="discard_%s"),
        "discard_url": address(
            reverse("ingest:discard_all"), request.GET, kind="", name="", value=""
        ),
        "preview": replay_runs.preview(matching, fix),
        "counted": COUNTED,
        **forms,
    }
    return render(request, "ingest/replay.html", context, status=status)


@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a run is, asked for again every two seconds while it goes on."""
    access.require(request.user, access.WATCH_INGEST)
    order = get_object_or_404(ReplayRun, pk=pk)
    batches = Batch.objects.filter(pk__in=order.batch_ids)
    context = {
        "run": order,
        "fix": Fix(**order.fix) if order.fix else None,
        "done": order.replayed + order.still_bad,
        "fates": batches.aggregate(
            **{name: Sum(name, default=0) for name in ("stored", "duplicates")},
            lost=Sum("conflicts", default=0),
        ),
        "waiting": batches.exclude(state=Batch.State.STORED).count(),
    }
    name = "ingest/_run.html" if is_fragment(request) else "ingest/run.html"
    return render(request, name, context)
