"""manage.py ingest: CSV and Parquet, whose columns are the contract's fields."""

import csv
import inspect
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.management import CommandError, call_command

from ingest.doors.unpacking import zstd
from ingest.importing import files, imports
from ingest.importing.forms import columns, lines, parts, tables
from ingest.ledger import ledger
from ingest.models import Account, Event, FileImport, QuarantinedLine
from ingest.records import schemas
from tests.ingest.records import an_account, ndjson, requests
from tests.ingest.test_contract import EXAMPLES

pytestmark = pytest.mark.django_db

HEADER = "type,event_id,occurred_at,account_id,model,input_tokens,output_tokens"
ROW = "request,ev-1,2026-11-18T09:30:00Z,acct-1,nova-2,100,200"


@pytest.fixture
def ingest(source, tmp_path):
    """Writes a file and imports it; gives the counts and what was said."""

    def run(content: str | bytes, name: str = "day.csv", **options: Any) -> Any:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        out, told = io.StringIO(), io.StringIO()
        call_command(
            "ingest",
            str(file),
            "--json",
            source="gateway",
            stdout=out,
            stderr=told,
            **options,
        )
        return {**json.loads(out.getvalue()), "said": told.getvalue()}

    return run


def test_a_row_is_a_record_of_its_type(ingest):
    table = (
        f"{HEADER},kind\n{ROW},\nactivity,act-1,2026-11-18T09:29:00Z,acct-1,,,,login"
    )
    assert ingest(table)["stored"] == 2
    assert set(Event.objects.values_list("kind", flat=True)) == {"request", "login"}


def test_the_type_may_be_said_once(ingest):
    table = "event_id,occurred_at,account_id,model,input_tokens,output_tokens\n"
    table += ROW.partition(",")[2]
    assert ingest(table, type="request")["stored"] == 1
    accounts = f"account_id,updated_at,plan\nacct-7,{an_account()['updated_at']},team"
    assert ingest(accounts, "accounts.csv", type="account")["stored"] == 1
    assert Account.objects.get(external_id="acct-7").plan == "team"


def test_values_are_of_the_kind_of_their_field(ingest):
    table = (
        f"{HEADER},temperature,stream,turn,prior_response_hashes,latency_ms,prompt\n"
        f'{ROW},0.5,TRUE,3,"[""a"",""b""]",,"two\nlines, and a ""quote"""\n'
        f"{ROW.replace('ev-1', 'ev-2')},1,false,1,c|d,12,\n"
    )
    assert ingest(table)["stored"] == 2
    first, second = Event.objects.order_by("event_id")
    assert (first.temperature, first.stream, first.turn) == (0.5, True, 3)
    assert (first.prior_response_hashes, first.latency_ms) == (["a", "b"], None)
    assert first.skeleton_hash is not None
    assert (second.temperature, second.stream, second.latency_ms) == (1.0, False, 12)
    assert second.prior_response_hashes == ["c", "d"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (lambda text: text.replace(",", ";"), "UTF-8, semicolon"),
        (lambda text: text.replace(",", "\t"), "UTF-8, tab"),
        (lambda text: text.replace("\n", "\r\n"), "UTF-8, comma"),
        (lambda text: "\ufeff" + text, "UTF-8, comma"),
        (lambda text: text.encode("utf-16"), "UTF-16, comma"),
        (lambda text: text.replace(",", ";").encode("utf-16"), "UTF-16, semicolon"),
        (lambda text: "sep=;\r\n" + text.replace(",", ";"), "with a `sep=` line"),
        (lambda text: '"sep=,"\n' + text, "with a `sep=` line"),
    ],
)
def test_46_how_a_spreadsheet_writes_is_detected_and_told(ingest, written, said):
    counts = ingest(written(f"{HEADER}\n{ROW}\n\n"))
    assert counts["stored"] == 1
    assert said in counts["said"]


def test_a_packed_table_is_read(ingest):
    body = zstd.compress(f"{HEADER}\n{ROW}".encode())
    assert ingest(body, "day.csv.zst")["stored"] == 1


def test_unknown_columns_are_counted_as_any_unknown_field(ingest):
    ingest(f"{HEADER},colour\n{ROW},red")
    assert Event.objects.get().batch_id
    assert FileImport.objects.get().parts.get().batch.unknown_fields == {"colour": 1}


# --- Refused -------------------------------------------------------------------------

