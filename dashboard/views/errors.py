"""Pages for what went wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token was missing or old: say so, and keep what was typed."""
    return render(request, "403_csrf.html", {"typed": request.POST}, status=403)
