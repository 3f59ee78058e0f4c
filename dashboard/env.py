"""Typed readers of the environment: a wrong value stops the start with a sentence."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def text(name: str, default: str | None = None) -> str:
    """The variable as it is; without a default it must be set."""
    value = os.environ.get(name, default)
    if value is None or (value == "" and default is None):
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment.")
    return value


def flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither 1 nor 0. Use 1 or 0.")


def integer(name: str, default: int, *, at_least: int, at_most: int) -> int:
    value = os.environ.get(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if not at_least <= number <= at_most:
        raise ImproperlyConfigured(
            f"{name}={number} is out of range. Use {at_least} to {at_most}."
        )
    return number


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks dropped."""
    parts = os.environ.get(name, default).split(",")
    return [part.strip() for part in parts if part.strip()]


def file(name: str) -> Path | None:
    """A file or folder that need not be given; whether it is there is seen later."""
    value = os.environ.get(name)
    return Path(value).expanduser().resolve() if value else None


def folder(name: str, default: Path) -> Path:
    return Path(os.environ.get(name) or default).expanduser().resolve()


def secret(name: str, *, at_least: int = 32) -> str:
    value = text(name)
    if len(value) < at_least:
        raise ImproperlyConfigured(
            f"{name} has {len(value)} characters; use at least {at_least} random ones."
        )
    return value


def url(name: str, default: str, *, schemes: set[str]) -> str:
    value = os.environ.get(name) or default
    if urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(
            f"{name} must start with one of {', '.join(sorted(schemes))}:// "
            f"and does not."
        )
    return value


def host_of(address: str) -> str:
    """The host as the Host header names it: without port, IPv6 in brackets."""
    host = urlsplit(address).hostname or ""
    return f"[{host}]" if ":" in host else host


def database(name: str) -> dict[str, object]:
    """postgres://user:password@host:port/name as Django's dictionary.

    A socket folder goes into the query: postgres://user@/name?host=/run/postgresql.
    The value itself never appears in the error, since it holds a password.
    """
    parts = urlsplit(text(name))
    if parts.scheme not in {"postgres", "postgresql"} or len(parts.path) < 2:
        raise ImproperlyConfigured(
            f"{name} is not of the form postgres://user:password@host:port/database. "
            "Stillwatch needs PostgreSQL 15 or newer."
        )
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a port that is no number.") from None
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    # Senders hear within two seconds that the database is away (promises.md I5).
    query.setdefault("connect_timeout", "2")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.pop("host", "")) or parts.hostname or "",
        "PORT": str(port or ""),
        "OPTIONS": {key: unquote(value) for key, value in query.items()},
    }
