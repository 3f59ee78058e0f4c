"""Figures carry data and no looks."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard import charts
from dashboard.charts import Milestone, ScorePoint, Series

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DAYS = [date(2026, 11, 1) + timedelta(days=n) for n in range(18)]


def every_figure() -> list[charts.Figure]:
    two = [Series("sable-2", [1, 2]), Series("sable-3", [3, 4])]
    return [
        charts.events_per_hour([NOON, NOON + timedelta(hours=1)], two),
        charts.cluster_days(DAYS[:2], two, [Milestone(NOON, "case")]),
        charts.score_history([ScorePoint(NOON, 12), ScorePoint(NOON, 71)]),
        charts.activity_by_hour([1] * 24, [2] * 24),
        charts.weekly_bars(["2026-W46", "2026-W47"], two),
        charts.reliability([charts.Reliability(90, 0.97, 0.9, 0.8, 0.95)]),
    ]


def test_no_figure_carries_a_colour_or_a_template():
    text = json.dumps(every_figure())
    assert "color" not in text
    assert "template" not in json.dumps([list(f["layout"]) for f in every_figure()])


def test_every_trace_says_its_tone():
    for figure in every_figure():
        assert all(trace["meta"]["tone"] for trace in figure["data"])


def test_events_are_stacked_one_bar_an_hour():
    figure = every_figure()[0]
    assert figure["layout"]["barmode"] == "stack"
    assert [trace["y"] for trace in figure["data"]] == [[1, 2], [3, 4]]


def test_times_are_written_in_the_readers_zone():
    figure = charts.events_per_hour(
        [NOON], [Series("chat", [1])], zone=ZoneInfo("Europe/Stockholm")
    )
    assert figure["data"][0]["x"] == ["2026-11-18T13:00:00"]


def test_a_models_name_cannot_bring_markup_into_a_chart():
    hostile = '<a href="https://evil.example">sable</a>\u202e'
    figure = charts.weekly_bars(["2026-W47"], [Series(hostile, [1])])
    assert figure["data"][0]["name"] == (
        '&lt;a href="https://evil.example"&gt;sable&lt;/a&gt;[U+202E]'
    )


def test_other_is_grey_however_many_rows_stand_before_it():
    rows = [Series(f"model-{n}", [1]) for n in range(9)] + [Series("other", [1])]
    tones = [t["meta"]["tone"] for t in charts.weekly_bars(["2026-W47"], rows)["data"]]
    assert tones[:7] == list(charts.TONES[:7])
    assert tones[-1] == "cat-8"


def test_a_row_that_is_known_to_be_bad_keeps_its_tone():
    rows = [Series("stored", [1]), Series("not stored", [1], "cat-6")]
    tones = [t["meta"]["tone"] for t in charts.weekly_bars(["2026-W47"], rows)["data"]]
    assert tones == ["cat-1", "cat-6"]


def test_a_milestone_is_a_line_with_its_words():
    figure = charts.cluster_days(
        DAYS, [Series("all", [1] * 18)], [Milestone(NOON, "first flag")]
    )
    [line], [label] = figure["layout"]["shapes"], figure["layout"]["annotations"]
    assert line["x0"] == label["x"] == "2026-11-18T12:00:00"
    assert label["text"] == "first flag"


def test_crowded_milestones_climb_so_that_the_earliest_stands_highest():
    crowd = [Milestone(NOON + timedelta(hours=4 * n), f"m{n}") for n in range(3)]
    alone = Milestone(NOON - timedelta(days=12), "alone")
    figure = charts.cluster_days(DAYS, [Series("all", [1] * 18)], [alone, *crowd])
    heights = {n["text"]: -n["ay"] for n in figure["layout"]["annotations"]}
    assert heights == {"alone": 0, "m0": 28, "m1": 14, "m2": 0}


def test_a_score_is_drawn_over_the_bands():
    figure = charts.score_history([ScorePoint(NOON, 98)])
    names = [shape["name"] for shape in figure["layout"]["shapes"]]
    assert names == ["band:watch", "band:review", "band:action"]


def test_a_day_is_compared_by_its_shape_and_not_its_volume():
    figure = charts.activity_by_hour([10] * 24, [1000] * 24)
    bars, line = figure["data"]
    assert bars["y"] == pytest.approx(line["y"])


def test_a_day_without_events_is_flat():
    assert set(charts.activity_by_hour([0] * 24)["data"][0]["y"]) == {0}


def test_a_day_has_24_hours():
    with pytest.raises(ValueError, match="one of 24"):
        charts.activity_by_hour([1] * 23)


def test_no_days_at_all_is_an_empty_chart():
    assert charts.cluster_days([], [], [])["data"] == []


def test_within_a_day_or_two_it_is_the_hour_that_ticks_tell():
    def ticks(hours: int) -> str:
        axis = [NOON + timedelta(hours=n) for n in range(hours)]
        figure = charts.events_per_hour(axis, [Series("requests", [1] * hours)])
        return str(figure["layout"]["xaxis"]["tickformat"])

    assert (ticks(24), ticks(96)) == ("%H:%M", "%e %b")
