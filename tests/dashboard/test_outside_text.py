"""Text from outside shows what it is made of."""

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from dashboard import outside_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay\u202egnp.exe", "pay[U+202E]gnp.exe"),
        ("zero\u200bwidth", "zero[U+200B]width"),
        ("nul\x00", "nul[U+0000]"),
        ("filler\u3164", "filler[U+3164]"),
        ("tag\U000e0041", "tag[U+E0041]"),
        ("no-break\u00a0space", "no-break[U+00A0]space"),
        ("carriage\rreturn", "carriage[U+000D]return"),
        ("selector\ufe0f", "selector[U+FE0F]"),
    ],
)
def test_characters_that_show_nothing_are_spelled_out(text, shown):
    assert outside_text.spelled_out(text) == shown


@pytest.mark.parametrize(
    "text", ["two words\n\tindented", "žluťoučký", "مرحبا", "漢字"]
)
def test_ordinary_text_of_any_script_stays_as_it_is(text):
    assert outside_text.spelled_out(text) == text


@given(st.text())
def test_nothing_silent_is_left_and_nothing_is_lost(text):
    assert "".join(run for _, run in outside_text.runs(text)) == text
    assert not any(map(outside_text.is_silent, outside_text.spelled_out(text)))


def render(source: str, **context: object) -> str:
    return Template("{% load dashboard %}" + source).render(Context(context))


def test_markup_in_a_name_stays_text():
    shown = render("{{ name|outside }}", name="<img src=x onerror=alert(1)>\u202e")
    assert "<img" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert 'title="right-to-left override">U+202E</span>' in shown


def test_a_name_keeps_its_own_writing_direction():
    assert render("{{ name|outside }}", name="مرحبا").startswith("<bdi")
