"""Which tests run in two processes: the whole suite, and not what is looked at."""

import os

import pytest

from tests.reliability.launching import launcher

TWO = ["-n", "2", "--dist", "loadfile"]


@pytest.mark.parametrize("words", ["", "-q -x", "--ignore=tests/run --durations=9"])
def test_the_whole_suite_runs_in_two(monkeypatch, words):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert launcher().side_by_side(words.split()) == TWO


@pytest.mark.parametrize(
    "words", ["tests/ingest", "-q tests/x.py::test_y", "-k late", "-s", "--pdb", "-n4"]
)
def test_what_is_named_or_looked_at_runs_in_one(monkeypatch, words):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert launcher().side_by_side(words.split()) == []


def test_one_core_is_one_process(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert launcher().side_by_side([]) == []
