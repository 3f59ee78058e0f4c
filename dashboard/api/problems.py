"""One shape for every refusal a machine gets: problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from dashboard.request_id import current_request_id
from investigations.errors import DomainError

MEDIA_TYPE = "application/problem+json"
Problem = dict[str, object]

# What the caller can do about it, where the sentence alone does not say.
HINTS = {
    401: "Send a key with the scope `read` as `Authorization: Bearer <key>`.",
    404: "Lists are at /api/v1/accounts/ and /api/v1/clusters/.",
    405: "The API only reads: use GET.",
    406: "Ask for application/json.",
}


def problem(
    status: int,
    *,
    code: str,
    detail: str,
    hint: str = "",
    errors: list[dict[str, str]] | None = None,
) -> Problem:
    """The members that RFC 9457 names, and ours: code, hint, errors."""
    document: Problem = {
        "type": f"urn:stillwatch:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:stillwatch:request:{current_request_id()}",
        "code": code,
        "hint": hint or HINTS.get(status, ""),
    }
    if errors:
        document["errors"] = errors
    return document


def problem_response(
    status: int,
    *,
    code: str,
    detail: str,
    hint: str = "",
    errors: list[dict[str, str]] | None = None,
) -> HttpResponse:
    document = problem(status, code=code, detail=detail, hint=hint, errors=errors)
    return JsonResponse(document, status=status, content_type=MEDIA_TYPE)


def domain_problem(error: DomainError) -> HttpResponse:
    return problem_response(
        error.status,
        code=error.code,
        detail=error.sentence,
        hint=error.hint,
        errors=getattr(error, "errors", None),
    )


def wants_problem(request: HttpRequest) -> bool:
    """Whether a machine asks, which gets a document where a person gets a page."""
    return request.path.startswith(
        ("/api/", "/v1/", "/health/", "/demo/platform/effects")
    )


def problem_handler(
    error: Exception, context: dict[str, object]
) -> HttpResponse | None:
    """DRF's exception handler. What it does not know rises and is a 500."""
    set_rollback()
    if isinstance(error, DomainError):
        return domain_problem(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    response = problem_response(
        error.status_code,
        code=_code(error),
        detail=_sentence(error),
        errors=_errors(error),
    )
    _set_headers(response, error)
    return response


def _set_headers(response: HttpResponse, error: exceptions.APIException) -> None:
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait) + 1)


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else "invalid"


def _sentence(error: exceptions.APIException) -> str:
    if isinstance(error.detail, str):
        return str(error.detail)
    return "Some values cannot be used; each is named under errors."


def _errors(error: exceptions.APIException) -> list[dict[str, str]] | None:
    if not isinstance(error.detail, dict):
        return None
    details = error.get_full_details()
    assert isinstance(details, dict)
    return [
        {"parameter": name, "code": item["code"], "message": str(item["message"])}
        for name, items in details.items()
        for item in cast("list[dict[str, str]]", items)
    ]
