"""Counts by day as a chart and as the table beside it. No ORM."""

from collections.abc import Mapping, Sequence
from datetime import date

from dashboard.charts import Series

Counts = Mapping[str, Sequence[int]]


def series(counts: Counts) -> list[Series]:
    return [Series(name, values) for name, values in counts.items()]


def day_table(days: Sequence[date], counts: Counts) -> dict[str, object]:
    """`columns` and `rows` for components/chart.html, the newest day first."""
    rows = zip(days, *counts.values(), strict=True)
    return {
        "columns": ["Day (UTC)", *counts],
        "rows": [
            [f"{day:%a %-d %b}", *(f"{count:,}" for count in row)]
            for day, *row in reversed(list(rows))
        ],
    }
