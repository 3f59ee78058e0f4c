"""Reading a page as a test does: find the one thing meant, or fail saying so."""

import re
from html import unescape
from typing import Any


def the(pattern: str, response: Any) -> str:
    """What the pattern's first group finds on the page, with entities undone."""
    found = re.search(pattern, response.text, re.DOTALL)
    assert found, f"nothing on the page matches {pattern}"
    return unescape(found[1])


def has(pattern: str, response: Any) -> bool:
    return re.search(pattern, response.text, re.DOTALL) is not None
