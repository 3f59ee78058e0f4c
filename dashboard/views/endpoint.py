"""/settings/endpoint/: where decisions are delivered, and whether they arrive."""

from django.contrib import messages
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from dashboard.forms import EndpointForm
from dashboard.views.people import who
from investigations import access, delivery
from investigations.actions import endpoints
from investigations.errors import BadEndpoint
from investigations.models import Effect, Endpoint


@require_safe
def endpoint(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    return page(request, EndpointForm())


@require_POST
def set_address(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return page(request, form, status=422)
    try:
        _, secret = endpoints.set_endpoint(**form.cleaned_data, by=who(request))
    except BadEndpoint as refusal:
        form.add_error("url", refusal.sentence)
        return page(request, form, status=422)
    return page(request, EndpointForm(), secret=secret)


@require_POST
def rotate(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    secret = endpoints.rotate_secret(endpoint=active(), by=who(request))
    return page(request, EndpointForm(), secret=secret)


@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    endpoints.stop_endpoint(endpoint=active(), by=who(request))
    messages.success(
        request, "Stopped. What is decided waits until you set an address."
    )
    return redirect("settings:endpoint")


@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """Send a signed message that asks for nothing, and say how it was answered."""
    access.require(request.user, access.MANAGE)
    answer = delivery.send_test(by=who(request))
    if answer.fate == Effect.State.DELIVERED:
        messages.success(request, "The platform accepted the signed test message.")
    else:
        messages.error(request, f"The test message was not accepted: {answer.sentence}")
    return redirect("settings:endpoint")


def active() -> Endpoint:
    return get_object_or_404(Endpoint, active=True)


def page(
    request: HttpRequest, form: EndpointForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    """What is set and what waits; a new secret is shown here once."""
    waiting = Effect.objects.filter(state=Effect.State.PENDING)
    context = {
        "endpoint": Endpoint.objects.filter(active=True).first(),
        "obstacle": endpoints.obstacle(),
        "waiting": waiting.aggregate(count=Count("pk"), oldest=Min("queued_at")),
        "parked": Effect.objects.filter(state=Effect.State.PARKED).count(),
        "form": form,
        "secret": secret,
    }
    return render(request, "settings/endpoint.html", context, status=status)
