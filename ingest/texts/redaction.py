"""Text → the same text without what could name, reach or rob a person. Pure.

Masks e-mail addresses, phone numbers, payment cards, account numbers (IBAN), network
addresses, keys and passwords, and every other long run of digits. Names, streets and
what is spelt out in words stay: patterns cannot tell them from ordinary wording.
Where it is in doubt it masks: a year range or a serial number may go too.

Characters that do not show, and digits of double width, hide nothing. Every pattern
starts at a bounded place and repeats possessively, so that hostile text costs no more
than its length. Redacting twice changes nothing more.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise

# Formatting characters (soft hyphen, zero width, direction) do not part a number.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_DOUBLE_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_GAP = "[ \\t\u00a0\u2007\u2009\u202f().\\-\u2010-\u2015/·]"

_LABELS = (
    r"pass(?:word|wd|phrase|code|wort)|pwd|kennwort|contraseña|mot de passe|密码|secret"
    r"|credentials?|(?:api|access|secret|private|signing)[ _-]?key"
    r"|(?:access|auth|api|refresh|session)?[ _-]?token"
)
_PREFIXES = (
    r"sk|pk|rk|whsec|gh[oprsu]|github_pat|glpat|xox[abeprs]|xapp|AIza|ya29"
    r"|hf|npm|pypi|dop_v1|shpat|SG|EAA|sw|dckr_pat|lin_api|sq0"
)


def _is_opaque(token: str) -> bool:
    """Whether it looks drawn at random: many digits, or all kinds of character."""
    digits = sum(map(str.isdigit, token))
    upper, lower = sum(map(str.isupper, token)), sum(map(str.islower, token))
    if not digits or not upper + lower:
        return False
    return digits * 5 >= len(token) or (digits > 1 and upper > 2 and lower > 2)


def _is_address(written: str) -> bool:
    """An IPv6 address long enough to be one: `a[1::2]` is not meant."""
    if max(map(len, written.split(":"))) < 3 and written.count(":") < 4:
        return False
    try:
        ip_address(written.removesuffix(":") if written[-2:] != "::" else written)
    except ValueError:
        return False
    return True


def passes_luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _digits_mask(run: str) -> str:
    digits = "".join(filter(str.isdigit, run))
    if 13 <= len(digits) <= 19 and passes_luhn(digits):
        return "card"
    begins_as_phone = run[0] in "+(" or digits[0] == "0"
    if len(digits) <= 15 and (begins_as_phone or len(run) > len(digits)):
        return "phone"
    return "number"


@dataclass(frozen=True, slots=True)
class _Rule:
    """`hint` must be in the text for the pattern to be worth a look; group 1, where
    there is one, is what is masked."""

    mask: str | Callable[[str], str]
    hint: re.Pattern[str]
    pattern: re.Pattern[str]
    accept: Callable[[str], bool] = bool


def _rule(
    mask: str | Callable[[str], str],
    hint: str,
    pattern: str,
    accept: Callable[[str], bool] = bool,
) -> _Rule:
    return _Rule(mask, re.compile(hint), re.compile(pattern), accept)


# "Basic needs" is wording, "Basic YWxh…" is not.
_NO_WORD = re.compile(r"\d|[a-z][A-Z]")
_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]"
_HOST = r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"
# In order: what comes first names the mask where two meet.
_RULES: tuple[_Rule, ...] = (
    _rule("secret", "eyJ", r"(?<![\w-])eyJ[\w-]{5,}+(?:\.[\w-]{2,}+){1,4}+"),
    _rule(
        "secret",
        r"\d",
        rf"(?<![A-Za-z0-9])(?:{_PREFIXES})[A-Za-z0-9_.-]{{12,}}+(?<=[\w-])",
        _is_opaque,
    ),
    _rule("secret", "A[KS]IA", r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{12,}+"),
    _rule(
        "secret",
        "(?i)bea|bas",
        r"(?i)\b(?:bearer|basic) {1,3}([\w.~+/=-]{8,}+)",
        lambda found: _NO_WORD.search(found) is not None,
    ),
    _rule(
        "secret",
        "[:=]",
        rf"(?i)(?:{_LABELS})[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?([^\s\"'‹]{{4,}}+)",
    ),
    _rule(
        "secret",
        " is ",
        rf"(?i)(?:{_LABELS}) is [\"']?"
        r"((?=[^\s\"']{0,64}[\d_!$%#@*])[^\s\"'‹]{4,}+)",
    ),
    _rule("secret", "://", r"(?<=://)[^\s/@:]{0,64}:[^\s/@]{1,128}@"),
    _rule("mail", "@", rf"{_LOCAL}{{1,64}}@{_HOST}|\"[^\"\n@]{{1,64}}\"@{_HOST}"),
    _rule(
        "mail",
        "(?i)at",
        rf"(?i){_LOCAL}{{1,64}}(?: ?[\[({{<] ?at ?[\])}}>] ?{_HOST}"
        rf"(?: ?[\[({{<] ?dot ?[\])}}>] ?[\w-]{{1,63}}){{0,4}}"
        r"| at [\w-]{1,63}(?: dot [\w-]{1,63}){1,4})",
    ),
    _rule(
        "iban",
        "[A-Za-z]{2}[0-9]{2}",
        r"(?<![A-Za-z0-9])(?:[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}"
        r"(?:[ -]?[A-Z0-9]{1,3})?|[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{11,30})"
        r"(?![A-Za-z0-9])",
        lambda found: sum(map(str.isdigit, found)) >= 8,
    ),
    _rule(
        "address",
        ":",
        r"(?<![\w.])(?:(?<!:):{2}+)?[0-9A-Fa-f][0-9A-Fa-f:]{1,38}+(?:\.[0-9]{1,3}){0,3}+(?!\w)",
        _is_address,
    ),
    _rule("address", r"\.", r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d)"),
    _rule(
        "address",
        "[:-]",
        r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}(?![\w:-])",
    ),
    _rule("secret", r"\d", r"[A-Za-z0-9_+/=-]{24,}+", _is_opaque),
    _rule(_digits_mask, r"\d", rf"(?:\+ ?|\()?\d(?:{_GAP}{{0,3}}\d){{6,}}+"),
)
_MAIL = re.compile(rf"{_LOCAL}{{1,64}}@{_HOST}")
_PHONE = re.compile(rf"\+ ?\d(?:{_GAP}{{0,3}}\d){{6,}}+")
_PEM_START, _PEM_END = "-----BEGIN", "-----END"


def redact(text: str) -> str:
    """The text with each such part replaced by its kind: `‹mail›`, `‹phone›`,
    `‹card›`, `‹iban›`, `‹address›`, `‹secret›` or `‹number›`."""
    plain, places = _plain(text)
    spans = list(_separate(sorted(_spans(plain))))
    if not spans:
        return text
    parts: list[str] = []
    at = 0
    for start, end, mask in spans:
        first, last = (places[start], places[end - 1] + 1) if places else (start, end)
        parts += (text[at:first], f"‹{mask}›")
        at = last
    return "".join((*parts, text[at:]))


def _plain(text: str) -> tuple[str, list[int]]:
    """The text as it reads, and where its characters stood; empty: where they are."""
    if text.isascii():
        return text, []
    plain = text.translate(_DOUBLE_WIDTH)
    if _UNSEEN.search(plain) is None:
        return plain, []
    places = [at for at, char in enumerate(plain) if not _UNSEEN.match(char)]
    return "".join(plain[at] for at in places), places


def _spans(text: str) -> Iterator[tuple[int, int, int, str]]:
    """(start, end, rank of its rule, mask) of everything that is found."""
    for start, end in _key_blocks(text):
        yield start, end, -1, "secret"
    for rank, rule in enumerate(_RULES):
        if rule.hint.search(text) is None:
            continue
        group = 1 if rule.pattern.groups else 0
        for match in rule.pattern.finditer(text):
            found = match[group]
            if rule.accept(found):
                name = rule.mask if isinstance(rule.mask, str) else rule.mask(found)
                yield *match.span(group), rank, name


def _key_blocks(text: str) -> Iterator[tuple[int, int]]:
    """`-----BEGIN … -----END …-----`; one that never ends goes to the end."""
    start = text.find(_PEM_START)
    while start >= 0:
        end = text.find(_PEM_END, start)
        line = text.find("\n", end) if end >= 0 else -1
        stop = line if line >= 0 else len(text)
        yield start, stop
        start = text.find(_PEM_START, stop)


def _separate(
    spans: list[tuple[int, int, int, str]],
) -> Iterator[tuple[int, int, str]]:
    """Spans that overlap become one, named by the first rule among them."""
    if not spans:
        return
    start, end, rank, mask = spans[0]
    for _, (first, last, other, name) in pairwise(spans):
        if first >= end:
            yield start, end, mask
            start, end, rank, mask = first, last, other, name
            continue
        end = max(end, last)
        if other < rank:
            rank, mask = other, name
    yield start, end, mask


def excerpt(text: str, limit: int = 500) -> str:
    """The beginning of the redacted text, in characters; a cut shows as `…`."""
    clean = redact(text)
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def without_contacts(name: str) -> str:
    """A name or user agent without mail addresses and phone numbers; those begin with
    a plus here, since versions (`Chrome/120.0.6099.109`) look like all others."""
    if "@" in name:
        name = _MAIL.sub("‹mail›", name)
    return _PHONE.sub("‹phone›", name) if "+" in name else name
