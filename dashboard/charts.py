"""Data to Plotly figures, validated here and drawn by static/js/charts.js.

Figures carry no colours: a trace says its tone in `meta` and the theme in the browser
paints it, so light and dark are one figure. Times are written in the reader's zone
without an offset, because Plotly would show them in UTC whatever we send. Names come
from telemetry, and Plotly reads markup in them: every one goes through `literal`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from html import escape
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from dashboard.outside_text import spelled_out

# Plotly's own template would add 7 KB of colours to each figure.
pio.templates.default = "none"

Figure = dict[str, Any]

# The Okabe-Ito eight; the last one is kept for "other".
TONES = tuple(f"cat-{number}" for number in range(1, 9))
# Lower edge, upper edge, key of each band worth shading behind a score.
_BAND_RANGES = ((40, 70, "watch"), (70, 90, "review"), (90, 100, "action"))
# Day before month, and no year on a second line: the page names the window.
_DAY_AXIS = {"type": "date", "tickformat": "%e %b", "hoverformat": "%a %e %b"}
# A bar covers the hour or day it counts, rather than straddling its beginning.
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_FEW_HOURS = 48
# A milestone's label takes about this share of the window, and this many pixels.
_LABEL_WIDTH = 0.16
_LABEL_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Series:
    """One named row of counts, as long as the axis it is drawn over."""

    name: str
    values: Sequence[float]
    # One of TONES where a row is known to be good or bad; else the next one free.
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A moment worth a line through the chart: first flag, case, decision."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class ScorePoint:
    at: datetime
    score: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of accounts scored from `lowest` on to the next ten, the share that was
    confirmed, with its interval, and what their scores said; shares from 0 to 1."""

    lowest: int
    said: float
    confirmed: float
    low: float
    high: float


def literal(text: str) -> str:
    """A name as Plotly will show it: no markup, no link, nothing hidden."""
    return escape(spelled_out(text), quote=False)


def events_per_hour(
    hours: Sequence[datetime], series: Sequence[Series], *, zone: tzinfo = UTC
) -> Figure:
    """Stacked bars, one an hour: what a case's accounts did, by kind or by model."""
    axis = [_local(hour, zone) for hour in hours]
    hover = "%{fullData.name}: %{y:,}<extra></extra>"
    bars = [
        go.Bar(
            x=axis,
            y=list(each.values),
            name=literal(each.name),
            meta={"tone": tone},
            xperiod=_HOUR_MS,
            xperiodalignment="middle",
            hovertemplate=hover,
        )
        for each, tone in zip(series, _tones(series), strict=True)
    ]
    layout = _layout(showlegend=len(series) > 1, barmode="stack", bargap=0.02)
    # Within a day or two it is the hour that tells one tick from the next.
    ticks = "%H:%M" if len(hours) <= _FEW_HOURS else _DAY_AXIS["tickformat"]
    layout["xaxis"] = _DAY_AXIS | {
        "tickformat": ticks,
        "hoverformat": "%a %e %b, %H:00",
    }
    return _figure(bars, layout)


def cluster_days(
    days: Sequence[date], series: Sequence[Series], milestones: Sequence[Milestone]
) -> Figure:
    """Exchanges a day of a whole cluster, stacked, with its milestones as lines."""
    axis = [day.isoformat() for day in days]
    bars = [
        go.Bar(
            x=axis,
            y=list(each.values),
            name=literal(each.name),
            meta={"tone": tone},
            xperiod=_DAY_MS,
            xperiodalignment="middle",
            hovertemplate="%{fullData.name}: %{y:,}<extra></extra>",
        )
        for each, tone in zip(series, _tones(series), strict=True)
    ]
    first, last = (days[0], days[-1]) if days else (date.min, date.min)
    layout = _layout(showlegend=len(series) > 1, barmode="stack")
    layout["xaxis"] = _DAY_AXIS | {"ticklabelmode": "period"}
    layout["shapes"] = [_milestone_line(milestone) for milestone in milestones]
    layout["annotations"] = _milestone_labels(milestones, first, last)
    # Room above the bars for as many rows of labels as are needed.
    highest = max((-note["ay"] for note in layout["annotations"]), default=0)
    layout["margin"] = {"t": 6 + _LABEL_HEIGHT + highest}
    return _figure(bars, layout)


def score_history(points: Sequence[ScorePoint], *, zone: tzinfo = UTC) -> Figure:
    """A score over time as steps, with the bands it crossed behind it."""
    line = go.Scatter(
        x=[_local(point.at, zone) for point in points],
        y=[point.score for point in points],
        mode="lines+markers",
        line={"shape": "hv"},
        marker={"size": 5},
        name="score",
        meta={"tone": "accent"},
        hovertemplate="score %{y:.0f}<extra></extra>",
    )
    layout = _layout(showlegend=False)
    layout["xaxis"] = _DAY_AXIS | {"hoverformat": "%a %e %b, %H:%M"}
    layout["yaxis"] = {"range": [0, 102], "tickvals": [0, 40, 70, 90]}
    layout["shapes"] = [
        {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": low,
            "y1": high,
            "layer": "below",
            "name": f"band:{key}",
        }
        for low, high, key in _BAND_RANGES
    ]
    return _figure([line], layout)


