"""A small internet of its own: only addresses that nobody in the real one can have.

Addresses come from the documentation ranges (192.0.2.0/24, 198.51.100.0/24,
203.0.113.0/24, 2001:db8::/32, RFC 5737 and RFC 3849) and the private ones (RFC 1918);
AS numbers from the documentation ranges 64496-64511 and 65536-65551 (RFC 5398). In this
world private addresses stand for ordinary public ones.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ingest.demo.dice import Dice


class Route(NamedTuple):
    """Where a request comes from."""

    ip: str
    asn: int
    country: str


@dataclass(frozen=True, slots=True)
class Provider:
    """A network. `kind` is what a public table of networks would say of it."""

    asn: int
    name: str
    kind: str
    countries: tuple[str, ...]


ACCESS = (
    Provider(64496, "Bramble Broadband", "access", ("US", "CA")),
    Provider(64497, "Kestrel Fibre", "access", ("DE", "AT", "CH")),
    Provider(64498, "Tamarind Net", "access", ("IN",)),
    Provider(64499, "Ribeira Cabo", "access", ("BR", "PT")),
    Provider(64500, "Fjordlink", "access", ("NO", "SE", "DK")),
    Provider(64501, "Hinode Hikari", "access", ("JP",)),
    Provider(64502, "Savanna Online", "access", ("KE", "NG", "ZA")),
    Provider(64503, "Lumière Accès", "access", ("FR", "BE")),
    Provider(64504, "Straits Cable", "access", ("SG", "HK", "MY")),
    Provider(64505, "Pampas Red", "access", ("AR", "MX", "ES")),
)
MOBILE = (
    Provider(64506, "Finch Mobile", "mobile", ("US", "GB")),
    Provider(64507, "Monsun Mobile", "mobile", ("IN", "DE", "PL")),
    Provider(64508, "Cormorant Cellular", "mobile", ("BR", "ID", "TR")),
)
CLOUDS = (
    Provider(64509, "Nimbus Foundry", "hosting", ("US", "DE", "SG")),
    Provider(64510, "Granite Compute", "hosting", ("US", "NL", "JP")),
    Provider(64511, "Polder Hosting", "hosting", ("NL", "FI", "GB")),
)
CAMPUS = Provider(65536, "University of Ostermoor", "education", ("DE",))
OFFICE = Provider(65537, "Halden Mutual Group", "business", ("GB", "US", "SG"))
VPN = Provider(65538, "Burrow VPN", "vpn", ("SE", "CH", "NL"))
VENUE = Provider(65539, "Pier 7 Conference Centre", "business", ("PT",))
PROXIES = (
    Provider(65540, "Sparrow Dedicated", "hosting", ("US", "GB", "NL")),
    Provider(65541, "Tidewater Servers", "hosting", ("US", "CA", "DE")),
    Provider(65542, "Orchid Residential", "access", ("US", "VN", "BR", "PH")),
    Provider(65543, "Basalt Lease", "hosting", ("FR", "PL", "RO")),
)
# Those that larger worlds, and worlds to measure with, have beside them.
OTHER_CAMPUSES = (
    Provider(65544, "Polytechnic of Veldhaven", "education", ("NL",)),
    Provider(65545, "Saltmarsh College", "education", ("GB",)),
    Provider(65546, "Universidade de Miralta", "education", ("PT",)),
)
OTHER_OFFICES = (
    Provider(65547, "Corvid Freight", "business", ("US", "MX")),
    Provider(65548, "Lindenau Works", "business", ("DE", "CZ")),
)
CARRIER = Provider(65549, "Meridian Wireless", "access", ("IN", "BD", "PH"))
OTHER_VENUES = Provider(65550, "Assembly Halls", "business", ("ES", "PL", "CA"))
LIBRARIES = Provider(65551, "Public Libraries Network", "education", ("FI", "DK"))
PROVIDERS = (
    *(*ACCESS, *MOBILE, *CLOUDS, CAMPUS, OFFICE, VPN, VENUE, *PROXIES),
    *(*OTHER_CAMPUSES, *OTHER_OFFICES, CARRIER, OTHER_VENUES, LIBRARIES),
)


def _byte(rng: Dice) -> int:
    return 1 + int(rng.random() * 254)


def home(rng: Dice) -> Route:
    """A household's own address, on either family."""
    number = int(rng.random() * len(ACCESS))
    provider = ACCESS[number]
    country = provider.countries[int(rng.random() * len(provider.countries))]
    if rng.random() < 0.25:
        block = 0x1000 + number * 256 + int(rng.random() * 256)
        ip = f"2001:db8:{block:x}:{rng.getrandbits(16):x}::{_byte(rng):x}"
    else:
        ip = f"10.{16 + number}.{_byte(rng)}.{_byte(rng)}"
    return Route(ip, provider.asn, country)


