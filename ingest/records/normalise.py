"""Raw value → canonical value, so that equal things compare equal. Pure.

What is personal leaves here as a keyed hash: an e-mail address becomes its domain, a
hash of the mailbox it reaches and the shape of its local part.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

LISTS = Path(__file__).parent / "lists"


def _listed(name: str) -> frozenset[str]:
    """The words of a list, one a line; # starts a comment."""
    lines = (LISTS / name).read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line and line[0] != "#")


# Mailboxes of these differ only in tags and dots that reach the same person.
DOTLESS = {"gmail.com", "googlemail.com"}
SAME_DOMAIN = {"googlemail.com": "gmail.com"}

PUBLIC_MAIL = _listed("public_mail.txt")


# An IPv4 address as it is written back: most addresses need no closer look.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
PLAIN_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_PLAIN_IPV4 = re.compile(PLAIN_IPV4)
_ALL_PLAIN = re.compile(rf"(?:{PLAIN_IPV4}\n)*")


@lru_cache(maxsize=65_536)
def address(text: str) -> str | None:
    """Canonical IPv4 or IPv6 address; None where it is none.

    IPv4 inside IPv6 (::ffff:…) becomes IPv4. A zone (%eth0) means something only on
    the machine that wrote it and is dropped.
    """
    if _PLAIN_IPV4.fullmatch(text):
        return text
    try:
        parsed: IPv4Address | IPv6Address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(parsed)


def are_addresses(texts: Collection[str]) -> bool:
    """Whether each is an address, in whatever form."""
    lines = "".join(f"{text}\n" for text in texts)
    # One that holds a line break could pass for two.
    if lines.count("\n") == len(texts) and _ALL_PLAIN.fullmatch(lines):
        return True
    return all(map(address, texts))


@lru_cache(maxsize=65_536)
def block(canonical: str) -> str:
    """The /24 of an IPv4 address or the /48 of an IPv6 one, as `192.0.2.0/24`."""
    parsed = ip_address(canonical)
    kept = 24 if parsed.version == 4 else 48
    bits = parsed.max_prefixlen - kept
    return f"{type(parsed)(int(parsed) >> bits << bits)}/{kept}"


def country(text: str) -> str | None:
    """Two capital letters; None where it is something else."""
    return (
        text.upper() if len(text) == 2 and text.isascii() and text.isalpha() else None
    )


def system_number(told: object) -> int | None:
    """An autonomous system's number from `64500`, `"64500"` or `"AS64500"`; None
    where it is none: 0 is reserved (RFC 7607), and 32 bits hold them all."""
    word = str(told).strip().upper().removeprefix("AS")
    if not (word.isascii() and word.isdecimal() and len(word) <= 10):
        return None
    return int(word) if 0 < int(word) < 2**32 else None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What is kept of an e-mail address: `hash` is 32 hexadecimal digits."""

    domain: str
    hash: str
    shape: str


def mailbox(email: str, key: bytes) -> Mailbox | None:
    """None where it is not an e-mail address."""
    local, at, domain = email.strip().rpartition("@")
    domain = mail_domain(domain)
    if not at or not local or "." not in domain or " " in domain:
        return None
    canonical = f"{canonical_local(local, domain)}@{domain}"
    digest = blake2b(canonical.encode(), key=key, digest_size=16, person=b"mailbox")
    return Mailbox(domain, digest.hexdigest(), shape(local))


def mail_domain(domain: str) -> str:
    lowered = domain.strip().rstrip(".").lower()
    if not lowered.isascii():
        try:
            lowered = lowered.encode("idna").decode()
        except UnicodeError:
            return ""
    # No name in the DNS is longer (RFC 1035, 2.3.4).
    if len(lowered) > 253:
        return ""
    return SAME_DOMAIN.get(lowered, lowered)


def canonical_local(local: str, domain: str) -> str:
    """The mailbox that the local part reaches: no case, no +tag, no Gmail dots."""
    base = local.lower().partition("+")[0] or local.lower()
    return base.replace(".", "") if domain in DOTLESS else base


_RUNS = re.compile(r"(?P<a>[^\W\d_]+)|(?P<n>\d+)|(?P<other>.)", re.DOTALL)


def shape(local: str) -> str:
    """How a local part is built: `mary.smith84` → `a4.a5n2`; at most 64 characters.

    Accounts made by one program share a shape although no two addresses are alike.
    """
    parts = (
        match[0] if match.lastgroup == "other" else f"{match.lastgroup}{len(match[0])}"
        for match in _RUNS.finditer(local)
    )
    return "".join(parts)[:64]


_BROWSERS = (
    ("edge", re.compile(r"Edg(?:e|A|iOS)?/(\d+)")),
    ("opera", re.compile(r"OPR/(\d+)")),
    ("firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("chrome", re.compile(r"(?:Chrome|CriOS|HeadlessChrome)/(\d+)")),
    ("safari", re.compile(r"Version/(\d+)[\d.]* .*Safari/")),
)
_PRODUCT = re.compile(
    r"^\s*(?P<name>[A-Za-z][\w.+-]{0,60}(?:/[A-Za-z][\w.+-]{0,40})?)"
    r"(?:[/ ]v?(?P<major>\d+))?"
)


@lru_cache(maxsize=16_384)
def agent_family(user_agent: str) -> str:
    """`family/major` of a user agent: `OpenAI/Python 1.52.0` → `openai/python/1`."""
    if user_agent.startswith("Mozilla/"):
        for family, pattern in _BROWSERS:
            if (found := pattern.search(user_agent)) is not None:
                return f"{family}/{found[1]}"
        return "mozilla/other"
    product = _PRODUCT.match(user_agent)
    if product is None:
        return "other"
    return f"{product['name'].lower()}/{product['major'] or '?'}"


def client_stack(ja4: str | None, user_agent: str | None) -> str | None:
    """`ja4|family/major`, `-` for the half that is unknown; None without both."""
    if not ja4 and not user_agent:
        return None
    return f"{ja4 or '-'}|{agent_family(user_agent) if user_agent else '-'}"
