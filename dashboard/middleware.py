"""What happens around every request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from investigations.errors import DomainError


class DomainErrors:
    """Turns a refusal of the domain into a page, a fragment or problem+json."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if not isinstance(error, DomainError):
            return None
        if request.path.startswith("/api/"):
            problem = {
                "type": f"urn:stillwatch:{error.code}",
                "title": error.code.replace("_", " ").capitalize(),
                "status": error.status,
                "detail": error.sentence,
                "code": error.code,
                "hint": error.hint,
            }
            return JsonResponse(
                problem, status=error.status, content_type="application/problem+json"
            )
        return render(request, "refused.html", {"error": error}, status=error.status)
