"""An operator's table of addresses → country and autonomous system. Pure.

Two forms: MaxMind's binary one (.mmdb), and text (see `ingest/places/address_text.py`).
"""

import csv
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, Protocol

import maxminddb

from ingest.places.address_text import NOWHERE, BadRow, Place, TextTable, read_sample
from ingest.records.normalise import country, system_number

__all__ = ["NOWHERE", "BadTable", "Place", "Table", "open_table", "probe"]


class BadTable(Exception):
    """The file cannot be used; says what to change."""


class Table(Protocol):
    """A table that is open: when it was built, and how many ranges it has."""

    built_at: datetime
    size: int

    def find(self, address: str) -> Place:
        """Raises BadTable where the answer cannot be read."""
        ...


def open_table(path: Path) -> Table:
    """Raises BadTable with a sentence where the file is missing or broken."""
    with _naming(path):
        if path.suffix == ".mmdb":
            return BinaryTable(path)
        return TextTable(path)


def probe(path: Path) -> None:
    """As open_table, but reads no more than the beginning of a text."""
    with _naming(path):
        if path.suffix == ".mmdb":
            BinaryTable(path)
        else:
            read_sample(path)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except maxminddb.InvalidDatabaseError as error:
        raise BadTable(f"{path} is no MaxMind database: {error}") from error
    except BadRow as error:
        raise BadTable(f"{path}, {error}") from error
    except (OSError, EOFError, UnicodeError, csv.Error, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadTable(f"{path} cannot be read: {reason}.") from error


class BinaryTable:
    """A copy of a .mmdb file, mapped into memory: only what is asked for is read.

    A copy of its own, because a file that somebody writes over while it is mapped
    would end the process.

    Reads what MaxMind, DB-IP, IPinfo and IPLocate write: a country's `iso_code` or
    `country_code`, and the number and name of an autonomous system.
    """

    def __init__(self, path: Path) -> None:
        with NamedTemporaryFile(suffix=path.suffix) as copy:
            shutil.copyfile(path, copy.name)
            self._reader = maxminddb.open_database(copy.name)
        self._path = path
        told = self._reader.metadata()
        self.built_at = datetime.fromtimestamp(told.build_epoch, UTC)
        self.size = told.node_count
        self._is_v4 = told.ip_version == 4

    def find(self, address: str) -> Place:
        if self._is_v4 and ":" in address:
            return NOWHERE
        try:
            found = self._reader.get(address)
        except (maxminddb.InvalidDatabaseError, ValueError) as error:
            raise BadTable(f"{self._path} is damaged inside: {error}") from error
        return _place(found) if isinstance(found, dict) else NOWHERE


_COUNTRIES: Final = ("country_code", "country")
_NUMBERS: Final = ("autonomous_system_number", "asn", "as_number")
_NAMES: Final = ("autonomous_system_organization", "as_name", "name", "org")


def _place(found: dict[str, Any]) -> Place:
    code = _first(found, _COUNTRIES)
    if isinstance(code, dict):
        code = code.get("iso_code")
    name = _first(found, _NAMES)
    return Place(
        country(code) if isinstance(code, str) else None,
        system_number(_first(found, _NUMBERS)),
        name[:256] if isinstance(name, str) and name else None,
    )


def _first(found: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((found[name] for name in names if name in found), None)
