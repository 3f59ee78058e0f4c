"""manage.py ingest: files go the way of the API, and are remembered."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from psycopg.errors import DiskFull

from ingest.doors.errors import BadFile
from ingest.doors.unpacking import zstd
from ingest.drain import writers
from ingest.importing import imports
from ingest.importing.forms import parts
from ingest.ledger import ledger
from ingest.models import Batch, Event, FileImport, QuarantinedLine, Source
from tests.database import database_url
from tests.ingest.records import a_request, an_account, ndjson, packed, requests
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def ingest(source):
    """Runs the command; gives its counts, with what it said as `said`."""

    def run(*names: object, **options: Any) -> Any:
        out, told = io.StringIO(), io.StringIO()
        call_command(
            "ingest",
            *map(str, names),
            "--json",
            source="gateway",
            stdout=out,
            stderr=told,
            **options,
        )
        return {**json.loads(out.getvalue()), "said": told.getvalue()}

    return run


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 2000)
    monkeypatch.setattr(parts, "PART_RECORDS", 10)


def test_a_file_is_stored_when_the_command_returns(ingest, tmp_path):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson([*requests(3), an_account(), "bad"]))
    counts = ingest(file)
    assert (counts["received"], counts["stored"], counts["refused"]) == (5, 4, 1)
    assert "line 5: bad_json" in counts["said"]
    assert Event.objects.count() == 3
    assert Batch.objects.get().way_in == "file"
    assert FileImport.objects.get().state == "done"


PACKERS: dict[str, Any] = {".gz": packed, ".zst": zstd.compress, "": bytes}


@pytest.mark.parametrize("pack", PACKERS)
@pytest.mark.parametrize("suffix", [".ndjson", ".jsonl", ".json"])
def test_each_packing_and_form_is_read(ingest, tmp_path, suffix, pack):
    file = tmp_path / f"day{suffix}{pack}"
    body = ndjson(requests(3))
    if suffix == ".json":
        body = json.dumps(requests(3), indent=1).encode()
    file.write_bytes(PACKERS[pack](body))
    assert ingest(file)["stored"] == 3


def test_packing_is_known_by_its_bytes(ingest, tmp_path):
    file = tmp_path / "day.ndjson"
    file.write_bytes(zstd.compress(ndjson(requests(3))))
    assert ingest(file)["stored"] == 3


@pytest.mark.parametrize("pack", PACKERS)
def test_standard_input(ingest, monkeypatch, pack):
    class Piped:
        buffer = io.BufferedReader(io.BytesIO(PACKERS[pack](ndjson(requests(3)))))

    monkeypatch.setattr("sys.stdin", Piped())
    assert ingest("-")["stored"] == 3


def test_a_large_file_becomes_several_batches(ingest, tmp_path, small_parts):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson([*requests(40), "bad", a_request(event_id="last")]))
    counts = ingest(file)
    assert (counts["received"], counts["stored"], counts["refused"]) == (42, 41, 1)
    assert Batch.objects.count() > 2
    assert QuarantinedLine.objects.get().code == "bad_json"
    assert "line 41: bad_json" in counts["said"]


def test_a_large_array_becomes_several_batches(ingest, tmp_path, small_parts):
    file = tmp_path / "day.json"
    records = [*requests(40), 7, a_request(event_id="é\u2028")]
    file.write_text(json.dumps(records, indent=2, ensure_ascii=False))
    counts = ingest(file)
    assert (counts["stored"], counts["refused"]) == (41, 1)
    assert "line 41: wrong_type" in counts["said"]
    assert Batch.objects.count() > 3


def test_many_short_lines_are_split_by_number(ingest, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART_LINES", 7)
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson([*requests(20), "bad"]))
    counts = ingest(file)
    assert (counts["stored"], Batch.objects.count()) == (20, 3)
    assert "line 21: bad_json" in counts["said"]


def test_noise_in_the_middle_of_a_file_is_kept_and_the_rest_is_stored(
    ingest, tmp_path, small_parts
):
    file = tmp_path / "day.ndjson"
    noise = ["noise" * 20] * 100
    file.write_bytes(ndjson([*requests(20), *noise, a_request(event_id="last")]))
    counts = ingest(file)
    assert (counts["stored"], counts["refused"]) == (21, 100)


def test_quiet_says_nothing_and_progress_tells_the_rate(ingest, tmp_path, monkeypatch):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(3)))
    assert ingest(file, quiet=True)["said"] == ""
    monkeypatch.setattr("ingest.importing.progress.SECONDS_BETWEEN_LINES", 0)
    said = ingest(file, again=True)["said"]
    assert "3 records," in said
    assert "records/s, 100%, 0 s left" in said


# --- Remembered ---------------------------------------------------------------------


def test_48_the_same_file_again_is_known_by_its_content(ingest, tmp_path):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(3)))
    ingest(file)
    file.rename(tmp_path / "renamed.ndjson")
    counts = ingest(tmp_path / "renamed.ndjson")
    assert (counts["received"], counts["duplicates"]) == (0, 0)
    assert "is already imported" in counts["said"]
    assert Batch.objects.count() == FileImport.objects.count() == 1


def test_48_said_to_be_read_again_it_doubles_nothing(ingest, tmp_path):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(3)))
    ingest(file)
    assert ingest(file, again=True)["duplicates"] == 3
    assert Event.objects.count() == 3


def test_another_source_has_imports_of_its_own(ingest, tmp_path):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(3)))
    ingest(file)
    call_command("ingest", str(file), "--quiet", source="other", stdout=io.StringIO())
    assert Event.objects.count() == 6


FORMS = {
    "day.ndjson": lambda: ndjson(requests(60)),
    "day.ndjson.gz": lambda: packed(ndjson(requests(60))),
    "day.ndjson.zst": lambda: zstd.compress(ndjson(requests(60))),
    "day.json": lambda: json.dumps(requests(60)).encode(),
    "day.csv": lambda: a_table(requests(60)),
}


def a_table(records: Any) -> bytes:
    rows = [list(records[0]), *([str(cell) for cell in r.values()] for r in records)]
    return "\n".join(",".join(row) for row in rows).encode()


@pytest.mark.parametrize("name", FORMS)
def test_51_an_import_that_was_killed_goes_on_with_an_exact_total(
    ingest, source, tmp_path, small_parts, name
):
    file = tmp_path / name
    file.write_bytes(FORMS[name]())
    running = imports.import_file(str(file), source)
    first = next(running)
    next(running)
    running.close()  # as a killed process leaves it, but for the state
    FileImport.objects.update(state="running")
    assert 0 < first.stored < 60
    counts = ingest(file)
    assert "goes on from line" in counts["said"]
    assert (counts["received"], counts["stored"], counts["duplicates"]) == (60, 60, 0)
    assert FileImport.objects.get().state == "done"


def test_49_a_file_that_changes_while_it_is_read_is_refused(
    ingest, source, tmp_path, small_parts
):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(60)))
    running = imports.import_file(str(file), source)
    stored = next(running).stored
    with file.open("ab") as growing:
        growing.write(ndjson([a_request(event_id="late")]))
    with pytest.raises(BadFile, match="changed while") as refused:
        list(running)
    assert refused.value.code == "file_changed"
    assert Event.objects.count() == stored
    # What it is now is another file; what is known of the first doubles nothing.
    assert ingest(file)["stored"] == 61 - stored


def test_one_import_of_a_file_at_a_time(ingest, source, tmp_path, small_parts, db):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(60)))
    other = connection.copy()
    found = FileImport.objects.create(source=source, name="x", sha256=None)
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_lock(%s, %s)", [imports._LOCK, found.pk + 1]
            )
        with pytest.raises(CommandError, match="another process"):
            ingest(file)
    finally:
        other.close()


def test_53_ctrl_c_says_exactly_what_stayed_and_how_to_take_it_out(
    ingest, tmp_path, small_parts, monkeypatch
):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(60)))
    parts_stored: list[Batch] = []
    real = writers.import_batch

    def interrupted(*told: Any, **options: Any) -> Batch:
        if len(parts_stored) == 2:
            raise KeyboardInterrupt
        parts_stored.append(real(*told, **options))
        return parts_stored[-1]

    monkeypatch.setattr(writers, "import_batch", interrupted)
    with pytest.raises(CommandError) as stopped:
        ingest(file)
    stayed = sum(batch.stored for batch in parts_stored)
    number = FileImport.objects.get().pk
    assert str(stopped.value).startswith(f"Stopped. {stayed} of {stayed} records")
    assert f"--revert {number}" in str(stopped.value)
    assert Event.objects.count() == stayed
    out = io.StringIO()
    call_command("ingest", revert=number, stdout=out)
    assert f"Took {stayed} records" in out.getvalue()
    assert Event.objects.count() == 0
    monkeypatch.setattr(writers, "import_batch", real)
    assert ingest(file)["stored"] == 60


def test_53_only_an_import_can_be_reverted_and_once(ingest, tmp_path):
    with pytest.raises(CommandError, match="There is no import 99"):
        call_command("ingest", revert=99)
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(3)))
    ingest(file)
    number = FileImport.objects.get().pk
    call_command("ingest", revert=number, stdout=io.StringIO())
    with pytest.raises(CommandError, match="reverted already"):
        call_command("ingest", revert=number)


@pytest.mark.parametrize(
    ("cause", "sentence"), [(DiskFull(), "disk is full"), (None, "does not answer")]
)
def test_52_a_full_disk_is_said_and_the_import_goes_on_later(
    ingest, tmp_path, small_parts, monkeypatch, cause, sentence
):
    file = tmp_path / "day.ndjson"
    file.write_bytes(ndjson(requests(60)))
    real, calls = writers.import_batch, []

    def full(*told: Any, **options: Any) -> Batch:
        calls.append(told)
        if len(calls) == 3:
            raise OperationalError("could not extend file") from cause
        return real(*told, **options)

    monkeypatch.setattr(writers, "import_batch", full)
    with pytest.raises(CommandError, match=sentence):
        ingest(file)
    counts = ingest(file)
    assert (counts["received"], counts["stored"]) == (60, 60)


def stored_something(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether events are there. Fails with its words where the process has ended."""
    if process.poll() is not None:
        pytest.fail(f"the import ended ({process.returncode}): {log.read_text()}")
    return Event.objects.exists()


