"""How people come in: password, second factor and passkey by allauth; one-time links.

A one-time link stands in for a password where there cannot be one yet: for the people
of the demo, for the first admin, and for a person whom an admin has invited.
"""

import hashlib
import logging
import secrets
import time
from datetime import timedelta

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from dashboard.models import SignInLink
from investigations.actions import audit
from investigations.errors import DomainError

log = logging.getLogger(__name__)


class LinkSpent(DomainError):
    status = 410
    code = "link_spent"
    hint = "Ask an admin for a new link, or sign in with your password or passkey."

    def __init__(self) -> None:
        super().__init__("This link was used already, is too old, or was replaced.")


def digest(token: str) -> bytes:
    """A plain fast hash is enough: the token has 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


@transaction.atomic
def make_link(user: User, *, hours: float) -> str:
    """The path of a new link that signs the user in once; it voids older ones."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.filter(user=user, used_at=None).delete()
    SignInLink.objects.create(
        user=user,
        token_sha256=digest(token),
        expires_at=timezone.now() + timedelta(hours=hours),
    )
    return reverse("sign_in_once", args=[token])


def link_for(token: str) -> SignInLink | None:
    """The link if it can still be used."""
    usable = SignInLink.objects.filter(
        token_sha256=digest(token),
        used_at=None,
        expires_at__gt=timezone.now(),
        user__is_active=True,
    )
    return usable.select_related("user").first()


def spend_link(token: str) -> User:
    """Use the link up. Of several at once one wins: the UPDATE decides."""
    link = link_for(token)
    if link is None:
        raise LinkSpent
    now = timezone.now()
    if not SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now):
        raise LinkSpent
    return link.user


def enter_by_link(request: HttpRequest, user: User) -> HttpResponse:
    """Sign the user in. A second factor, once set up, is still asked for."""
    record_authentication(request, user, method="link")
    needs_password = not (settings.DEMO or user.has_usable_password())
    after = reverse("account_set_password") if needs_password else None
    return perform_login(request, user, redirect_url=after)  # type: ignore[no-any-return]


class StaffSignIn(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Staff are added by an admin; nobody signs up. Comings and goings are audited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        # middleware.SessionLimits counts from here.
        request.session["began"] = request.session["seen"] = time.time()
        records = request.session.get("account_authentication_methods", [])
        audit.record(
            "person.signed_in",
            by=user,
            object_type="person",
            object_ref=user.get_username(),
            methods=[record["method"] for record in records],
        )

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            audit.record(
                "person.signed_out",
                by=request.user,
                object_type="person",
                object_ref=request.user.get_username(),
            )
        super().logout(request)

    def authentication_failed(
        self, request: HttpRequest, **credentials: object
    ) -> None:
        # Not audited: whoever knocks could otherwise grow the audit at will.
        log.warning("Refused a sign-in from %s", self.get_client_ip(request))
