"""Every detector has its page, and every page a detector."""

import re
from pathlib import Path

import pytest

from investigations.detection.detectors import CATALOGUE
from investigations.detection.ruleset import RULESET

PAGES = Path(__file__).parents[2] / "docs" / "detectors"
HEADINGS = (
    "## What it sees",
    "## Formula",
    "## What fools it",
    "## Honest look-alikes",
    "## What would refute it",
)


@pytest.mark.parametrize("key", [detector.key for detector in CATALOGUE])
def test_a_detector_has_a_page_that_answers_the_five_questions(key):
    page = (PAGES / f"{key}.md").read_text()

    assert [heading for heading in HEADINGS if heading not in page] == []


@pytest.mark.parametrize("detector", CATALOGUE, ids=lambda detector: detector.key)
def test_a_page_states_title_family_and_weight_as_the_code_has_them(detector):
    page = (PAGES / f"{detector.key}.md").read_text()
    account, cluster = RULESET.weights[detector.key]

    assert page.startswith(f"# {detector.title}\n")
    assert f"Key `{detector.key}`, version {detector.version}" in page
    assert f"family {detector.family.value.replace('_', ' ')}" in page
    assert f"{account:g} dB for an account, {cluster:g} dB for a cluster" in page


def test_no_page_describes_a_detector_that_is_not_there():
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README"}

    assert pages == {detector.key for detector in CATALOGUE}


def test_a_detectors_key_is_its_file():
    folder = Path(__file__).parents[2] / "investigations" / "detection" / "detectors"

    for detector in CATALOGUE:
        assert (folder / f"{detector.key}.py").exists()


def test_nothing_in_detection_reads_a_country():
    """Country, language and nationality are no evidence of anything."""
    package = Path(__file__).parents[2] / "investigations" / "detection"
    read = re.compile(r"""\w+_country|\.country|["']country["']|\basn\b""")
    found = [
        (path.name, line)
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if read.search(line)
    ]

    assert found == []
