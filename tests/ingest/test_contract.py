"""The published contract is the one that is enforced."""

import inspect
import json
import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest

from ingest.models import Account, Event
from ingest.records import contract, meanings, schemas, verdicts
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
        "Run: python -m ingest.records.contract docs/contract"
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
        an_account(email_hash="a" * 257),
        an_account(payment_country="D1"),
        a_request(country="DEU"),
        a_request(prompt_fingerprint="f9:k=0"),
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


# What the contract says of each text that is refused beyond its limit.
LONGEST = {
    "account": {
        **dict.fromkeys(["account_id"], 128),
        **dict.fromkeys(["email_hash", "organization_id", "phone_hash"], 256),
        **dict.fromkeys(["payment_fingerprint", "signup_device_id"], 256),
    },
    "request": {
        **dict.fromkeys(["event_id", "account_id"], 128),
        **dict.fromkeys(["api_key_id", "model", "finish_reason"], 256),
        **dict.fromkeys(["conversation_id", "ja4", "device_id"], 256),
        **dict.fromkeys(["system_hash", "tools_hash", "response_hash"], 64),
    },
    "activity": {
        **dict.fromkeys(["event_id", "account_id"], 128),
        **dict.fromkeys(["ja4", "device_id", "payment_fingerprint"], 256),
    },
    "model_release": {"model": 256},
}
MAKERS = {
    "account": an_account,
    "request": a_request,
    "activity": an_activity,
    "model_release": a_release,
}
KEPT = {"account": Account, "request": Event, "activity": Event}


@pytest.mark.parametrize("kind", LONGEST)
def test_a_text_at_its_limit_is_kept_whole(deliver, kind):
    told = {name: name[0] * limit for name, limit in LONGEST[kind].items()}
    assert deliver(MAKERS[kind](**told)).stored == 1
    if kind in KEPT:
        names = told.keys() - {"account_id"}
        row = KEPT[kind]._default_manager.values(*names).get()
        assert row == {name: told[name] for name in names}


def test_a_text_beyond_its_limit_is_refused_by_its_name(deliver):
    told = [
        (name, MAKERS[kind](**{name: "x" * (limit + 1)}))
        for kind, limits in LONGEST.items()
        for name, limit in limits.items()
    ]
    batch = deliver(*(record for _, record in told))
    assert batch.stored == 0
    verdicts_of = batch.lines.order_by("line").values_list("field", "code")
    assert list(verdicts_of) == [(name, "too_long") for name, _ in told]
