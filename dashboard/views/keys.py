"""/settings/keys/: which machines may send telemetry or read findings."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from dashboard import keys as machine_keys
from dashboard.forms import BoundsForm, KeyForm, RotationForm, TakeBackForm
from dashboard.views.people import who
from ingest.doors.errors import KeyNotInForce
from ingest.drain import takeback
from ingest.models import IngestKey, Source
from ingest.selectors import keys_in_order
from ingest.senders import keys as ingest_keys
from ingest.senders import quotas
from investigations import access

IN_FORCE = "in force"


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
        bounds=wanted["bounds"],
        by=who(request),
    )
    return page(request, KeyForm(), issued=key, secret=secret)


@require_safe
def key(request: HttpRequest, prefix: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    return key_page(request, found(prefix))


@require_POST
def rotate(request: HttpRequest, prefix: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    old, form = found(prefix), RotationForm(request.POST)
    if not form.is_valid():
        return key_page(request, old, rotation=form, status=422)
    overlap = timedelta(hours=form.cleaned_data["hours"])
    try:
        successor, secret = machine_keys.rotate(
            key=old, overlap=overlap, by=who(request)
        )
    except KeyNotInForce as refusal:
        form.add_error(None, f"{refusal.sentence} {refusal.hint}")
        return key_page(request, old, rotation=form, status=refusal.status)
    return key_page(request, successor, secret=secret)


@require_POST
def change(request: HttpRequest, prefix: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    changed, form = found(prefix), BoundsForm(request.POST)
    if not form.is_valid():
        return key_page(request, changed, bounds=form, status=422)
    bounds = form.cleaned_data["bounds"]
    machine_keys.change(key=changed, bounds=bounds, by=who(request))
    messages.success(request, "Changed. It holds from the next request on.")
    return redirect("settings:key", prefix)


@require_POST
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    access.require(request.user, access.MANAGE)
    key = found(prefix)
    machine_keys.revoke(key=key, by=who(request))
    messages.success(request, f"The key {key.name} is revoked; it opens nothing now.")
    return redirect("settings:keys")


@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: HttpRequest, prefix: str) -> HttpResponse:
    """What a key sent, counted; and the order to take it out."""
    access.require(request.user, access.MANAGE)
    key = found(prefix)
    form = TakeBackForm(request.POST or None, prefix_of_key=key.prefix)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        machine_keys.take_back(key=key, reason=reason, by=who(request))
        return redirect("settings:key", prefix)
    context = {
        "key": key,
        "state": state_of(key),
        "preview": takeback.preview(machine_keys.sent_with(key)),
        "form": form,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "settings/take_back.html", context, status=status)


@require_safe
def progress(request: HttpRequest, prefix: str) -> HttpResponse:
    """How far the key's take-backs are; the page asks for it while one runs."""
    access.require(request.user, access.MANAGE)
    return render(request, "settings/_take_backs.html", _take_backs(found(prefix)))


def found(prefix: str) -> IngestKey:
    keys = IngestKey.objects.select_related("source", "replaces")
    return get_object_or_404(keys, prefix=prefix)


def page(
    request: HttpRequest,
    form: KeyForm,
    *,
    issued: IngestKey | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    """The list and the form; a new key's secret is shown here once."""
    context = {
        "keys": [(key, state_of(key)) for key in keys_in_order()],
        "sources": Source.objects.order_by("name").values_list("name", flat=True),
        "form": form,
        "issued": issued,
        "secret": secret,
    }
    return render(request, "settings/keys.html", context, status=status)


def key_page(
    request: HttpRequest,
    key: IngestKey,
    *,
    rotation: RotationForm | None = None,
    bounds: BoundsForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    """All about one key; a successor's secret is shown here once."""
    context = {
        "key": key,
        "state": state_of(key),
        "in_force": state_of(key) == IN_FORCE,
        "successors": key.successors.order_by("pk"),
        "blocks": key.blocks.order_by("-last_used_at"),
        "refusals": key.refusals.order_by("-refused_at")[:10],
        "quotas": _quotas(key),
        "rotation": rotation or RotationForm(),
        "bounds": bounds or BoundsForm(initial=_as_typed(key)),
        "secret": secret,
        **_take_backs(key),
    }
    return render(request, "settings/key.html", context, status=status)


def _as_typed(key: IngestKey) -> dict[str, Any]:
    limits = quotas.limits_of(key).as_fields()
    return {"networks": "\n".join(key.networks), **limits}


def _quotas(key: IngestKey) -> list[tuple[str, int, int]]:
    """(what, sent so far, limit or 0) of the minute and the day that run now."""
    used, limits = quotas.use_of(key, timezone.now()), quotas.in_force(key)
    return [
        ("Records this minute", used.minute_rows, limits["rows_per_minute"]),
        ("Records today", used.day_rows, limits["rows_per_day"]),
        ("Bytes this minute", used.minute_bytes, limits["bytes_per_minute"]),
        ("Bytes today", used.day_bytes, limits["bytes_per_day"]),
    ]


def _take_backs(key: IngestKey) -> dict[str, Any]:
    orders = list(key.take_backs.order_by("-pk"))
    stuck = [each.attempts >= takeback.MAX_ATTEMPTS for each in orders]
    running = any(
        not each.finished_at and not is_stuck
        for each, is_stuck in zip(orders, stuck, strict=True)
    )
    return {
        "key": key,
        "take_backs": list(zip(orders, stuck, strict=True)),
        "running": running,
    }


def state_of(key: IngestKey) -> str:
    if key.revoked_at:
        return "revoked"
    if not ingest_keys.is_in_force(key, timezone.now()):
        return "expired"
    return IN_FORCE
