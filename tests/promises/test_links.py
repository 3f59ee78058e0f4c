"""Every link in the documents leads somewhere."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
# [words](target), ![picture](target "title"), [name]: target
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|^\[[^]]+\]:\s*<?([^\s>]+)", re.MULTILINE)


def relative_links(document: Path) -> list[str]:
    text = FENCED.sub("", document.read_text())
    targets = [inline or named for inline, named in LINK.findall(text)]
    return [each for each in targets if not re.match(r"[a-z][a-z+.-]*:|#|//", each)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_a_document_links_to_is_there(document):
    lost = [
        target
        for target in relative_links(document)
        if not (document.parent / unquote(target.partition("#")[0])).exists()
    ]
    assert lost == []


def test_the_documents_do_link_to_each_other():
    assert sum(len(relative_links(document)) for document in DOCUMENTS) > 50
