"""Country and autonomous system of addresses, from tables the operator plugs in.

What the provider sends itself is never overwritten, and what no table knows stays
unknown. A table that is missing or broken costs the knowledge, never an event: it is
told by `manage.py check`, in the log and on the settings page. A file that is replaced
is read anew within a minute; until then, and where the new one is broken, the old one
goes on.

Country is for people to read. No detector may lean on it.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ingest.models import Account, AddressTable, AutonomousSystem
from ingest.places.address_tables import NOWHERE, BadTable, Place, Table, open_table
from ingest.records import normalise

LOOK_AGAIN_SECONDS: Final = 60
# Setting of each table; the first that knows a country tells it.
GEO, ASN = "GEO_TABLE", "ASN_TABLE"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one table stands: `error` is empty where it is in use as it lies there."""

    setting: str
    path: Path | None
    built_at: datetime | None
    size: int | None
    error: str


class _Watched:
    """One table, opened again where its file has changed."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._seen: object = None
        self.table: Table | None = None
        self.error = ""

    @property
    def path(self) -> Path | None:
        path: Path | None = getattr(settings, self._setting)
        return path

    def look(self) -> bool:
        """Whether another table, or none, is in use than before."""
        path = self.path
        seen = (path, _identity(path))
        if seen == self._seen:
            return False
        self._seen = seen
        if path is None:
            self.table, self.error = None, ""
            return True
        try:
            self.table, self.error = open_table(path), ""
        except BadTable as error:
            self._refuse(error)
            return False
        log.info("%s: %s ranges, built %s.", path, self.table.size, self.table.built_at)
        transaction.on_commit(self._record, robust=True)
        return True

    def find(self, address: str) -> Place:
        """NOWHERE where there is no table, or it turns out to be damaged."""
        try:
            return self.table.find(address) if self.table else NOWHERE
        except BadTable as error:
            self._refuse(error)
            self.table = None
            return NOWHERE

    def _refuse(self, error: BadTable) -> None:
        self.error = str(error)
        log.error("%s Addresses are stored without what it would tell.", error)

    def _record(self) -> None:
        """From when on which table filled in what was not sent."""
        if self.table is not None and self.path is not None:
            AddressTable.objects.get_or_create(
                setting=self._setting,
                file_name=self.path.name[:256],
                built_at=self.table.built_at,
                size=self.table.size,
                defaults={"first_used_at": timezone.now()},
            )

    def standing(self) -> Standing:
        table = self.table
        return Standing(
            self._setting,
            self.path,
            table.built_at if table else None,
            table.size if table else None,
            self.error,
        )


def _identity(path: Path | None) -> tuple[int, int, int] | None:
    try:
        told = path.stat() if path else None
    except OSError:
        return None
    return (told.st_ino, told.st_size, told.st_mtime_ns) if told else None


_tables: Final = {setting: _Watched(setting) for setting in (GEO, ASN)}
_lock: Final = threading.Lock()
_looked_at: float | None = None


def look_again() -> None:
    """Opens what is new at once, instead of within LOOK_AGAIN_SECONDS."""
    global _looked_at
    with _lock:
        if sum(watched.look() for watched in _tables.values()):
            _find.cache_clear()
        _looked_at = time.monotonic()


def standings() -> list[Standing]:
    look_again()
    return [watched.standing() for watched in _tables.values()]


def of(addresses: Iterable[str]) -> dict[str, Place]:
    """What the tables say of each address; all in canonical form."""
    if _looked_at is None or time.monotonic() > _looked_at + LOOK_AGAIN_SECONDS:
        look_again()
    return {address: _find(address) for address in set(addresses)}


@lru_cache(maxsize=131_072)
def _find(address: str) -> Place:
    geo, asn = _tables[GEO].find(address), _tables[ASN].find(address)
    number, name = (asn.asn, asn.name) if asn.asn else (geo.asn, geo.name)
    return Place(geo.country or asn.country, number, name)


def is_on() -> bool:
    return any(watched.path is not None for watched in _tables.values())


def fill(events: pl.DataFrame) -> pl.DataFrame:
    """The same with `country` and `asn` where their sender did not tell them."""
    if not is_on():
        return events
    told = pl.col("country")
    without_country = told.is_null() | (told == "")
    lacking = events.filter(
        pl.col("client_ip").is_not_null(),
        without_country | pl.col("asn").is_null(),
    )
    names = lacking["client_ip"].unique().sort().to_list()
    canonical = {name: normalise.address(name) for name in names}
    places = of(address for address in canonical.values() if address is not None)
    note_names(places.values())
    known = [places.get(canonical[name] or "", NOWHERE) for name in names]
    found = pl.DataFrame(
        {
            "client_ip": pl.Series(names, dtype=pl.String),
            "its_country": pl.Series([each.country for each in known], dtype=pl.String),
            "its_asn": pl.Series([each.asn for each in known], dtype=pl.Int64),
        }
    )
    return (
        events.join(found, on="client_ip", how="left", maintain_order="left")
        .with_columns(
            pl.when(without_country)
            .then("its_country")
            .otherwise(told)
            .alias("country"),
            pl.coalesce("asn", "its_asn"),
        )
        .drop("its_country", "its_asn")
    )


def fill_sign_ups(accounts: Iterable[Account]) -> None:
    """Sets where each account's sign-up address lies; nothing where it has none."""
    found = list(accounts)
    if not is_on():
        # What a table told while there was one stays, as long as the address does.
        found = [account for account in found if not account.signup_ip]
    places = of(account.signup_ip for account in found if account.signup_ip)
    for account in found:
        place = places.get(account.signup_ip or "", NOWHERE)
        account.signup_country, account.signup_asn = place.country, place.asn
    note_names(places.values())


_noted: set[tuple[int, str]] = set()


def note_names(places: Iterable[Place]) -> None:
    """Keeps the names of autonomous systems for the pages, once the caller commits."""
    told = {
        (place.asn, place.name) for place in places if place.asn and place.name
    } - _noted
    if told:
        # After the caller's commit: nobody has to wait for another's names.
        transaction.on_commit(lambda: _keep_names(told), robust=True)


def _keep_names(told: set[tuple[int, str]]) -> None:
    now = timezone.now()
    names = dict(sorted(told))
    AutonomousSystem.objects.bulk_create(
        [AutonomousSystem(asn=n, name=names[n], noted_at=now) for n in sorted(names)],
        update_conflicts=True,
        unique_fields=["asn"],
        update_fields=["name", "noted_at"],
        batch_size=1000,
    )
    _noted.update(told)