SECOND = ROW.replace("ev-1", "ev-2")
BAD_TABLES = [
    ("45 unclosed quote", f'{HEADER}\n{ROW}\n"{SECOND}', "bad_table", "line 3"),
    ("45 too few cells", f"{HEADER}\n{ROW}\nrequest,ev-2", "ragged_row", "row 3"),
    ("45 too many cells", f"{HEADER}\n{ROW},more", "ragged_row", "row 2"),
    ("45 twice", f"{HEADER},model\n{ROW},x", "bad_header", "model' twice"),
    ("45 no name", f"{HEADER},\n{ROW},x", "bad_header", "column 8"),
    ("45 no header", ROW, "bad_header", "no header"),
    ("45 no type", f"{HEADER[5:]}\n{ROW[8:]}", "bad_header", "--type request"),
    ("45 another sep", f"sep=!\n{HEADER}\n{ROW}", "bad_header", "no delimiter"),
    (
        "47 event id",
        f"{HEADER}\n{ROW.replace('ev-1', '1.23E+15')}",
        "damaged_id",
        "row 2: `event_id` (1.23E+15): the spreadsheet damaged the id",
    ),
    (
        "47 account id",
        f"{HEADER}\n{ROW}\n{SECOND.replace('acct-1', '9E+12')}",
        "damaged_id",
        "row 3",
    ),
    ("15 a wrong type", f"{HEADER}\n{ROW}.5", "wrong_type", "row 2: `output_tokens`"),
    ("19 no zone", f"{HEADER}\n{ROW.replace('Z', '')}", "bad_time", "row 2"),
    ("7 latin", f"{HEADER}\n{ROW}é".encode("latin-1"), "bad_encoding", "UTF-8"),
    ("NUL", f"{HEADER}\n{ROW}\n" + "x" * 5000 + "\x00", "type_mismatch", "NUL"),
    ("56 no line break", "x" * 1_100_000, "line_too_long", "is this a table?"),
    ("only a header", HEADER, "empty_file", "no record"),
]


@pytest.mark.parametrize(
    ("table", "code", "sentence"),
    [case[1:] for case in BAD_TABLES],
    ids=[case[0] for case in BAD_TABLES],
)
def test_a_bad_table_is_refused_as_a_whole(ingest, table, code, sentence):
    with pytest.raises(CommandError) as refused:
        ingest(table)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(f"[{code}]")
    assert not Event.objects.exists()
    assert not QuarantinedLine.objects.exists()


def test_45_the_expected_header_is_told(ingest):
    with pytest.raises(CommandError, match=f"Expected, in any order: {HEADER}"):
        ingest("a,b\n1,2")
    with pytest.raises(CommandError, match="1 of 2 rows cannot be stored"):
        ingest(f"{HEADER}\n{ROW}\nrequest,ev-2")


def test_45_the_good_rows_are_stored_where_a_person_says_so(ingest):
    damaged = SECOND.replace("acct-1", "1.23E+15")
    table = f"{HEADER}\n{ROW}\n{damaged}\nrequest,ev-3\n{ROW.replace('ev-1', 'ev-4')}"
    counts = ingest(table, keep_good=True)
    assert (counts["received"], counts["stored"], counts["refused"]) == (4, 2, 2)
    assert "line 3: damaged_id" in counts["said"]
    assert "line 4: ragged_row" in counts["said"]
    kept = QuarantinedLine.objects.get(code="damaged_id")
    assert "1.23E+15" in kept.message
    assert [row for row in ledger() if not row.adds_up] == []


def test_rows_are_numbered_as_in_the_file_over_several_parts(ingest, monkeypatch):
    monkeypatch.setattr(parts, "PART_RECORDS", 10)
    rows = [ROW.replace("ev-1", f"ev-{n}") for n in range(34)]
    rows[29] = "request,ev-x"
    counts = ingest("\n".join([HEADER, *rows]), keep_good=True)
    assert counts["stored"] == 33
    assert "line 31: ragged_row" in counts["said"]


# --- Parquet -------------------------------------------------------------------------


@pytest.fixture
def parquet(ingest):
    def run(frame: pl.DataFrame, name: str = "day.parquet", **options: Any) -> Any:
        written = io.BytesIO()
        frame.write_parquet(written, row_group_size=25)
        return ingest(written.getvalue(), name, **options)

    return run


AT = datetime(2026, 11, 18, 9, 30, 0, 123000, UTC)


def a_frame(count: int = 3, **columns: Any) -> pl.DataFrame:
    told = {name: pl.Series(values) for name, values in columns.items()}
    return pl.DataFrame(requests(count)).with_columns(**told)


