"""The machine's reasons with the rows behind them, for whatever they are about."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.http import Http404

from investigations.detection.selectors import UnknownRows, reason_rows

Reason = Mapping[str, Any]
Context = dict[str, object]

# More rows than these are read by nobody; the page says how many there are in all.
ROWS = 200


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


def evidence_context(reasons: Iterable[Reason], signal: str) -> Context:
    """The rows behind one reason; 404 for a reason that is not among them."""
    reason = next((each for each in reasons if each["signal"] == signal), None)
    if reason is None or not reason.get("rows"):
        raise Http404
    try:
        rows = list(reason_rows(reason)[:ROWS])
    except UnknownRows:
        rows = []
    return {
        "reason": reason,
        "table": reason["rows"]["table"],
        "rows": rows,
        "count": reason["rows"]["count"],
    }
