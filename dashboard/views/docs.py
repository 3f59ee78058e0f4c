"""/api/docs/: the API to read and to try, from files of our own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from investigations import access


@require_safe
def api(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    return render(request, "api_docs.html")
