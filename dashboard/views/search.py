"""One box for references and ids: C-12, CL-7, D-3, or an account's id."""

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from dashboard.query import refuse_unknown, text
from ingest.selectors import accounts_starting_with
from investigations import access
from investigations.detection.models import Cluster
from investigations.models import Case, Decision

_REF = re.compile(r"(C|CL|D)-([1-9][0-9]{0,17})", re.IGNORECASE | re.ASCII)
SHOWN = 50


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """A reference leads straight to its page; all else is how an account id begins.

    What is typed is taken literally: %, _ and \\ stand for themselves.
    """
    access.require(request.user, access.VIEW)
    refuse_unknown(request.GET, {"q"})
    wanted = text(request.GET, "q", longest=200)
    if target := page_of(wanted):
        return redirect(target)
    found = accounts_starting_with(wanted).select_related(
        "score", "membership__cluster"
    )
    accounts = list(found[: SHOWN + 1]) if wanted else []
    if len(accounts) == 1:
        return redirect("accounts:detail", accounts[0].external_id)
    context = {
        "wanted": wanted,
        "accounts": accounts[:SHOWN],
        "more": len(accounts) > SHOWN,
    }
    return render(request, "search/results.html", context)


def page_of(wanted: str) -> str:
    """The address of what a reference names; empty where it names nothing."""
    match = _REF.fullmatch(wanted)
    if not match:
        return ""
    kind, pk = match[1].upper(), int(match[2])
    if kind == "C" and Case.objects.filter(pk=pk).exists():
        return reverse("cases:detail", args=[pk])
    if kind == "CL" and Cluster.objects.filter(pk=pk).exists():
        return reverse("clusters:detail", args=[pk])
    decision = Decision.objects.filter(pk=pk).first() if kind == "D" else None
    return reverse("cases:detail", args=[decision.case_id]) if decision else ""