def activity_by_hour(
    counts: Sequence[float], baseline: Sequence[float] | None = None
) -> Figure:
    """Requests by hour of the day, 24 values in UTC, beside what is usual.

    Both rows are drawn as shares of their own day: the shape of a day is compared,
    not its volume. Raises ValueError unless each row has 24 values.
    """
    rows = [Series("this account", counts)]
    if baseline is not None:
        rows.append(Series("all accounts", baseline))
    if any(len(row.values) != 24 for row in rows):
        raise ValueError("an hour of the day is one of 24")
    hours = [f"{hour:02d}" for hour in range(24)]
    hover = "%{fullData.name}: %{y:.1%} at %{x}:00<extra></extra>"
    bars = go.Bar(
        x=hours,
        y=_shares(counts),
        name=rows[0].name,
        meta={"tone": "cat-1"},
        hovertemplate=hover,
    )
    traces = [bars]
    if baseline is not None:
        usual = go.Scatter(
            x=hours,
            y=_shares(baseline),
            name=rows[1].name,
            mode="lines",
            line={"shape": "hvh", "dash": "dot"},
            meta={"tone": "muted"},
            hovertemplate=hover,
        )
        traces.append(usual)
    layout = _layout(showlegend=baseline is not None)
    layout["xaxis"] = {"type": "category", "tickvals": hours[::3]}
    layout["yaxis"] = {"tickformat": ".0%"}
    return _figure(traces, layout)


def weekly_bars(weeks: Sequence[str], series: Sequence[Series]) -> Figure:
    """Side by side, one group a week: `2026-W47` and so on."""
    bars = [
        go.Bar(
            x=list(weeks),
            y=list(each.values),
            name=literal(each.name),
            meta={"tone": tone},
            hovertemplate="%{fullData.name}: %{y:,}<extra></extra>",
        )
        for each, tone in zip(series, _tones(series), strict=True)
    ]
    layout = _layout(showlegend=len(series) > 1, barmode="group")
    layout["xaxis"] = {"type": "category"}
    return _figure(bars, layout)


def reliability(points: Sequence[Reliability]) -> Figure:
    """What scores say beside what was found, tenth by tenth of the scale."""
    names = [tenth_of_scale(point.lowest) for point in points]
    found = go.Scatter(
        x=names,
        y=[point.confirmed for point in points],
        mode="markers",
        marker={"size": 8},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [point.high - point.confirmed for point in points],
            "arrayminus": [point.confirmed - point.low for point in points],
        },
        name="confirmed",
        meta={"tone": "cat-1"},
        hovertemplate="confirmed: %{y:.0%}<extra></extra>",
    )
    said = go.Scatter(
        x=names,
        y=[point.said for point in points],
        name="what scores say",
        mode="lines+markers",
        line={"dash": "dot"},
        meta={"tone": "muted"},
        hovertemplate="scores say: %{y:.0%}<extra></extra>",
    )
    layout = _layout(showlegend=True)
    # The whole scale, however little of it was judged.
    scale = [tenth_of_scale(lowest) for lowest in range(0, 100, 10)]
    layout["xaxis"] = {
        "type": "category",
        "categoryarray": scale,
        "range": [-0.5, len(scale) - 0.5],
    }
    layout["yaxis"] = {"tickformat": ".0%", "range": [0, 1.02]}
    return _figure([said, found], layout)


def tenth_of_scale(lowest: int) -> str:
    return f"{lowest} to {lowest + 10}"


def _tones(series: Sequence[Series]) -> list[str]:
    """A tone for each row, in order; "other" is always the grey one."""
    spare = iter(TONES[:-1])
    return [
        each.tone or (TONES[-1] if each.name == "other" else next(spare, TONES[-1]))
        for each in series
    ]


def _shares(counts: Sequence[float]) -> list[float]:
    whole = sum(counts)
    return [count / whole if whole else 0 for count in counts]


def _local(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def _layout(**given: object) -> dict[str, Any]:
    return {"hovermode": "x unified", **given}


def _milestone_line(milestone: Milestone) -> dict[str, Any]:
    at = _local(milestone.at, UTC)
    return {
        "type": "line",
        "name": "milestone",
        "x0": at,
        "x1": at,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
    }


def _milestone_labels(
    milestones: Sequence[Milestone], first: date, last: date
) -> list[dict[str, Any]]:
    """Labels above the bars, each beginning at its line.

    One that would run into the next climbs a row. Rows fill from the right, so the
    thread down from a raised label passes left of every label below it.
    """
    width = max(last - first, timedelta(days=1)) * _LABEL_WIDTH
    labels = []
    row_starts: list[datetime] = []
    for milestone in sorted(milestones, key=lambda each: each.at, reverse=True):
        end = milestone.at + width
        fits = (row for row, start in enumerate(row_starts) if end <= start)
        row = next(fits, len(row_starts))
        row_starts[row : row + 1] = [milestone.at]
        labels.append(_milestone_label(milestone, row))
    return labels[::-1]


def _milestone_label(milestone: Milestone, row: int) -> dict[str, Any]:
    return {
        "x": _local(milestone.at, UTC),
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "left",
        "showarrow": row > 0,
        "ax": 0,
        "ay": -_LABEL_HEIGHT * row,
        "text": literal(milestone.label),
        "name": "milestone",
    }


def _figure(traces: Sequence[Any], layout: dict[str, Any]) -> Figure:
    """Validated by Plotly, then plain values; ValueError names what is wrong."""
    figure: Figure = json.loads(go.Figure(data=list(traces), layout=layout).to_json())
    # Even "none" leaves the stub of a template behind.
    figure["layout"].pop("template", None)
    return figure
