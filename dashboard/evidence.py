"""The machine's reasons with the rows behind them, for whatever they are about."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard import rules
from dashboard.answers import target_of
from ingest.selectors import system_names
from investigations.detection.selectors import UnknownRows, reason_rows

Reason = Mapping[str, Any]
Context = dict[str, object]

# More rows than these are read by nobody; the page says how many there are in all.
ROWS = 200
# The dialog of a page that shows the rows without leaving it.
DIALOG = "rows"


@dataclass(frozen=True)
class About:
    """What the reasons are about: a case, a cluster, an account; and its list."""

    name: str
    url: str
    place: str
    place_url: str


def linked_reasons(
    reasons: Iterable[Reason], url_of: Callable[[str], str]
) -> list[Context]:
    """Each reason with the number of rows behind it and the address that shows them;
    `url_of` takes the key of the reason's signal."""
    return [
        {
            "reason": reason,
            "count": reason.get("rows", {}).get("count"),
            "url": url_of(reason["signal"]) if reason.get("rows") else "",
        }
        for reason in reasons
    ]


def show_rows(
    request: HttpRequest, reasons: Iterable[Reason], signal: str, about: About
) -> HttpResponse:
    """The rows behind one reason, on a page or in a page's dialog; 404 for a reason
    that is not among those given."""
    reason = next((each for each in reasons if each["signal"] == signal), None)
    if reason is None or not reason.get("rows"):
        raise Http404
    in_dialog = target_of(request) == DIALOG
    template = "evidence/_dialog.html" if in_dialog else "evidence/reason.html"
    rows = _rows(reason)
    shown = {
        "about": about,
        "reason": reason,
        "table": reason["rows"]["table"],
        "rows": rows,
        "system_names": system_names(getattr(row, "asn", None) for row in rows),
        "count": reason["rows"]["count"],
        "is_detector": rules.is_detector(signal),
        "precision": rules.precision_of(signal),
    }
    response = render(request, template, shown)
    if in_dialog:
        # htmx gives every boosted link's address to the page; the page stays itself.
        response["HX-Push-Url"] = "false"
    return response


def _rows(reason: Reason) -> list[Any]:
    try:
        return list(reason_rows(reason)[:ROWS])
    except UnknownRows:
        return []
