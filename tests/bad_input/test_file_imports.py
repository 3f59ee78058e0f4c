"""promises.md section 4, file import (41–56): input → code, state, and what was kept.

Cases that need a story rather than a row (48–53) are told in tests/ingest/
test_files.py, tables (45–47) in test_tables.py; each is named there by its number.
"""

import gzip
import io
import resource
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest.doors.unpacking import zstd
from ingest.ledger import ledger
from ingest.models import Batch, Event, FileImport, QuarantinedLine
from tests.ingest.records import a_request, ndjson

pytestmark = pytest.mark.django_db

GOOD = ndjson([a_request()])
HEADER = "type,event_id,occurred_at,account_id,model,input_tokens,output_tokens"
ROW = "request,ev-1,2026-11-18T09:30:00Z,acct-1,nova-2,100,200"
TABLE = f"{HEADER}\n{ROW}\n"


def a_zip(*names: str, inner: bytes = b"x") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, inner)
    return written.getvalue()


def a_link() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return written.getvalue()


def many_entries() -> bytes:
    return a_zip(*(f"{number}.ndjson" for number in range(5_000)))


@dataclass(frozen=True)
class Case:
    """`refused` lines are kept; with a code the file as a whole is refused."""

    name: str
    file: str
    content: bytes | Callable[[], bytes]
    code: str = ""
    state: str | None = None
    stored: int = 0
    refused: int = 0
    said: str = ""


CASES = [
    Case("42 zip with ../", "a.ndjson", a_zip("../../x"), "archive", said="../../x"),
    Case("42 zip with an absolute path", "a.csv", a_zip("/etc/x"), "archive"),
    Case("42 zip with a symlink", "a.ndjson", a_link(), "archive", said="link"),
    Case("42 zip with an odd name", "a.csv", a_zip("\x1b[3m"), "archive", said="u001b"),
    Case("43 zip in a zip", "a.json", a_zip("b.zip", inner=a_zip("c")), "archive"),
    Case("43 many entries", "a.ndjson", many_entries, "archive"),
    Case("43 zip in gzip", "a.ndjson.gz", gzip.compress(a_zip("b")), "archive"),
    Case("43 tar", "a.ndjson", b"\0" * 257 + b"ustar\x0000" + b"\0" * 300, "archive"),
    Case("44 a program", "a.csv", b"MZ\x90\x00" + bytes(60), "type_mismatch"),
    Case("44 ELF", "a.ndjson", b"\x7fELF" + bytes(60), "type_mismatch"),
    Case("44 HTML", "a.csv", b"\n<!DOCTYPE html><html>", "type_mismatch"),
    Case("44 PDF", "a.csv", b"%PDF-1.7\n", "type_mismatch"),
    Case("44 JSON called CSV", "a.csv", GOOD, "type_mismatch"),
    Case("44 Parquet called CSV", "a.csv", b"PAR1xxxx", "type_mismatch"),
    Case("44 CSV called Parquet", "a.parquet", TABLE.encode(), "type_mismatch"),
    Case("44 noise called NDJSON", "a.ndjson", b"\x00\x01\x02" * 99, "type_mismatch"),
    Case("44 a bare name", "a", GOOD, "unknown_type"),
    Case("46 UTF-16", "a.ndjson", GOOD.decode().encode("utf-16"), "bad_encoding"),
    Case("54 XLSX", "a.csv", a_zip("[Content_Types].xml"), "archive", said="as CSV"),
    Case("54 XLS", "a.csv", b"\xd0\xcf\x11\xe0" + bytes(60), "type_mismatch"),
    Case("55 no byte", "a.ndjson", b"", "empty_file"),
    Case("55 no byte, packed", "a.ndjson.gz", gzip.compress(b""), "empty_file"),
    Case("55 no byte, zstd", "a.csv.zst", zstd.compress(b""), "empty_file"),
    Case("55 only blanks", "a.ndjson", b"\n \n\n", "empty_file", "stopped"),
    Case("55 an empty array", "a.json", b" [ ] ", "empty_file", "stopped"),
    Case("50 cut off, gzip", "a.ndjson.gz", gzip.compress(GOOD)[:-9], "cut_short"),
    Case("50 cut, array", "a.json", b"[" + GOOD.strip() + b",", "not_json", "stopped"),
    Case(
        "50 cut off in a line", "a.ndjson", GOOD + GOOD[:40], state="done", stored=1,
        refused=1, said="line 2: bad_json",
    ),
    Case(
        "56 a long line", "a.ndjson", GOOD + b"x" * 9_000_000 + b"\n" + GOOD,
        state="done", stored=1, refused=1, said="line 2: line_too_long",
    ),
]  # fmt: skip