def test_parquet_is_read(parquet):
    frame = a_frame(
        occurred_at=[AT] * 3,
        prior_response_hashes=[["a", "b"], None, []],
        temperature=[0.5, None, 1.0],
        stream=[True, None, False],
    )
    assert parquet(frame)["stored"] == 3
    first = Event.objects.get(event_id="ev-0")
    assert (first.occurred_at, first.temperature, first.stream) == (AT, 0.5, True)
    assert first.prior_response_hashes == ["a", "b"]


def test_columns_of_near_kinds_are_converted(parquet):
    frame = a_frame(
        account_id=[1, 2, 3],
        input_tokens=[1.0, 2.0, 3.0],
        model=pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        occurred_at=pl.Series([AT] * 3).dt.convert_time_zone("Asia/Tokyo"),
    )
    assert parquet(frame)["stored"] == 3
    assert Account.objects.filter(external_id="1").exists()
    assert Event.objects.get(event_id="ev-0").occurred_at == AT


def test_a_large_parquet_file_becomes_several_batches(parquet, monkeypatch):
    monkeypatch.setattr(parts, "PART_RECORDS", 10)
    counts = parquet(a_frame(95, latency_ms=[*range(-1, 94)]))
    assert (counts["stored"], counts["refused"]) == (94, 1)
    assert "line 1: number_range" in counts["said"]
    assert FileImport.objects.get().parts.count() >= 10


def test_unknown_columns_of_parquet_are_left_out_and_told(parquet):
    counts = parquet(a_frame(colour=["red"] * 3))
    assert counts["stored"] == 3
    assert "without the columns colour" in counts["said"]


def test_the_type_of_parquet_may_be_said_once(parquet):
    assert parquet(a_frame().drop("type"), type="request")["stored"] == 3


@pytest.mark.parametrize(
    ("frame", "code", "sentence"),
    [
        (lambda: a_frame().drop("type"), "bad_header", "--type request"),
        (
            lambda: a_frame(occurred_at=[AT.replace(tzinfo=None)] * 3),
            "bad_time",
            "time zone",
        ),
        (lambda: a_frame(model=[b"x"] * 3), "wrong_type", "`model` is of type Binary"),
        (lambda: a_frame(model=[{"a": 1}] * 3), "wrong_type", "`model`"),
        (
            lambda: a_frame(input_tokens=[1.0, 2.5, 3.0]),
            "bad_parquet",
            "cannot be read",
        ),
        (
            lambda: a_frame(input_tokens=["1", "x", "3"]),
            "bad_parquet",
            "cannot be read",
        ),
    ],
)
def test_a_column_of_another_kind_is_refused(parquet, frame, code, sentence):
    with pytest.raises(CommandError) as refused:
        parquet(frame())
    assert sentence in str(refused.value)
    assert f"[{code}]" in str(refused.value)
    assert not Event.objects.exists()


def test_a_damaged_parquet_file_is_refused(ingest):
    with pytest.raises(CommandError, match="bad_parquet"):
        ingest(b"PAR1" + b"x" * 100 + b"PAR1", "day.parquet")


def test_every_field_of_the_contract_can_be_a_column():
    assert set(tables.kinds()) <= frozenset().union(*schemas.FIELDS.values())
    assert requests(1)[0].keys() <= set(HEADER.split(","))


# --- The page ------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "contract" / "files.md").read_text()


def test_the_table_of_the_page_is_stored(ingest):
    (table,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    assert ingest(table)["stored"] == 2
    first = Event.objects.get(event_id="req-01JD4")
    assert first.prior_response_hashes == ["9d5ed678fe57", "00aa140957af"]


def test_the_page_explains_every_code_of_a_file():
    sources = map(inspect.getsource, (files, imports, tables, columns, lines))
    used = set(re.findall(r'(?:code=|_flawed\(\s*row, )"(\w+)"', "".join(sources)))
    of_lines = (Path(__file__).parents[2] / "docs/contract/README.md").read_text()
    known = {"already_imported"}  # no refusal: the file is there
    told = set(re.findall(r"`(\w+)`", PAGE + of_lines))
    assert used - known - told == set()


def test_every_example_of_the_contract_is_the_same_as_a_row(ingest):
    fields = list(dict.fromkeys(name for each in EXAMPLES for name in each))
    written = io.StringIO()
    table = csv.DictWriter(written, fields)
    table.writeheader()
    for each in EXAMPLES:
        lists = {n: "|".join(v) for n, v in each.items() if isinstance(v, list)}
        table.writerow(each | lists)
    assert ingest(written.getvalue())["stored"] == len(EXAMPLES)
    again = ingest(ndjson(EXAMPLES), "day.ndjson")
    assert (again["duplicates"], again["conflicts"]) == (len(EXAMPLES), 0)
