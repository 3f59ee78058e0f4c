"""The published contract is the one that is enforced."""

import inspect
import json
import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest

from ingest import contract, meanings, schemas, verdicts
from tests.ingest.records import a_release, a_request, an_account, an_activity

DOCS = Path(__file__).resolve().parents[2] / "docs" / "contract"
PAGE = (DOCS / "README.md").read_text(encoding="utf-8")
EXAMPLES = [
    json.loads(line)
    for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("name", contract.documents())
def test_the_published_schema_is_up_to_date(name):
    found = (DOCS / name).read_text(encoding="utf-8")
    assert found == contract.documents()[name], (
        "Run: python -m ingest.contract docs/contract"
    )


@pytest.mark.parametrize(
    "record", [*EXAMPLES, a_request(), an_account(), an_activity(), a_release()]
)
def test_the_schema_says_yes_to_what_is_taken(record):
    schema = contract.schema_of(record["type"])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(record, schema)


@pytest.mark.parametrize(
    "record",
    [
        a_request(input_tokens=-1),
        a_request(event_id="x" * 129),
        a_request(model=None),
        an_account(plan="gold"),
        a_request(prior_response_hashes=["a"] * 4),
    ],
)
def test_the_schema_says_no_to_what_is_refused(record):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, contract.schema_of(record["type"]))


def test_every_example_of_the_page_is_stored(deliver):
    batch = deliver(*EXAMPLES)
    assert (batch.stored, batch.refused) == (len(EXAMPLES), 0)
    assert {example["type"] for example in EXAMPLES} == set(schemas.BY_TYPE)


def test_the_page_explains_every_code():
    told = set(re.findall(r"^\| (.+?) \|", PAGE, re.MULTILINE))
    explained = {code for cell in told for code in re.findall(r"`(\w+)`", cell)}
    sources = map(inspect.getsource, (verdicts, meanings))
    used = set(re.findall(r'Verdict\(\s*"(\w+)"', "".join(sources)))
    used |= {code for _, code, _ in verdicts._RULES}
    assert used | {"line_too_long", "conflict"} <= explained
