"""/settings/keys/: which machines may send telemetry or read findings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboard import keys as machine_keys
from dashboard.forms import KeyForm
from dashboard.views.people import who
from ingest.models import IngestKey, Source
from investigations import access


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    return page(request, KeyForm())


@require_POST
def issue(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    form = KeyForm(request.POST)
    if not form.is_valid():
        return page(request, form, status=422)
    wanted = form.cleaned_data
    key, secret = machine_keys.issue(
        source=wanted["source"],
        name=wanted["name"],
        scopes=wanted["scopes"],
        expires_at=wanted["expires_at"],
        by=who(request),
    )
    return page(request, KeyForm(), issued=key, secret=secret)


@require_POST
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    key = get_object_or_404(IngestKey, prefix=prefix)
    machine_keys.revoke(key=key, by=who(request))
    messages.success(request, f"The key {key.name} is revoked; it opens nothing now.")
    return redirect("settings:keys")


def page(
    request: HttpRequest,
    form: KeyForm,
    *,
    issued: IngestKey | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    """The list and the form; a new key's secret is shown here once."""
    rows = IngestKey.objects.select_related("source").order_by("-created_at")
    context = {
        "keys": [(key, state_of(key)) for key in rows],
        "sources": Source.objects.order_by("name").values_list("name", flat=True),
        "form": form,
        "issued": issued,
        "secret": secret,
    }
    return render(request, "settings/keys.html", context, status=status)


def state_of(key: IngestKey) -> str:
    if key.revoked_at:
        return "revoked"
    if key.expires_at and key.expires_at <= timezone.now():
        return "expired"
    return "in force"
