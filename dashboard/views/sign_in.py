"""Coming in by a one-time link, and what to do when locked out."""

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import sign_in


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button and POST spends the link: mail scanners open every link."""
    if request.method == "POST":
        # Together, so that a sign-in that fails for our own reasons costs no link.
        with transaction.atomic():
            return sign_in.enter_by_link(request, sign_in.spend_link(token))
    link = sign_in.link_for(token)
    if link is None:
        raise sign_in.LinkSpent
    return render(request, "account/once.html", {"person": link.user})


@login_not_required
@require_safe
def ask_an_admin(request: HttpRequest) -> HttpResponse:
    return render(request, "account/ask_an_admin.html")
