"""The audit log: who did what, when, to what, and why."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from dashboard.query import address, refuse_unknown, text, whole_number
from investigations import access
from investigations.selectors.audit import audit_page


@require_GET
@never_cache
def log(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.READ_AUDIT)
    refuse_unknown(request.GET, {"verb", "actor", "about", "before"})
    page = audit_page(
        verb=text(request.GET, "verb", longest=48),
        actor=text(request.GET, "actor", longest=150),
        about=text(request.GET, "about", longest=160),
        before=whole_number(request.GET, "before"),
    )
    older = address(request.path, request.GET, before=page.older) if page.older else ""
    return render(
        request, "audit/log.html", {"page": page, "chosen": request.GET, "older": older}
    )
