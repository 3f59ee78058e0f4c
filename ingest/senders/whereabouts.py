"""Where a request came from, and which addresses a key may be used from. Pure.

Behind proxies the socket only tells the last of them; each adds the address it saw
to X-Forwarded-For, so that the client stands as many places from the right as there
are proxies. What stands further left is whatever the client wrote itself.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from ingest.records import normalise

Network = IPv4Network | IPv6Network
MAX_NETWORKS: Final = 50


class BadNetwork(ValueError):
    """The text is no list of addresses; says what to change."""


def client_address(meta: Mapping[str, object], proxies: int) -> str | None:
    """The client's address in canonical form; None where nobody tells.

    `meta` is the WSGI environment, `proxies` how many of them are ours.
    """
    told = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if proxies and len(told) >= proxies and told[-proxies].strip():
        return normalise.address(told[-proxies].strip())
    return normalise.address(str(meta.get("REMOTE_ADDR") or ""))


def parse_networks(text: str) -> list[str]:
    """Addresses and CIDR blocks, by line, comma or space, in canonical form.

    Raises BadNetwork.
    """
    words = text.replace(",", " ").split()
    if len(words) > MAX_NETWORKS:
        raise BadNetwork(f"More than {MAX_NETWORKS} blocks. Join neighbouring ones.")
    return list(dict.fromkeys(str(_network(word)) for word in words))


def _network(word: str) -> Network:
    try:
        return ip_network(word)
    except ValueError:
        pass
    try:
        meant = ip_network(word, strict=False)
    except ValueError:
        raise BadNetwork(
            f"{word[:60]} is no address. Write for example 203.0.113.7, "
            "203.0.113.0/24 or 2001:db8::/48."
        ) from None
    raise BadNetwork(f"{word[:60]} has bits beyond its prefix. Did you mean {meant}?")


def is_within(address: str | None, networks: Iterable[str]) -> bool:
    """Whether one of the blocks holds the address; an unknown one is nowhere."""
    if address is None:
        return False
    parsed = ip_address(address)
    return any(parsed in block for block in _parsed(tuple(networks)))


@lru_cache(maxsize=1024)
def _parsed(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(each) for each in networks)
