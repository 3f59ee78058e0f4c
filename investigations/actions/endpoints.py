"""Where decisions are delivered: the platform's webhook, its address and secret."""

import base64
import hashlib
import ipaddress
import secrets
import socket
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.encoding import force_bytes

from investigations import access
from investigations.actions import audit
from investigations.errors import BadEndpoint
from investigations.models import Endpoint

ROTATION = timedelta(hours=24)
SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix, not a secret
LABEL = b"stillwatch endpoint secret\0"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Destination:
    """An endpoint ready to be sent to: its URL and the secrets to sign with."""

    url: str
    host: str
    port: int
    secrets: tuple[bytes, ...]


@transaction.atomic
def set_endpoint(*, url: str, by: User, name: str) -> tuple[Endpoint, str]:
    """Make this the one active endpoint, with a new secret that is shown once.

    Raises BadEndpoint for an address that may not be used.
    """
    access.require(by, access.MANAGE)
    check_url(url)
    secret = _new_secret()
    Endpoint.objects.exclude(name=name).filter(active=True).update(active=False)
    endpoint, _ = Endpoint.objects.update_or_create(
        name=name,
        defaults={
            "url": url,
            "secret": _lock(secret),
            "previous_secret": None,
            "previous_until": None,
            "active": True,
        },
    )
    _record("endpoint.set", endpoint, by=by)
    return endpoint, secret


@transaction.atomic
def rotate_secret(*, endpoint: Endpoint, by: User) -> str:
    """A new secret, shown once; the old one signs beside it for a day."""
    access.require(by, access.MANAGE)
    endpoint = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    secret = _new_secret()
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_until = timezone.now() + ROTATION
    endpoint.secret = _lock(secret)
    endpoint.save()
    _record("endpoint.rotated", endpoint, by=by)
    return secret


@transaction.atomic
def stop_endpoint(*, endpoint: Endpoint, by: User) -> None:
    """Send nothing more to it; what is queued waits."""
    access.require(by, access.MANAGE)
    Endpoint.objects.filter(pk=endpoint.pk).update(active=False)
    _record("endpoint.stopped", endpoint, by=by)


def destination() -> Destination:
    """The active endpoint with its secrets, or BadEndpoint saying what is missing.

    Without a readable secret nothing is sent: an unsigned decision is worse than a
    late one.
    """
    endpoint = Endpoint.objects.filter(active=True).first()
    if endpoint is None:
        raise BadEndpoint("No endpoint is set; decisions wait until an admin sets one.")
    check_url(endpoint.url)
    try:
        opened = tuple(_unlock(kept) for kept in _kept_secrets(endpoint))
    except InvalidToken:
        raise BadEndpoint(
            "The signing secret cannot be read with the present secret key; decisions"
            " wait until an admin sets a new one."
        ) from None
    parts = urlsplit(endpoint.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Destination(endpoint.url, parts.hostname or "", port, opened)


def _kept_secrets(endpoint: Endpoint) -> list[bytes]:
    kept = [bytes(endpoint.secret)]
    until = endpoint.previous_until
    if endpoint.previous_secret and until and until > timezone.now():
        kept.append(bytes(endpoint.previous_secret))
    return kept


def obstacle() -> str:
    """Why nothing can be delivered now, in a sentence for people; empty when it can."""
    try:
        destination()
    except BadEndpoint as refusal:
        return refusal.sentence
    return ""


def check_url(url: str) -> None:
    """https, with a host, without a name and password in it; demo: http to loopback."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadEndpoint("That is no address of a web server.") from None
    if parts.username is not None or parts.password is not None:
        raise BadEndpoint("Leave the user name and password out of the address.")
    if not host:
        raise BadEndpoint("The address names no host.")
    literal = _as_address(host)
    if literal:
        check_address(literal, host)
    loopback = host == "localhost" or (literal is not None and literal.is_loopback)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and loopback and settings.DEMO
    ):
        raise BadEndpoint("The address must begin with https://.")


def check_address(address: Address, host: str) -> None:
    """Refuse what a forged name could reach inside: private, link-local, metadata.

    A host that the operator has listed as private by intent may be private; the demo
    may talk to its own machine.
    """
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback and settings.DEMO:
        return
    if host in settings.WEBHOOK_PRIVATE_HOSTS and address.is_private:
        return
    if not address.is_global or address.is_multicast:
        raise BadEndpoint(
            f"{host} lies at {address}, which is not a public address; decisions are"
            " not sent there."
        )


def resolve(host: str, port: int) -> str:
    """One address of the host, after all of them were checked.

    Whoever sends connects to exactly this address, so that a name that resolves
    differently a moment later changes nothing. Raises OSError when it does not
    resolve, BadEndpoint when any of its addresses is refused.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(row[4][0]).partition("%")[0] for row in found]
    for address in addresses:
        check_address(ipaddress.ip_address(address), host)
    return addresses[0]


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _lock(secret: str) -> bytes:
    return _box().encrypt(base64.b64decode(secret.removeprefix(SECRET_PREFIX)))


def _unlock(kept: bytes) -> bytes:
    return _box().decrypt(kept)


def _box() -> MultiFernet:
    """Encrypts with the secret key, and reads with the ones it has replaced too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str | bytes) -> bytes:
    # The key is already long and random (settings see to it), so a plain hash with
    # its own label is derivation enough.
    digest = hashlib.sha256(LABEL + force_bytes(key)).digest()
    return base64.urlsafe_b64encode(digest)


def _record(verb: str, endpoint: Endpoint, *, by: User) -> None:
    audit.record(
        verb,
        by=by,
        object_type="endpoint",
        object_ref=endpoint.name,
        url=endpoint.url,
    )
