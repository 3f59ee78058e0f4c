"""What only the demo has: a pretend platform that receives the decisions."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from dashboard import demo_platform
from dashboard.api.problems import problem_response
from dashboard.models import PlatformState, ReceivedWebhook
from ingest.models import Batch
from investigations import access
from investigations.models import Case

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def demo_only(view: View[P]) -> View[P]:
    """The address does not exist in a real installation."""

    @wraps(view)
    def guarded(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@login_not_required
@csrf_exempt  # a machine sends it; the signature takes the token's place
@require_POST
@demo_only
def effects(request: HttpRequest) -> HttpResponse:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: request.headers.get(name, "") for name in names}
    now = timezone.now()
    try:
        webhook_id = demo_platform.verify(headers, request.body, now)
        message = demo_platform.parse(request.body)
    except demo_platform.Refused as refused:
        return problem_response(
            refused.status, code="webhook_refused", detail=refused.sentence
        )
    if message is None:
        return JsonResponse({"applied": False, "times": 1})
    received = demo_platform.receive(webhook_id, message, now)
    return JsonResponse({"applied": received.applied, "times": received.times_received})


@login_not_required
@never_cache
@require_safe
@demo_only
def accounts(request: HttpRequest) -> HttpResponse:
    found: dict[str, list[str]] = {"banned": [], "restricted": []}
    states = PlatformState.objects.filter(status__in=found).order_by("account_id")
    for account_id, status in states.values_list("account_id", "status"):
        found[status].append(account_id)
    return JsonResponse(found)


@require_safe
@demo_only
def platform(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    states = PlatformState.objects.all()
    context = {
        "webhooks": ReceivedWebhook.objects.order_by("-received_at")[:200],
        "banned": states.filter(status="banned").count(),
        "restricted": states.filter(status="restricted").count(),
        "received": ReceivedWebhook.objects.count(),
    }
    return render(request, "demo/platform.html", context)


@login_not_required
@never_cache
@require_safe
@demo_only
def status(request: HttpRequest) -> HttpResponse:
    """How far the demo has come, for the launcher that waits for the first case."""
    first = Case.objects.order_by("pk").first()
    return JsonResponse(
        {
            "cases": Case.objects.count(),
            "first_case": reverse("cases:detail", args=[first.ref]) if first else None,
            "batches_pending": Batch.objects.filter(state=Batch.State.PENDING).count(),
        }
    )