@pytest.fixture
def run(source, tmp_path):
    def run(name: str, content: bytes, **options: Any) -> tuple[str, str]:
        """(why it was refused, what was said)."""
        file = tmp_path / name
        file.write_bytes(content)
        told = io.StringIO()
        try:
            call_command(
                "ingest",
                str(file),
                source="gateway",
                stdout=io.StringIO(),
                stderr=told,
                **options,
            )
        except CommandError as refused:
            return str(refused), told.getvalue() + str(refused)
        return "", told.getvalue()

    return run


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_gets_its_answer(run, case):
    content = case.content if isinstance(case.content, bytes) else case.content()
    refused, said = run(case.file, content)
    assert refused.endswith(f"[{case.code}]" if case.code else "")
    assert bool(refused) == bool(case.code)
    assert case.said in said
    assert "\x1b" not in said
    found = FileImport.objects.first()
    assert (found and found.state) == case.state
    assert Event.objects.count() == case.stored
    assert QuarantinedLine.objects.count() == case.refused
    rows = ledger()
    assert sum(row.stored + row.duplicate for row in rows) >= case.stored
    assert sum(row.refused for row in rows) == case.refused


NAMES = [
    "..%2f..%2fetc%2fpasswd.ndjson",
    "C:\\x.ndjson",
    "a\u202egpj.ndjson",
    "line\nbreak\x1b[31m.ndjson",
    "<script>alert(1)</script>.ndjson".replace("/", "_"),
    "x" * 240 + ".ndjson",
]


@pytest.mark.parametrize("name", NAMES)
def test_41_an_odd_name_is_shown_escaped_and_names_nothing(run, name):
    refused, said = run(name, GOOD + b"bad\n")
    assert not refused
    assert not any(each in said for each in "\x1b\u202e")
    kept = FileImport.objects.get()
    assert kept.name.isprintable()
    assert len(kept.name) <= 400
    assert Batch.objects.get().part.file_import == kept


@pytest.mark.parametrize("name", ["a\x00b.ndjson", "x" * 300 + ".ndjson", "../no.csv"])
def test_41_a_name_that_cannot_be_opened_is_told(source, name):
    with pytest.raises(CommandError, match="cannot be opened") as refused:
        call_command("ingest", name, source="gateway")
    assert "\x00" not in str(refused.value)


def test_41_a_folder_is_no_file(source, tmp_path):
    folder = tmp_path / "a.ndjson"
    folder.mkdir()
    with pytest.raises(CommandError, match="directory"):
        call_command("ingest", str(folder), source="gateway")


def resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.parametrize("suffix", [".ndjson.zst", ".csv.zst", ".json.zst"])
def test_56_two_gigabytes_without_a_line_break_are_capped(run, suffix):
    """Packed, so that the disk is spared: what is read is 2 GiB all the same."""
    begins = {".csv.zst": HEADER.encode() + b"\n", ".json.zst": b'[{"a":"'}
    squeeze = zstd.ZstdCompressor(level=1)
    block = b"x" * 2**20
    written = [squeeze.compress(begins.get(suffix, GOOD))]
    written += [squeeze.compress(block) for _ in range(2048)]
    before = resident()
    refused, said = run(f"a{suffix}", b"".join([*written, squeeze.flush()]))
    assert resident() - before <= 96
    if suffix == ".ndjson.zst":
        assert not refused
        assert "line 2: line_too_long" in said
        assert len(QuarantinedLine.objects.get().raw) <= 2**20
        assert Event.objects.count() == 1
    else:
        assert refused
        assert not Event.objects.exists()


def test_a_link_is_followed_and_the_file_behind_it_is_known(run, tmp_path: Path):
    run("day.ndjson", GOOD)
    (tmp_path / "link.ndjson").symlink_to(tmp_path / "day.ndjson")
    told = io.StringIO()
    call_command(
        "ingest",
        str(tmp_path / "link.ndjson"),
        source="gateway",
        stdout=io.StringIO(),
        stderr=told,
    )
    assert "is already imported" in told.getvalue()
