"""How values are worded."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard import display

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("score", "key"),
    [
        (0, "none"),
        (39.9, "none"),
        (40, "watch"),
        (69.9, "watch"),
        (70, "review"),
        (89.9, "review"),
        (90, "action"),
        (100, "action"),
    ],
)
def test_a_score_falls_in_the_band_whose_lower_edge_it_has_reached(score, key):
    assert display.band(score) == key


def test_bands_are_those_of_detection():
    from investigations.detection.models import Band

    assert {band.value: band.label for band in Band} == display.BAND_LABELS


def test_a_score_below_an_edge_never_shows_the_edge():
    assert display.shown_score(69.99) == 69


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=1), "1m ago"),
        (timedelta(hours=23, minutes=59), "23h ago"),
        (timedelta(days=6), "6d ago"),
        (timedelta(days=8), "1w ago"),
        (timedelta(days=45), "1mo ago"),
        (timedelta(days=800), "2y ago"),
        (timedelta(hours=-3), "in 3h"),
    ],
)
def test_time_is_worded_by_its_largest_unit(gap, words):
    assert display.ago(NOW - gap, NOW) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (12_449, "12.4k"),
        (999_999, "999k"),
        (3_149_000, "3.1M"),
        (28_800_000_000, "28.8B"),
        (-1500, "-1.5k"),
        (0.25, "0.25"),
    ],
)
def test_large_numbers_are_short_and_never_rounded_up_a_unit(number, words):
    assert display.compact(number) == words


def test_a_duration_keeps_its_two_largest_units():
    assert display.duration(timedelta(days=2, hours=4, minutes=9)) == "2d 4h"
    assert display.duration(timedelta(seconds=20)) == "<1m"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("maria.lund@example.org", "ma•••@•••"),
        ("4f9c21aa", "4f•••"),
        ("mail@x.se", "•••@•••"),
        ("1234", "•••"),
        ("", "•••"),
    ],
)
def test_a_masked_value_keeps_at_least_three_characters_to_itself(value, shown):
    assert display.mask(value) == shown


def test_a_person_is_marked_by_two_letters():
    assert display.initials("Ana Maria Lindqvist") == "AL"
    assert display.initials("leo") == "LE"
    assert display.initials("mia.berg") == "MB"
    assert display.initials(" ") == "?"


def test_every_state_of_the_domain_has_its_own_look():
    from investigations.detection.models import Cluster
    from investigations.models import Approval, Case, Effect

    states = [
        *Case.Status.values,
        *Effect.State.values,
        *Approval.State.values,
        *Cluster.Verdict.values,
    ]
    plain = [key for key in states if display.status_look(key)["icon"] == "info"]
    assert plain == []
