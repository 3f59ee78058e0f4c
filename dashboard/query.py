"""The query string, read strictly.

An address is something people keep and share: a part that is not understood is named,
with what would be, instead of being ignored and showing other rows than were meant.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import QueryDict

from dashboard.filters import StrictFilters
from investigations.errors import DomainError
from investigations.selectors import Cursor

Row = TypeVar("Row", bound=Model)

MAX_BIGINT = 2**63 - 1
# How many characters of a wrong value are shown back.
ECHO = 60
# Parameters that say where in a list one stands.
PLACE = ("after", "before")
_CURSOR = re.compile(r"(-?[0-9]{1,19})\.([0-9]{1,19})", re.ASCII)


class BadQuery(DomainError):
    """The address asks for something that there is not."""

    code = "bad_filter"
    hint = "Correct the address, or start again from the page without filters."


def refuse_unknown(params: QueryDict, known: Iterable[str]) -> None:
    for name in params:
        if name not in known:
            raise BadQuery(
                f"“{name[:ECHO]}” is no filter of this page. "
                f"These are: {', '.join(sorted(known))}."
            )


def narrowed(
    rows: QuerySet[Row],
    filters: type[StrictFilters],
    params: QueryDict,
    *,
    offered: Iterable[str],
    beside: Iterable[str] = PLACE,
) -> QuerySet[Row]:
    """The rows that the API's filters of the same names keep.

    `offered` are those that the page has, `beside` what else its address may hold.
    """
    refuse_unknown(params, {*offered, *beside})
    wanted = filters(params, queryset=rows)
    wanted.refuse_bad(steering=frozenset(beside))
    found: QuerySet[Row] = wanted.qs
    return found


def choice(params: QueryDict, name: str, allowed: Iterable[str]) -> str:
    value = params.get(name, "")
    if value and value not in allowed:
        raise BadQuery(
            f"“{value[:ECHO]}” is not a {name}. These are: {', '.join(allowed)}."
        )
    return value


def several(
    params: QueryDict, name: str, allowed: Iterable[str], *, noun: str
) -> list[str]:
    """A parameter that may stand there more than once, each a choice."""
    known = list(allowed)
    for value in params.getlist(name):
        if value not in known:
            raise BadQuery(
                f"“{value[:ECHO]}” is no {noun}. "
                f"These are: {', '.join(known) or 'none'}."
            )
    return list(dict.fromkeys(params.getlist(name)))


def text(params: QueryDict, name: str, *, longest: int) -> str:
    value = params.get(name, "").strip()
    if len(value) > longest:
        raise BadQuery(f"The {name} may have {longest} characters.")
    # PostgreSQL keeps no NUL, so nothing can match one.
    if "\x00" in value:
        raise BadQuery(f"The {name} holds a NUL character.")
    return value


def whole_number(
    params: QueryDict, name: str, *, least: int = 1, most: int = MAX_BIGINT
) -> int | None:
    value = params.get(name, "")
    return _number(value, name, least, most) if value else None


def whole_numbers(params: QueryDict, name: str) -> list[int]:
    """A parameter that may stand there more than once, each a number from 1 on."""
    numbers = (_number(v, name, 1, MAX_BIGINT) for v in params.getlist(name))
    return list(dict.fromkeys(numbers))


def _number(value: str, name: str, least: int, most: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise BadQuery(f"{name} takes a whole number from {least} to {most}.")
    if not least <= int(value) <= most:
        raise BadQuery(f"{name} takes a whole number from {least} to {most}.")
    return int(value)


def day(params: QueryDict, name: str) -> date | None:
    value = params.get(name, "")
    if not value:
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else _no_day(name)
    except ValueError:
        return _no_day(name)


def _no_day(name: str) -> date:
    raise BadQuery(f"{name} takes a day as 2026-11-18.")


def cursor(params: QueryDict, name: str) -> Cursor | None:
    value = params.get(name, "")
    if not value:
        return None
    match = _CURSOR.fullmatch(value)
    if not match or max(abs(int(match[1])), int(match[2])) > MAX_BIGINT:
        raise BadQuery(
            f"“{value[:ECHO]}” is no place in this list; "
            "use its links to the next and the previous page."
        )
    return Cursor(int(match[1]), int(match[2]))


def address(path: str, params: QueryDict, **changed: object) -> str:
    """The same page with some parameters changed; a page's place goes with the old."""
    kept = {
        name: params[name]
        for name in params
        if name not in (*PLACE, "seen") and name not in changed
    }
    wanted = {**kept, **{name: value for name, value in changed.items() if value}}
    return f"{path}?{urlencode(wanted)}" if wanted else path