def mobile(rng: Dice) -> Route:
    """A carrier's shared exit: from a handful to dozens of strangers on one address."""
    number = int(rng.random() * len(MOBILE))
    provider = MOBILE[number]
    exit_ = int(rng.random() * (2, 8, 30)[number])
    country = provider.countries[exit_ % len(provider.countries)]
    return Route(f"172.{16 + number}.8.{10 + exit_}", provider.asn, country)


def cloud(rng: Dice) -> Route:
    """A rented server next to other people's servers."""
    number = int(rng.random() * len(CLOUDS))
    provider = CLOUDS[number]
    block = int(rng.random() * 24)
    country = provider.countries[block % len(provider.countries)]
    if block == 0:
        return Route(f"192.0.2.{_byte(rng)}", provider.asn, country)
    return Route(f"10.{120 + number}.{block}.{_byte(rng)}", provider.asn, country)


def vpn(rng: Dice) -> Route:
    """One of a few exits that thousands share."""
    exit_ = int(rng.random() * 6)
    country = VPN.countries[exit_ % len(VPN.countries)]
    return Route(f"203.0.113.{200 + exit_}", VPN.asn, country)


def campus(building: int, place: int = 0) -> Route:
    if place:
        return _elsewhere(OTHER_CAMPUSES, place, 150, 20 + building % 3)
    return Route(f"198.51.100.{20 + building % 3}", CAMPUS.asn, "DE")


def office(rng: Dice, place: int = 0) -> Route:
    site = int(rng.random() * 2)
    if place:
        return _elsewhere(OTHER_OFFICES, place, 160, 40 + site)
    return Route(f"203.0.113.{40 + site}", OFFICE.asn, OFFICE.countries[site])


def venue(place: int = 0) -> Route:
    if place:
        return _elsewhere((OTHER_VENUES,), place, 170, 77)
    return Route("198.51.100.77", VENUE.asn, "PT")


def carrier(rng: Dice, place: int) -> Route:
    """One of two exits behind which a carrier puts a whole town."""
    return _elsewhere((CARRIER,), place, 180, 10 + int(rng.random() * 2))


def library(place: int) -> Route:
    return _elsewhere((LIBRARIES,), place, 190, 5)


def _elsewhere(
    providers: tuple[Provider, ...], place: int, second: int, host: int
) -> Route:
    """The place-th site of these networks, with a /24 of its own."""
    provider = providers[place % len(providers)]
    country = provider.countries[place // len(providers) % len(provider.countries)]
    second += place // 250 % 10
    return Route(f"10.{second}.{place % 250}.{host}", provider.asn, country)


def proxy(rng: Dice, block: int) -> Route:
    """An address of the block-th rented /24."""
    provider = PROXIES[block % len(PROXIES)]
    country = provider.countries[block // 4 % len(provider.countries)]
    second, third = 200 + block // 250 % 40, 1 + block % 250
    return Route(f"10.{second}.{third}.{_byte(rng)}", provider.asn, country)
