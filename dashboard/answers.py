"""How a page answers: a part of it or the whole, and what after a change."""

import json

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from investigations.errors import DomainError


def reader(request: HttpRequest) -> User:
    """Who is looking; every page here asks people to sign in first."""
    assert isinstance(request.user, User)
    return request.user


def is_fragment(request: HttpRequest) -> bool:
    """Whether a part of a page is asked for, not a page."""
    return bool(getattr(request, "htmx", False))


def target_of(request: HttpRequest) -> str:
    """Id of the element that the answer goes into; empty for a whole page."""
    return getattr(request.htmx, "target", None) or "" if is_fragment(request) else ""  # type: ignore[attr-defined]


def changed(
    request: HttpRequest, sentence: str, back: str, **detail: object
) -> HttpResponse:
    """Done: the parts of the page that show it fetch themselves anew.

    They listen for `case-changed`; without scripts the browser goes `back`, where
    the sentence stands on top.
    """
    if not is_fragment(request):
        messages.success(request, sentence)
        return redirect(back)
    return tell(HttpResponse(status=204), sentence, **detail)


def refuse(request: HttpRequest, refused: DomainError) -> HttpResponse:
    """Not done, and nowhere in the page a form to say so in."""
    if not is_fragment(request):
        raise refused
    response = HttpResponse(status=refused.status)
    response["HX-Trigger"] = json.dumps({"case-refused": refused.sentence})
    return response


def tell(response: HttpResponse, sentence: str, **detail: object) -> HttpResponse:
    """Let the page hear with this answer that the case has changed."""
    event = {"case-changed": {"sentence": sentence, **detail}}
    response["HX-Trigger"] = json.dumps(event)
    return response