def is_alone() -> bool:
    """Whether nobody else, such as the server of who was killed, is still at work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return bool(cursor.fetchone()[0] == 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_51_a_process_that_is_killed_leaves_whole_parts(tmp_path):
    """The real command, ended by SIGKILL at some moment, and run again."""
    file = tmp_path / "day.ndjson"
    lines = 60_000
    with file.open("wb") as growing:
        for start in range(0, lines, 10_000):
            growing.write(
                ndjson(a_request(event_id=f"e{start + n}") for n in range(10_000))
            )
    command = [sys.executable, "manage.py", "ingest", str(file), "--source", "g"]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "STILLWATCH_TEST_DATABASE": "1",
    }
    log = tmp_path / "said.log"
    with (
        log.open("wb") as said,
        subprocess.Popen(command, env=environment, stdout=said, stderr=said) as process,
    ):
        wait_until(
            lambda: stored_something(process, log), "nothing was stored", seconds=240
        )
        process.send_signal(signal.SIGKILL)
    wait_until(is_alone, "the server of the killed process goes on")
    found = FileImport.objects.get()
    before = imports.counts_of(found)["stored"]
    assert Event.objects.count() == before
    assert 0 < before < lines
    done = subprocess.run(
        [*command, "--json"], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    counts = json.loads(done.stdout)
    assert (counts["received"], counts["stored"]) == (lines, lines)
    assert Event.objects.count() == lines
    assert Source.objects.get().name == "g"
    assert [row for row in ledger() if not row.adds_up] == []


# --- Refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.ndjson", None, "cannot be opened"),
        ("day.xml", b"<a/>", "not read here"),
        ("day.log", b"hello", "not read here"),
        ("day.parquet.gz", packed(b"PAR1"), "not read here"),
        ("day.ndjson", b"<html>\n", "web page"),
        ("day.ndjson", b"hello\n", "Not JSON at column 1"),
        ("day.json", b'{"a":1}', "no array"),
        ("day.json", b'[{"a":1},', "no JSON array"),
        ("day.json", b'[{"a":1} {"a":2}]', "comma is missing"),
        ("day.json", b"[" * 9999, "no JSON array"),
        ("cut.ndjson.gz", gzip.compress(ndjson(requests(3)))[:-12], "to its end"),
        ("cut.ndjson.zst", zstd.compress(ndjson(requests(3)))[:-5], "to its end"),
        ("twice.ndjson.gz", packed(packed(b"{}")), "packed twice"),
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
