"""manage.py ingest: files go the way of the API."""

import gzip
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest import files
from ingest.models import Batch, Event, QuarantinedLine
from tests.ingest.records import a_request, an_account, ndjson, packed, requests

pytestmark = pytest.mark.django_db


@pytest.fixture
def ingest(source):
    def run(*names: object) -> Any:
        out = io.StringIO()
        call_command(
            "ingest",
            *map(str, names),
            "--json",
            source="gateway",
            stdout=out,
            stderr=io.StringIO(),
        )
        return json.loads(out.getvalue())

    return run


def test_a_file_is_stored_when_the_command_returns(ingest, tmp_path):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson([*requests(3), an_account(), "bad"]))
    counts = ingest(file)
    assert (counts["received"], counts["stored"], counts["refused"]) == (5, 4, 1)
    assert Event.objects.count() == 3
    assert Batch.objects.get().way_in == "file"


def test_the_same_file_again_doubles_nothing(ingest, tmp_path):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(3)))
    ingest(file)
    assert ingest(file)["duplicates"] == 3
    assert Event.objects.count() == 3


@pytest.mark.parametrize("suffix", [".ndjson.gz", ".jsonl.gz", ".ndjson"])
def test_gzip_is_known_by_its_bytes(ingest, tmp_path, suffix):
    file = tmp_path / f"day{suffix}"
    file.write_bytes(packed(ndjson(requests(3))))
    assert ingest(file)["stored"] == 3


def test_an_array_is_read_too(ingest, tmp_path):
    file = tmp_path / "day.json"
    file.write_text(json.dumps(requests(3), indent=1))
    assert ingest(file)["stored"] == 3


def test_standard_input(ingest, monkeypatch):
    class Piped:
        buffer = io.BufferedReader(io.BytesIO(ndjson(requests(3))))

    monkeypatch.setattr("sys.stdin", Piped())
    assert ingest("-")["stored"] == 3


def test_a_large_file_becomes_several_batches(ingest, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BATCH_BYTES", 2000)
    monkeypatch.setattr(files, "PIECE", 700)
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson([*requests(40), "bad", a_request(event_id="last")]))
    counts = ingest(file)
    assert (counts["received"], counts["stored"], counts["refused"]) == (42, 41, 1)
    assert Batch.objects.count() > 2
    assert QuarantinedLine.objects.get().code == "bad_json"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.ndjson", None, "cannot be opened"),
        ("day.csv", b"a,b", "not read here"),
        ("day.parquet", b"PAR1", "not read here"),
        ("day.ndjson.zst", b"(\xb5/\xfd", "not read here"),
        ("day.ndjson", b"<html>\n", "Not JSON at column 1"),
        ("day.json", b'{"a":1}', "no array"),
        ("cut.ndjson.gz", gzip.compress(ndjson(requests(3)))[:-12], "to its end"),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(
    ingest, tmp_path, name, content, sentence
):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        ingest(file)
    assert not Event.objects.exists()


def test_noise_in_the_middle_of_a_file_is_kept_and_the_rest_is_stored(
    ingest, tmp_path, monkeypatch
):
    monkeypatch.setattr(files, "BATCH_BYTES", 2000)
    monkeypatch.setattr(files, "PIECE", 500)
    file = tmp_path / "day.ndjson"
    noise = ["noise" * 20] * 100
    file.write_bytes(ndjson([*requests(20), *noise, a_request(event_id="last")]))
    counts = ingest(file)
    assert (counts["stored"], counts["refused"]) == (21, 100)


def test_an_empty_file_is_nothing(ingest, tmp_path):
    file = tmp_path / "empty.ndjson"
    file.write_bytes(b"")
    with pytest.raises(CommandError, match="no record"):
        ingest(file)
