"""The doors for machines that send: telemetry in, and what became of a batch."""

import logging
import re
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from ingest import selectors
from ingest.doors import api_schema, bodies, refusals
from ingest.doors.errors import (
    Incomplete,
    IngestRefused,
    KeyInAddress,
    QuotaExceeded,
    SourceMismatch,
    TooSlow,
    Unavailable,
    UnknownKey,
    UnsupportedVersion,
    WrongMethod,
)
from ingest.doors.hints import bell
from ingest.drain import writers
from ingest.models import Batch, IngestKey
from ingest.senders import keys, quotas
from ingest.senders.whereabouts import client_address

PROBLEM: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
_TOKEN: Final = re.compile(r"sw_[0-9a-f]{6,16}_[0-9a-f]{32,128}")

log = logging.getLogger(__name__)


class _AnyAccept(BaseContentNegotiation):
    """A sender's Accept header is no reason to lose its events: it gets JSON."""

    def select_parser(self, request: Request, parsers: object) -> None:
        return None

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or ""


@method_decorator(login_not_required, name="dispatch")
class Door(APIView):
    """Keys are checked here and nowhere else: no session, no cookie, no form."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = _AnyAccept

    def handle_exception(  # type: ignore[override]  # any response will do
        self, exc: Exception
    ) -> HttpResponse:
        if isinstance(exc, IngestRefused):
            return self.refuse(exc)
        # InternalError: it has become read-only, or cannot read its own files.
        if isinstance(exc, OperationalError | InterfaceError | InternalError):
            log.warning("The database does not answer: %s", type(exc).__name__)
            return self.refuse(Unavailable())
        if isinstance(exc, MethodNotAllowed):
            return problem(WrongMethod(self.http_method_names[0].upper()))
        return super().handle_exception(exc)

    def refuse(self, refusal: IngestRefused) -> HttpResponse:
        request = self.request._request
        refusals.note(request, refusal)
        if isinstance(refusal, QuotaExceeded | Unavailable):
            # Hung up on while it sends, a client sees a broken pipe, and not when to
            # come again.
            bodies.drain(request)
        return problem(refusal)


class Telemetry(Door):
    http_method_names = ["post"]

    @extend_schema(**api_schema.TELEMETRY)
    def post(self, request: Request) -> HttpResponse:
        """Take records: what is good is kept, what is not is answered with a reason."""
        http = request._request  # as Django has it: nothing of the body is read yet
        key = sender(http)
        promise = bodies.idempotency_key(http)
        body = bodies.body_of(http)
        origin = writers.Origin(key.source, key, "http", promise)
        batch = writers.accept(body.pieces, origin, packed=body.packed)
        if batch.state == Batch.State.PENDING:
            bell.ring(batch.pk)
        return JsonResponse(batch.answer, status=202)


class BatchDetail(Door):
    http_method_names = ["get", "head"]

    @extend_schema(**api_schema.BATCH)
    def get(self, request: Request, batch_id: uuid.UUID) -> HttpResponse:
        """What became of a batch: its counts, and each line that was not stored."""
        key = _key(request._request, IngestKey.Scope.INGEST_WRITE)
        batch = selectors.batch_of(key.source, batch_id)
        if batch is None:
            raise Http404
        return JsonResponse(selectors.batch_report(batch))


def sender(request: HttpRequest) -> IngestKey:
    """The key that telemetry comes with, if it may send that much just now.

    Every way in asks here before it reads anything of the body.
    """
    key = _key(request, IngestKey.Scope.INGEST_WRITE)
    bodies.check_version(request)
    claimed = request.headers.get("X-Stillwatch-Source")
    if claimed is not None and claimed != key.source.name:
        raise SourceMismatch
    told = str(request.META.get("CONTENT_LENGTH") or "")
    announced = int(told) if told.isascii() and told.isdigit() else 0
    quotas.check(key, timezone.now(), size=announced)
    return key


def _key(request: HttpRequest, scope: str) -> IngestKey:
    if leaked := _TOKEN.search(request.META.get("QUERY_STRING", "")):
        if keys.revoke_leaked(leaked[0]):
            raise KeyInAddress
        raise UnknownKey
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer":
        raise UnknownKey
    address = client_address(request.META, settings.PROXY_COUNT)
    key = keys.authenticate(token.strip(), scope, address=address)
    refusals.let_in(request, key)
    return key


def problem(refusal: IngestRefused) -> HttpResponse:
    """problem+json (RFC 9457) with a code for machines and a hint for people."""
    document: dict[str, object] = {
        "type": f"urn:stillwatch:{refusal.code}",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.sentence,
        "instance": f"urn:uuid:{uuid.uuid4()}",
        "code": refusal.code,
        "hint": refusal.hint,
    }
    if refusal.where:
        document["where"] = refusal.where
    if isinstance(refusal, UnsupportedVersion):
        document["supported"] = refusal.supported
    response = JsonResponse(document, status=refusal.status, content_type=PROBLEM)
    if isinstance(refusal, WrongMethod):
        response["Allow"] = refusal.allowed
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="Stillwatch"'
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(refusal, TooSlow | Incomplete):
        # What is still to come of the body is no next request.
        response["Connection"] = "close"
    if isinstance(refusal, QuotaExceeded):
        response["Retry-After"] = str(refusal.retry_after)
    return response
