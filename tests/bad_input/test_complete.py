"""Every numbered case of the ingest API, of file imports and of keys has its test."""

import re
from pathlib import Path

CASES = {*range(1, 57), *range(88, 95)}
HERE = Path(__file__).parent
# Cases of files that are a story rather than a row of the table.
STORIES = [HERE.parent / "ingest" / f"test_{name}.py" for name in ("files", "tables")]
NAMED = re.compile(r'def test_(\d+)_|"(\d+) ')


def test_no_case_is_forgotten():
    text = "".join(path.read_text() for path in [*HERE.glob("test_*.py"), *STORIES])
    tested = {int(one or other) for one, other in NAMED.findall(text)}
    assert sorted(CASES - tested) == []
