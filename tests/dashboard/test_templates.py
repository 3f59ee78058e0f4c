"""What every template keeps to."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template, render_to_string

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(ROOT.rglob("*.html"))
COMPONENTS = sorted((ROOT / "components").glob("*.html"))
SPRITE = (Path(settings.BASE_DIR) / "static/icons.svg").read_text()
DRAWN = set(re.findall(r'symbol id="(\w+)"', SPRITE))


def markup(path: Path) -> str:
    """The template without its comments, which may name what is forbidden."""
    text = re.sub(r"\{#.*?#\}", "", path.read_text())
    return re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.DOTALL)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
@pytest.mark.parametrize(
    "forbidden",
    [
        r"\sstyle=",
        r"<style",
        r"<script(?![^>]*\ssrc=)(?![^>]*application/json)",
        r"\son[a-z]+=",
        r"hx-on",
        r"javascript:",
        r"\|\s*safe\b",
        r"autoescape off",
        r"https?://(?!www\.w3\.org)",
    ],
)
def test_no_template_needs_what_the_content_policy_forbids(path, forbidden):
    assert not re.search(forbidden, markup(path))


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_template_compiles(path):
    get_template(named(path))


@pytest.mark.parametrize("path", COMPONENTS, ids=named)
def test_every_component_opens_with_a_list_of_its_inputs(path):
    text = path.read_text()
    comment = re.match(r"\{% comment %\}(.+?)\{% endcomment %\}", text, re.DOTALL)
    assert comment
    used = set(re.findall(r"\{% (?:if|with \w+=) ?(\w+)", text))
    used |= set(re.findall(r"\{\{ (\w+)", text))
    made = set(re.findall(r"(?:with|for) (\w+)", text))
    builtin = {"forloop", "not", "csrf_token"}
    described = set(re.findall(r"\w+", comment[1]))
    assert used - made - builtin <= described


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_icon_that_a_template_names_is_drawn(path):
    assert set(re.findall(r'\{% icon "(\w+)"', path.read_text())) <= DRAWN


def test_every_icon_that_code_names_is_drawn():
    from dashboard import display

    named_in_code = {
        *display._FAMILY_ICONS.values(),
        *(icon for _, icon in display._STATUS_LOOKS.values()),
        *display._GO_LETTERS,
    }
    assert named_in_code <= DRAWN


def test_no_two_places_share_a_letter():
    from dashboard import display

    letters = list(display._GO_LETTERS.values())
    assert len(letters) == len(set(letters))


def test_a_score_always_prints_its_number_and_its_band():
    shown = render_to_string("components/score.html", {"value": 87.9})
    assert ">87</span>" in shown
    assert ">review</span>" in shown
    assert 'data-band="review"' in shown


def test_an_account_without_a_score_says_so():
    assert "not scored" in render_to_string("components/score.html", {"value": None})


def test_a_reason_shows_points_sentence_and_the_innocent_explanation():
    reason = {
        "points": 12.4,
        "sentence": "38 of 40 accounts paid with one card.",
        "innocent": "a company card.",
        "family": "money",
        "signal": "shared_payment",
    }
    shown = render_to_string(
        "components/reason.html", {"reason": reason, "rows_url": "/x/", "count": 38}
    )
    assert "+12.4" in shown
    assert "38 of 40 accounts paid with one card." in shown
    assert "Innocent if: a company card." in shown
    assert '<a href="/x/">38 rows' in shown


def test_the_frame_offers_only_the_places_it_was_given():
    nav = [
        ("Queue", "/queue/", "queue", True, 0),
        ("Approvals", "/a/", "approvals", False, 3),
    ]
    shown = render_to_string("base.html", {"nav": nav})
    assert 'href="/queue/" title="Queue" aria-current="page" data-go="q"' in shown
    assert "3<span" in shown
    assert "Audit" not in shown


def test_the_page_of_a_broken_server_asks_for_no_context():
    assert "Something broke" in render_to_string("500.html")


def test_a_later_family_of_evidence_still_gets_a_mark():
    from dashboard import display

    assert display.family_icon("quantum") in DRAWN
