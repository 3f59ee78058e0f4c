"""/settings/retention/: how long things are kept, and what must stay all the same."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from dashboard import retention as shown
from dashboard.hold_forms import HoldForm, ReasonForm
from dashboard.views.people import who
from ingest.models import LegalHold, Source
from investigations import access
from investigations.actions import holds
from investigations.errors import BadHold, NotFound


@require_safe
def retention(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.WATCH_INGEST)
    return page(request, HoldForm())


@require_POST
def place_hold(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.HOLD)
    form = HoldForm(request.POST)
    if not form.is_valid():
        return page(request, form, status=422)
    told = form.cleaned_data
    try:
        hold = holds.place_hold(
            covered=told["covered"],
            reason=told["reason"],
            expires_at=told["expires_at"],
            by=who(request),
        )
    except BadHold as refusal:
        form.add_error(refusal.field, refusal.sentence)
    except NotFound as refusal:
        form.add_error("case_ref", refusal.sentence)
    else:
        messages.success(request, f"{hold} is in force; what it covers stays.")
        return redirect("settings:retention")
    return page(request, form, status=422)


@require_POST
def release_hold(request: HttpRequest, pk: int) -> HttpResponse:
    access.require(request.user, access.HOLD)
    hold = get_object_or_404(LegalHold, pk=pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, "Not released: " + " ".join(map(str, form.errors["reason"]))
        )
        return redirect("settings:retention")
    holds.release_hold(hold=hold, reason=form.cleaned_data["reason"], by=who(request))
    messages.success(request, f"{hold} is released; what it kept goes tonight.")
    return redirect("settings:retention")


def page(request: HttpRequest, form: HoldForm, *, status: int = 200) -> HttpResponse:
    context = {
        "kinds": shown.shown_kinds(),
        "holds": shown.shown_holds(),
        "may_hold": access.can(request.user, access.HOLD),
        "may_manage": access.can(request.user, access.MANAGE),
        "sources": Source.objects.order_by("name").values_list("name", flat=True),
        "form": form,
    }
    return render(request, "settings/retention.html", context, status=status)
