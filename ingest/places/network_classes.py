"""What kind of network an address is in, and which mail domains are thrown away.

From lists in `ingest/records/lists/`, each of which an operator may replace by a file
of the same name in the folder STILLWATCH_LISTS. Not being listed means nothing: lists
see a hundredth of the exits of commercial proxies. Being listed is no verdict either:
many honest people work behind relays and from company machines in a data centre.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from django.conf import settings

from ingest.places.address_ranges import Range, Ranges
from ingest.records.normalise import LISTS


class NetworkClass(StrEnum):
    TOR = "tor"
    RELAY = "relay"
    HOSTING = "hosting"


LABELS: Final = {
    NetworkClass.TOR: "Tor exit",
    NetworkClass.RELAY: "privacy relay",
    NetworkClass.HOSTING: "hosting",
}
# The first list that holds an address names its class.
_NETWORK_LISTS: Final = {
    NetworkClass.TOR: "tor_exits.txt",
    NetworkClass.RELAY: "relay_networks.txt",
    NetworkClass.HOSTING: "hosting_networks.txt",
}
HOSTING_ASNS: Final = "hosting_asns.txt"
DISPOSABLE: Final = "disposable_domains.txt"
ALL_LISTS: Final = (*_NETWORK_LISTS.values(), HOSTING_ASNS, DISPOSABLE)


class BadList(Exception):
    """A list cannot be used; says which line to change."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a list comes from, as its first lines say, and how long it is."""

    path: Path
    source: str
    licence: str
    date: str
    entries: int

    @property
    def is_own(self) -> bool:
        """Whether the operator replaced the one that came along."""
        return self.path.parent != LISTS


def path_of(name: str) -> Path:
    own = settings.LISTS and settings.LISTS / name
    return own if own and own.exists() else LISTS / name


def network_class(asn: int | None, address: str | None) -> NetworkClass | None:
    """None for what no list knows: most of the world, homes and proxies alike."""
    found = _class_of_address(address) if address else None
    if found is None and asn in _hosting_systems():
        return NetworkClass.HOSTING
    return found


def is_disposable(domain: str | None) -> bool:
    """`domain` in canonical form. Also below a listed domain, as `x.mail.example`."""
    parts = (domain or "").split(".")
    listed = _disposable_domains()
    return any(".".join(parts[n:]) in listed for n in range(len(parts) - 1))


def listed_name(asn: int) -> str | None:
    """The name that the list of hosting companies has for a number."""
    return _hosting_systems().get(asn)


@lru_cache(maxsize=65_536)
def _class_of_address(address: str) -> NetworkClass | None:
    for found, name in _NETWORK_LISTS.items():
        if _networks(name).find(address) is not None:
            return found
    return None


@lru_cache
def _networks(name: str) -> Ranges:
    return Ranges(lambda: _ranges(name))


def _ranges(name: str) -> Iterator[Range]:
    for number, line in _lines(path_of(name)):
        try:
            network = ip_network(line.split()[0])
        except ValueError as error:
            raise BadList(f"{path_of(name)}, line {number}: {error}.") from None
        first = int(network.network_address)
        yield Range(network.version, first, first + network.num_addresses - 1, 0)


@lru_cache
def _hosting_systems() -> dict[int, str]:
    path, found = path_of(HOSTING_ASNS), {}
    for number, line in _lines(path):
        asn, _, name = line.partition(" ")
        if not asn.isdecimal():
            raise BadList(f"{path}, line {number}: it starts with no AS number.")
        found[int(asn)] = name.strip()
    return found


@lru_cache
def _disposable_domains() -> frozenset[str]:
    return frozenset(line.lower() for _, line in _lines(path_of(DISPOSABLE)))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            if (told := line.strip()) and told[0] != "#":
                yield number, told


def provenance(name: str) -> Provenance:
    path = path_of(name)
    told = {"source": "not told", "licence": "not told", "date": "not told"}
    with path.open(encoding="utf-8") as text:
        for line in text:
            if not line.startswith("#"):
                break
            key, colon, value = line.lstrip("# ").partition(":")
            if colon and key in told:
                told[key] = value.strip()
    entries = sum(1 for _ in _lines(path))
    return Provenance(path, told["source"], told["licence"], told["date"], entries)


def read_all() -> None:
    """Raises BadList, OSError or UnicodeError where a list cannot be used."""
    for name in _NETWORK_LISTS.values():
        _networks(name)
    _hosting_systems()
    _disposable_domains()


def forget() -> None:
    """So that lists are read anew, as after a start."""
    for cached in (_class_of_address, _networks, _hosting_systems, _disposable_domains):
        cached.cache_clear()
