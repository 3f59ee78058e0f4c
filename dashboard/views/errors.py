"""Pages for what went wrong; machines get the same as problem+json."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from dashboard.api.problems import problem_response, wants_problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django refused the request itself: a wrong Host header, too many fields."""
    if wants_problem(request):
        detail = "The request could not be read."
        return problem_response(400, code="bad_request", detail=detail)
    return HttpResponse(render_to_string("400.html"), status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if wants_problem(request):
        detail = "This is not allowed."
        return problem_response(403, code="permission_denied", detail=detail)
    return render(request, "403.html", {"exception": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same words for what is not there and for what one may not see."""
    if wants_problem(request):
        detail = "There is nothing at this address."
        return problem_response(404, code="not_found", detail=detail)
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Our fault. Nothing is asked of the database, which may be what failed."""
    if wants_problem(request):
        detail = "Something failed here; the request id finds it in the log."
        return problem_response(500, code="internal_error", detail=detail)
    return HttpResponse(render_to_string("500.html"), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token was missing or old: say so, and keep what was typed."""
    if wants_problem(request):
        return problem_response(
            403, code="csrf_failed", detail="The CSRF token is missing or old."
        )
    hidden = {"csrfmiddlewaretoken", "password", "form_token"}
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if not any(part in name for part in hidden)
        for value in values
        if value
    ]
    return render(request, "403_csrf.html", {"typed": typed}, status=403)
