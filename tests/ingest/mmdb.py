"""Writes a small MaxMind database, as the published format says (version 2.0).

Only what these tests need: IPv6 trees with 24-bit records, maps, text and numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

Node = list[Any]  # two of: another Node, a told dict, or None
UINT16, UINT32, UINT64 = 5, 6, 9
MARK = b"\xab\xcd\xefMaxMind.com"


@dataclass(frozen=True)
class Number:
    """A number that must be written as just this type."""

    kind: int
    value: int


def write_mmdb(
    path: Path, told: Mapping[str, dict[str, Any]], built_at: datetime
) -> Path:
    """`told` maps networks, none inside another, to what is known of them."""
    tree: Node = [None, None]
    for network, known in told.items():
        _put(tree, _bits(network), known)
    nodes = _in_order(tree)
    data, places = b"", {}
    for known in told.values():
        if repr(known) not in places:
            places[repr(known)] = len(data)
            data += _encode(known)
    search = b"".join(
        _pointer(child, nodes, places).to_bytes(3) for node in nodes for child in node
    )
    about = {
        "binary_format_major_version": Number(UINT16, 2),
        "binary_format_minor_version": Number(UINT16, 0),
        "build_epoch": Number(UINT64, int(built_at.timestamp())),
        "database_type": "Test",
        "description": {"en": "Made for a test"},
        "ip_version": Number(UINT16, 6),
        "languages": [],
        "node_count": Number(UINT32, len(nodes)),
        "record_size": Number(UINT16, 24),
    }
    path.write_bytes(search + bytes(16) + data + MARK + _encode(about))
    return path


def _bits(network: str) -> str:
    parsed = ip_network(network)
    bits = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"
    # IPv4 stands at ::/96 in an IPv6 tree.
    lead = "0" * 96 if parsed.version == 4 else ""
    return lead + bits[: parsed.prefixlen]


def _put(node: Node, bits: str, known: dict[str, Any]) -> None:
    for bit in bits[:-1]:
        if node[int(bit)] is None:
            node[int(bit)] = [None, None]
        node = node[int(bit)]
    node[int(bits[-1])] = known


def _in_order(root: Node) -> list[Node]:
    nodes = [root]
    for node in nodes:
        nodes += [child for child in node if isinstance(child, list)]
    return nodes


def _pointer(child: Any, nodes: list[Node], places: dict[str, int]) -> int:
    if child is None:
        return len(nodes)
    if isinstance(child, dict):
        return len(nodes) + 16 + places[repr(child)]
    return next(n for n, node in enumerate(nodes) if node is child)


def _encode(value: Any) -> bytes:
    if isinstance(value, dict):
        pairs = b"".join(_encode(k) + _encode(v) for k, v in value.items())
        return _lead(7, len(value)) + pairs
    if isinstance(value, list):
        return _lead(11, len(value)) + b"".join(map(_encode, value))
    if isinstance(value, str):
        return _lead(2, len(value.encode())) + value.encode()
    number = value if isinstance(value, Number) else Number(UINT32, value)
    raw = number.value.to_bytes((number.value.bit_length() + 7) // 8)
    return _lead(number.kind, len(raw)) + raw


def _lead(kind: int, size: int) -> bytes:
    """The control byte; types of more than three bits stand in a byte of their own."""
    more = b"" if size < 29 else bytes([size - 29])
    short = min(size, 29)
    if kind <= 7:
        return bytes([kind << 5 | short]) + more
    return bytes([short, kind - 7]) + more
