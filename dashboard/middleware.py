"""What happens around every request."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from dashboard import request_id
from dashboard.api import problems
from investigations.errors import DomainError

Next = Callable[[HttpRequest], HttpResponse]

# Longer addresses are no filters that a page has made.
MAX_QUERY = 8192
# What the browser must not offer to any page: Stillwatch needs none of it, but for
# passkeys, which belong to its own pages.
PERMISSIONS = (
    "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), "
    "geolocation=(), gyroscope=(), hid=(), microphone=(), midi=(), payment=(), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self), "
    "serial=(), usb=()"
)


class RequestIds:
    """Ties the answer, the log lines and the audit entries of one request together."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request_id.begin(request.headers.get("X-Request-ID"))
        response = self.get_response(request)
        response["X-Request-ID"] = name
        return response


class Headers:
    """On every response, errors and downloads too, what Django does not set itself."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        # Pages are private; files under /static/ say themselves how long they keep.
        response.setdefault("Cache-Control", "no-store")
        return response


class PlainRequests:
    """Refuses addresses that no page of ours makes and PostgreSQL cannot look up."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if len(query) > MAX_QUERY:
            return refusal(request, TooLongAddress())
        if "\0" in request.path or "%00" in query:
            return refusal(request, NulCharacter())
        return self.get_response(request)


class TooLongAddress(DomainError):
    code = "query_too_long"
    hint = "Narrow it, or ask in several requests."

    def __init__(self) -> None:
        super().__init__(f"The query is longer than {MAX_QUERY} characters.")


class NulCharacter(DomainError):
    code = "nul_character"

    def __init__(self) -> None:
        super().__init__("The address contains a NUL character. Take it out.")


class SessionLimits:
    """Ends a session some time after sign-in, and sooner when nobody uses it."""

    # Seconds between two notes of "still there", so that not every GET writes.
    STEP = 60

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and self.is_over(request):
            logout(request)
            messages.info(request, "You were signed out after a while without use.")
            if is_part(request):
                return HttpResponse(status=401)
            if not problems.wants_problem(request):
                return redirect_to_login(request.get_full_path())
        return self.get_response(request)

    def is_over(self, request: HttpRequest) -> bool:
        # The health page must answer while the database, and so the session, does not.
        if request.path == "/health/" or not request.user.is_authenticated:
            return False
        now, session = time.time(), request.session
        began, seen = session.get("began", now), session.get("seen", now)
        idle = now - seen > settings.SESSION_IDLE_SECONDS
        if idle or now - began > settings.SESSION_COOKIE_AGE:
            return True
        # A page that asks for its news by itself is not somebody using it.
        used = "X-Poll" not in request.headers and now - seen > self.STEP
        if "began" not in session or used:
            session["began"], session["seen"] = began, now
        return False


def is_part(request: HttpRequest) -> bool:
    """Whether a page asks for a part of itself: sent to sign in, it would show the
    sign-in page in that part's place, over what someone has typed."""
    return request.headers.get("HX-Request") == "true"


class LoginRequired(LoginRequiredMiddleware):
    """Django's own, which asks for the session even where nobody need sign in."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        if is_part(request) and not request.user.is_authenticated:
            return HttpResponse(status=401)
        return super().process_view(request, view_func, view_args, view_kwargs)


class DomainErrors:
    """Turns a refusal of the domain into a page, a fragment or problem+json."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            return wrong_method(request, response)
        return response

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if not isinstance(error, DomainError):
            return None
        return refusal(request, error)


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    if problems.wants_problem(request):
        return problems.domain_problem(error)
    return render(request, "refused.html", {"error": error}, status=error.status)


def wrong_method(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Django's own 405 has no body; a machine is told what to use instead."""
    if not problems.wants_problem(request):
        return answer
    allowed = answer["Allow"]
    detail, hint = f"{request.method} is not possible here.", f"Use {allowed}."
    response = problems.problem_response(
        405, code="method_not_allowed", detail=detail, hint=hint
    )
    response["Allow"] = allowed
    return response
