"""What must hold before Stillwatch serves anyone.

A 2xx promises that what was accepted survives the death of any process. That promise
is PostgreSQL's to keep, so a PostgreSQL that was told not to keep it is refused.
"""

import logging
import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from ingest.places import address_tables, network_classes

OLDEST_POSTGRESQL = 15
# `off` may lose what was committed (or, for full_page_writes, tear it) in a crash.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")

log = logging.getLogger(__name__)


@checks.register(checks.Tags.database)
def sound_database(
    app_configs: object, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Run by `check --database default`, by `migrate`, and when the web starts."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        [version] = cursor.fetchone()
    return [*old_version(version), *not_durable(settings_off())]


def settings_off() -> list[str]:
    """Those of DURABLE that are off; on a sound database none."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name "
            "WHERE current_setting(name) = 'off'",
            [list(DURABLE)],
        )
        return [name for (name,) in cursor.fetchall()]


def old_version(version: int) -> list[checks.CheckMessage]:
    if version >= OLDEST_POSTGRESQL:
        return []
    return [
        checks.Error(
            f"PostgreSQL {version} is too old.",
            hint=f"Use PostgreSQL {OLDEST_POSTGRESQL} or newer.",
            id="stillwatch.E001",
        )
    ]


def not_durable(off: list[str]) -> list[checks.CheckMessage]:
    if not off:
        return []
    names = ", ".join(sorted(off))
    if os.environ.get("STILLWATCH_TEST_DATABASE") == "1":
        return [
            checks.Warning(
                f"This is a throwaway database: {names} is off.",
                hint="Never set STILLWATCH_TEST_DATABASE where data matters.",
                id="stillwatch.W001",
            )
        ]
    return [
        checks.Error(
            f"PostgreSQL may lose what it has confirmed: {names} is off.",
            hint="Turn it on in postgresql.conf and reload the server.",
            id="stillwatch.E002",
        )
    ]


@checks.register
def usable_tables(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    """A table of addresses that cannot be used is said aloud, and stops nothing."""
    found: list[checks.CheckMessage] = []
    for setting in ("GEO_TABLE", "ASN_TABLE"):
        path = getattr(settings, setting)
        try:
            if path is not None:
                address_tables.probe(path)
        except address_tables.BadTable as error:
            found.append(
                checks.Warning(
                    f"STILLWATCH_{setting}: {error}",
                    hint="Events are stored without what it would tell. Put the file "
                    "right; it is read anew within a minute.",
                    id="stillwatch.W004",
                )
            )
    return found


@checks.register
def usable_lists(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    """A list of networks with a wrong line would leave pages without an answer."""
    if settings.LISTS is None:
        return []
    try:
        network_classes.read_all()
    except (network_classes.BadList, OSError, UnicodeError) as error:
        return [
            checks.Error(
                f"STILLWATCH_LISTS: {error}",
                hint="Correct the list, or leave it out to use the one that came "
                "along.",
                id="stillwatch.E003",
            )
        ]
    return []


@checks.register(checks.Tags.security, deploy=True)
def ready_for_others(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    """What `check --deploy` asks besides Django's own questions."""
    found: list[checks.CheckMessage] = []
    if settings.DEMO:
        found.append(
            checks.Warning(
                "STILLWATCH_DEMO is set: people sign in by printed links.",
                hint="Unset it in a real installation.",
                id="stillwatch.W002",
            )
        )
    if settings.HASH_KEY == settings.SECRET_KEY:
        found.append(
            checks.Warning(
                "STILLWATCH_HASH_KEY and STILLWATCH_SECRET_KEY are the same.",
                hint="Give each its own random value: one is changed more often.",
                id="stillwatch.W003",
            )
        )
    return found


def refuse_unsound_database() -> None:
    """Stop the start of a process on an error of the check above.

    A database that does not answer is no reason: it may come up later, and until
    then /health/ says so. What is only allowed for tests is said aloud.
    """
    try:
        found = sound_database(None, databases=[DEFAULT_DB_ALIAS])
    except OperationalError:
        return
    for message in found:
        log.warning("%s %s", message.msg, message.hint)
    errors = [message for message in found if message.level >= checks.ERROR]
    if errors:
        raise ImproperlyConfigured(
            " ".join(f"{error.msg} {error.hint}" for error in errors)
        )
