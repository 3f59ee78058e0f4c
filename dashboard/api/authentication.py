"""Machines that read: the same keys as ingest, with the `read` scope."""

from dataclasses import dataclass

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from ingest.doors.errors import AddressNotAllowed, UnknownKey, WrongScope
from ingest.models import IngestKey
from ingest.senders.keys import authenticate
from ingest.senders.whereabouts import client_address

SCOPE = IngestKey.Scope.READ.value


@dataclass(frozen=True)
class KeyHolder:
    """The machine that holds a key; it stands where a person's user stands."""

    key: IngestKey
    is_authenticated = True
    is_active = True


class ReadKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`. Without that header the session is asked."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, IngestKey] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, token = header.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise _not_known()
        address = client_address(request.META, settings.PROXY_COUNT)
        try:
            key = authenticate(token.strip(), SCOPE, address=address)
        except UnknownKey:
            raise _not_known() from None
        except (WrongScope, AddressNotAllowed) as refusal:
            raise PermissionDenied(refusal.sentence, code=refusal.code) from None
        return KeyHolder(key), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Stillwatch"'


def _not_known() -> AuthenticationFailed:
    """One text for absent, malformed, unknown, revoked and expired keys alike."""
    return AuthenticationFailed(UnknownKey().sentence, code=UnknownKey.code)
