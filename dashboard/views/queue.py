"""The queue: the work there is, dearest first."""

from hashlib import sha256

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from dashboard.answers import changed, is_fragment, refuse
from dashboard.cases.filters import queue_filter, same
from dashboard.cases.forms import WORKERS
from dashboard.query import address
from investigations import access, selectors
from investigations.actions.cases import assign_case
from investigations.detection.models import Band, Cluster
from investigations.errors import DomainError
from investigations.models import Case
from investigations.selectors import QueueFilter, QueuePage
from investigations.transitions import may_move

TABS = {
    "open": "All open",
    "mine": "Mine",
    "unassigned": "Unassigned",
    "awaiting": "Awaiting approval",
    "done": "Done",
}
LOSS = "Exchanges a day × the chance that it is abuse"
COLUMNS: list[dict[str, object]] = [
    {"label": "Case", "wide": True},
    {"label": "Verdict"},
    {"key": "score", "label": "Score"},
    {"key": "size", "label": "Accounts", "number": True},
    {"key": "loss", "label": "Lost a day", "number": True, "title": LOSS},
    {"key": "exchanges", "label": "Exchanges", "number": True, "fold": 2},
    {"key": "tokens", "label": "Output tokens", "number": True, "fold": 1},
    {"label": "Assignee"},
    {"label": "Status"},
]
EMPTY = {
    "open": ("No open cases", "A case opens by itself once a cluster scores 70."),
    "mine": ("Nothing is assigned to you", "Take one of the unassigned cases."),
    "unassigned": ("Every open case has someone", "New ones appear here."),
    "awaiting": ("Nothing waits for a second person", ""),
    "done": ("Nothing has been decided yet", ""),
}
EMPTY_FILTERED = ("No case matches these filters", "Loosen one, or clear them.")


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    wanted = queue_filter(request.GET)
    page = selectors.queue_page(wanted, reader=_reader(request))
    seen = digest(page)
    if is_fragment(request) and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    template = "cases/_queue_rows.html" if is_fragment(request) else "cases/queue.html"
    response = render(request, template, _shown(request, wanted, page) | {"seen": seen})
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Assign the ticked cases to whoever asks: all of them, or none."""
    access.require(request.user, access.WORK)
    me = _reader(request)
    refs = request.POST.getlist("case")[: selectors.QUEUE_ROWS]
    try:
        with transaction.atomic():
            taken = [
                assign_case(case=access.case_for_change(me, ref), to=me, by=me)
                for ref in refs
            ]
    except DomainError as refused:
        return refuse(request, refused)
    if len(taken) == 1:
        case = taken[0]
        words, version = f"{case.ref} is assigned to you.", case.version
    else:
        words, version = f"{len(taken)} cases are assigned to you.", None
    return changed(request, words, back="cases:queue", version=version)


def digest(page: QueuePage) -> str:
    """Changes with anything the rows show, so that a calm queue is not redrawn."""
    shown = [
        (
            case.pk,
            case.version,
            case.assignee_id,
            getattr(case, "loss_per_day", None),
            case.cluster and (case.cluster.score, case.cluster.size),
        )
        for case in page.cases
    ]
    return sha256(repr((shown, page.total, page.counts)).encode()).hexdigest()[:16]


def _shown(
    request: HttpRequest, wanted: QueueFilter, page: QueuePage
) -> dict[str, object]:
    path, params = request.path, request.GET
    filtered = bool(wanted.verdict or wanted.band or wanted.assignee)
    return {
        "page": page,
        "rows": [_row(case) for case in page.cases],
        "wanted": wanted,
        "tabs": _tabs(request, page),
        "columns": _columns(request, wanted),
        "next_url": page.after and address(path, params, after=page.after),
        "previous_url": page.before and address(path, params, before=page.before),
        "here": same(path, params),
        "clear_url": address(path, params, verdict="", band="", assignee=""),
        "filtered": filtered,
        "empty": EMPTY_FILTERED if filtered else EMPTY[wanted.tab],
        "verdicts": Cluster.Verdict.choices,
        "bands": Band.choices,
        "staff": selectors.staff_in_roles(WORKERS),
        "may_work": access.can(request.user, access.WORK),
        "queue_url": reverse("cases:queue"),
    }


def _row(case: Case) -> dict[str, object]:
    size = case.cluster.size if case.cluster else 0
    return {
        "case": case,
        "loss": round(getattr(case, "loss_per_day", 0.0)),
        "grown": max(size - case.opened_on.get("size", size), 0),
        "may_escalate": may_move(case, Case.Status.ESCALATED),
    }


def _tabs(request: HttpRequest, page: QueuePage) -> list[dict[str, object]]:
    # Each tab has its own usual order, so the order is not carried over.
    return [
        {
            "key": key,
            "label": label,
            "count": page.counts[key],
            "url": address(request.path, request.GET, tab=key, sort=""),
        }
        for key, label in TABS.items()
    ]


def _columns(request: HttpRequest, wanted: QueueFilter) -> list[dict[str, object]]:
    when = (
        {"key": "changed", "label": "Changed", "number": True}
        if wanted.tab == "done"
        else {"key": "opened", "label": "Age", "number": True}
    )
    return [
        column
        | {
            "url": column.get("key")
            and address(request.path, request.GET, sort=column["key"]),
            "sorted": column.get("key") == wanted.sort,
        }
        for column in [*COLUMNS, when]
    ]


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
