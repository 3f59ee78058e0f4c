"""Ingest: what arrives, from whom, how fast, and what needs somebody."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dashboard import charts, checks, mending
from dashboard.answers import is_fragment, reader
from dashboard.charts import Series
from dashboard.query import address, choice, day, refuse_unknown, text
from dashboard.views.keys import state_of
from ingest import selectors as facts
from ingest import watching
from ingest.doors.errors import NothingToDo
from ingest.models import Batch, Source
from ingest.watching import NO_KEY, Watch
from investigations import access

# Rows of each list on the page; the lines that were not stored have a page of theirs.
NEWEST = 10
FILTERS = ("source", "key", "way_in", "day")
WAYS_IN = ("http", "otlp", "litellm", "file", "replay")
# Lag that a person should look into, in seconds: work is looked for every five.
BEHIND = 60
# Under load rollups are finished in portions, each some time after its sums.
BEHIND_WITH_ROLLUPS = 300


def watch_of(request: HttpRequest) -> Watch:
    params = request.GET
    refuse_unknown(params, FILTERS)
    return Watch(
        timezone.now(),
        source=text(params, "source", longest=128),
        key=text(params, "key", longest=16),
        way_in=choice(params, "way_in", WAYS_IN),
        day=day(params, "day"),
    )


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The page, and what of it asks for itself anew every five seconds."""
    access.require(request.user, access.WATCH_INGEST)
    watch = watch_of(request)
    context = now_context(request, watch)
    if is_fragment(request):
        return render(request, "ingest/_live.html", context)
    hours = watching.by_hour(watch)
    context |= {
        "chosen": request.GET,
        "filtered": any(request.GET.get(name) for name in FILTERS),
        "sources": Source.objects.order_by("name").values_list("name", flat=True),
        "ways_in": WAYS_IN,
        "no_key": NO_KEY,
        "keys": [(key, state_of(key)) for key in facts.keys_in_order()],
        "not_durable": checks.settings_off(),
        "any_came": any(each.received for _, each in hours),
        "hours_url": address(reverse("ingest:hours"), request.GET),
        "chart": {
            "columns": [
                "Hour (UTC)",
                "Received",
                "Stored",
                "Duplicates",
                "Not stored",
                "Waiting",
            ],
            "rows": [
                [
                    f"{hour:%a %H:%M}",
                    f"{each.received:,}",
                    f"{each.stored:,}",
                    f"{each.duplicates:,}",
                    f"{each.lost:,}",
                    f"{each.pending:,}",
                ]
                for hour, each in reversed(hours)
            ],
        },
    }
    return render(request, "ingest/overview.html", context)


def now_context(request: HttpRequest, watch: Watch) -> dict[str, object]:
    pulse = watching.pulse(watch)
    return {
        "here": request.get_full_path(),
        "quarantine_url": address(
            reverse("ingest:quarantine"),
            request.GET,
            way_in="",
        ),
        "conflicts_url": f"{reverse('ingest:quarantine')}?fate=conflict",
        "pulse": pulse,
        "behind": max(pulse.oldest_pending, pulse.oldest_unsummed) > BEHIND
        or pulse.oldest_rest > BEHIND_WITH_ROLLUPS,
        "by_source": watching.by_source(watch),
        "parked": watching.parked()[:NEWEST],
        "may_mend": access.can(request.user, access.MEND_INGEST),
        "rejects": watching.rejects(watch),
        "refused": watching.refused(watch),
        "unknown": watching.unknown_fields(watch),
        "clocks_ahead": watching.clocks_ahead(watch),
        "lines": facts.quarantine(limit=NEWEST),
        "batches": recent(watch),
        "day": watch.day,
    }


def recent(watch: Watch) -> list[Batch]:
    batches = watch.within() if watch.day else watch.batches()
    rows = batches.select_related("source", "key").defer("payload", "answer")
    return list(rows.order_by("-pk")[:NEWEST])


@require_GET
def hours_chart(request: HttpRequest) -> JsonResponse:
    access.require(request.user, access.WATCH_INGEST)
    hours = watching.by_hour(watch_of(request))
    fates = [each for _, each in hours]
    grey, red, yellow = "cat-8", "cat-6", "cat-2"
    series = [
        Series("stored", [each.stored for each in fates]),
        Series("duplicates", [each.duplicates for each in fates], grey),
        Series("not stored", [each.lost for each in fates], red),
        Series("waiting", [each.pending for each in fates], yellow),
    ]
    return JsonResponse(charts.events_per_hour([hour for hour, _ in hours], series))


@require_GET
def batch(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    """One batch: what it brought, what became of it, and why it is parked."""
    access.require(request.user, access.WATCH_INGEST)
    batches = Batch.objects.select_related("source", "key").defer("payload", "answer")
    found = batches.filter(batch_id=batch_id).first()
    if found is None:
        raise Http404
    parked = watching.parked().filter(pk=found.pk).first()
    context = {
        "batch": found,
        "parked": parked,
        "may_mend": access.can(request.user, access.MEND_INGEST),
        "lines_url": f"{reverse('ingest:quarantine')}?batch={found.batch_id}",
        "unknown": sorted(found.unknown_fields.items(), key=lambda each: -each[1]),
    }
    return render(request, "ingest/batch.html", context)


@require_POST
def try_again(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    access.require(request.user, access.MEND_INGEST)
    try:
        mending.try_batch_again(batch_id=batch_id, by=reader(request))
    except NothingToDo as error:
        messages.error(request, f"{error.sentence} {error.hint}".strip())
    else:
        messages.success(request, "The batch gets three new attempts.")
    return redirect("ingest:overview")
