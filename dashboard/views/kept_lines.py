"""Lines that were not stored: the list, one line, and what is done about it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard import mending
from dashboard.answers import reader
from dashboard.mending_forms import MendForm, ReasonForm
from dashboard.query import address, choice, day, refuse_unknown, text, whole_number
from dashboard.reveal import RevealForm, readable_bytes
from ingest import selectors as facts
from ingest.doors.errors import IngestRefused
from ingest.mending import kept_lines as kept
from ingest.models import IngestKey, QuarantinedLine, Source
from investigations import access
from investigations.actions.reveals import reveal_line
from investigations.errors import DomainError

LINES = 50
FILTERS = ("code", "fate", "source", "key", "field", "batch", "day")


def matching_of(params: QueryDict) -> kept.Matching:
    """The filters of the page; those of a run are the same."""
    return kept.Matching(
        code=text(params, "code", longest=48),
        fate=choice(params, "fate", QuarantinedLine.Fate.values),
        source=text(params, "source", longest=128),
        key=text(params, "key", longest=16),
        field=text(params, "field", longest=256),
        batch=batch_id_of(params),
        day=day(params, "day"),
    )


def batch_id_of(params: QueryDict) -> str:
    value = text(params, "batch", longest=36)
    if value and len(value.replace("-", "")) != 32:
        raise DomainError("batch takes the id of a batch.")
    return value


def filter_choices() -> dict[str, object]:
    """What the form over the list offers."""
    return {
        "codes": facts.quarantine_codes(),
        "fates": QuarantinedLine.Fate.choices,
        "sources": Source.objects.order_by("name").values_list("name", flat=True),
        "keys": IngestKey.objects.select_related("source").order_by("name", "pk"),
    }


@require_GET
def quarantine(request: HttpRequest) -> HttpResponse:
    """Every line that waits for somebody, newest first."""
    access.require(request.user, access.WATCH_INGEST)
    params = request.GET
    refuse_unknown(params, {*FILTERS, "before"})
    matching = matching_of(params)
    before = whole_number(params, "before")
    lines = list(facts.quarantine(matching=matching, before=before, limit=LINES + 1))
    total = matching.count()
    context = {
        **filter_choices(),
        "lines": lines[:LINES],
        "total": min(total, kept.COUNTED),
        "many": total > kept.COUNTED,
        "counts": [
            (code, field, count, address(request.path, params, code=code, field=field))
            for code, field, count in kept.counts(matching)
        ],
        "chosen": params,
        "filtered": bool(matching),
        "may_mend": access.can(request.user, access.MEND_INGEST),
        "replay_url": address(reverse("ingest:replay"), params),
        "older": len(lines) > LINES
        and address(request.path, params, before=str(lines[LINES - 1].pk)),
    }
    return render(request, "ingest/quarantine.html", context)


def readable_line(request: HttpRequest, pk: int) -> QuarantinedLine:
    access.require(request.user, access.WATCH_INGEST)
    line = facts.quarantined_line(pk)
    if line is None:
        raise Http404
    return line


@require_http_methods(["GET", "POST"])
def line(request: HttpRequest, pk: int) -> HttpResponse:
    """One line: where it stood and why it was not stored. Posting a reason shows it."""
    found = readable_line(request, pk)
    if request.method == "GET":
        return page(request, found, {})
    access.require(request.user, access.REVEAL)
    form = RevealForm(request.POST)
    if not form.is_valid():
        return page(request, found, {"form": form}, status=422)
    raw = reveal_line(
        line=found, reason=form.cleaned_data["reason"], by=reader(request)
    )
    shown = readable_bytes(raw)
    if not shown["raw_hidden"]:
        # What is not seen as a whole cannot be mended by hand.
        text = raw.decode(errors="replace")
        shown["mend_form"] = MendForm(initial={"text": text})
    return page(request, found, shown)


def page(
    request: HttpRequest,
    line: QuarantinedLine,
    more: dict[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, object] = {
        "line": line,
        "waits": line.replayed_at is None and line.discarded_at is None,
        "may_reveal": access.can(request.user, access.REVEAL),
        "may_mend": access.can(request.user, access.MEND_INGEST),
        "form": RevealForm(),
        "again_form": ReasonForm(auto_id="again_%s"),
        "discard_form": ReasonForm(auto_id="discard_%s"),
        "raw_text": None,
        **more,
    }
    return render(request, "ingest/line.html", context, status=status)


@require_POST
def mend(request: HttpRequest, pk: int) -> HttpResponse:
    """The corrected text takes the place of the line; what is typed is never lost."""
    found = readable_line(request, pk)
    access.require(request.user, access.MEND_INGEST)
    access.require(request.user, access.REVEAL)
    form = MendForm(request.POST)
    if not form.is_valid():
        return page(request, found, {"mend_form": form}, status=422)
    try:
        mending.mend_line(
            line=found,
            text=form.cleaned_data["text"],
            reason=form.cleaned_data["reason"],
            by=reader(request),
        )
    except IngestRefused as error:
        form.add_error("text", error.sentence)
        return page(request, found, {"mend_form": form}, status=422)
    messages.success(request, "The mended line is on its way to be stored.")
    return redirect("ingest:line", pk)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """The line as it is, once more: its clock may have been ahead."""
    found = readable_line(request, pk)
    access.require(request.user, access.MEND_INGEST)
    form = ReasonForm(request.POST, auto_id="again_%s")
    if not form.is_valid():
        return page(request, found, {"again_form": form}, status=422)
    try:
        mending.replay_line(
            line=found, reason=form.cleaned_data["reason"], by=reader(request)
        )
    except IngestRefused as error:
        form.add_error(None, f"It would still not be stored: {error.sentence}")
        return page(request, found, {"again_form": form}, status=422)
    messages.success(request, "The line is on its way to be stored.")
    return redirect("ingest:line", pk)


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    found = readable_line(request, pk)
    access.require(request.user, access.MEND_INGEST)
    form = ReasonForm(request.POST, auto_id="discard_%s")
    if not form.is_valid():
        return page(request, found, {"discard_form": form}, status=422)
    try:
        mending.discard_line(
            line=found, reason=form.cleaned_data["reason"], by=reader(request)
        )
    except IngestRefused as error:
        form.add_error(None, error.sentence)
        return page(request, found, {"discard_form": form}, status=422)
    messages.success(request, "The line is discarded. It stays in the counts.")
    return redirect("ingest:quarantine")
