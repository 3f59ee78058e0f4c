"""A chunk is read fast or carefully; both must come to the same verdict."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.records import reading, schemas
from ingest.records.lines import Chunk, chunks
from ingest.records.meanings import Clock
from tests.ingest.records import a_request, an_account, ndjson, requests

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
CLOCK = Clock(NOW, NOW - timedelta(days=396))
LINE = ndjson([a_request()]).strip()


def read(data: bytes) -> reading.Reading:
    return reading.read(Chunk(data, 1, 0), CLOCK)


def codes(data: bytes) -> list[str]:
    return [refusal.verdict.code for refusal in read(data).refusals]


def test_ordinary_lines_go_the_fast_way(monkeypatch):
    monkeypatch.setattr(reading, "_read_carefully", None)
    body = ndjson([*requests(50), an_account(email="a@b.example", plan=None)])
    assert len(read(body.strip()).records) == 51


def test_unknown_and_null_fields_go_the_fast_way(monkeypatch):
    monkeypatch.setattr(reading, "_read_carefully", None)
    found = read(ndjson(requests(3, colour="red", stream=None)).strip())
    assert (len(found.records), found.unknown) == (3, {"colour": 3})


@pytest.mark.parametrize(
    "tail",
    [
        b',"event_id":"other"}',
        b',"event_id" :"other"}',
        b',"event_id"\t:\t"other","prompt":"\\u0022:"}',
        b',"input_tokens":5,"prompt":"\\u0022\\u0022"}',
        b',"input_tokens":5,"user_agent":"\\":","ja4":null}',
        b',"eve\\u006et_id":"other"}',
        b',"type":"activity","kind":"login"}',
        b',"colour":1,"colour":2}',
        b',"colour":{"a":1,"a":2}}',
    ],
)
@pytest.mark.parametrize("around", [b"%s", LINE.replace(b"ev-1", b"ev-2") + b"\n%s"])
def test_a_key_that_stands_twice_is_never_missed(tail, around):
    assert codes(around % (LINE[:-1] + tail)) == ["duplicate_key"]


@pytest.mark.parametrize(
    "data",
    [
        LINE + LINE,
        LINE + LINE + b"\n\n" + LINE.replace(b"ev-1", b"ev-2"),
        LINE[:-1] + b"\n}",
        LINE + b"\n" + LINE[:20] + b"\n" + LINE[20:],
    ],
)
def test_one_line_is_one_record(data):
    found = read(data)
    assert found.refusals
    assert all(each.verdict.code == "bad_json" for each in found.refusals)


def test_line_numbers_count_blank_lines_and_survive_crlf():
    found = read(b"\n" + LINE + b"\r\n  \r\n" + b"bad\r\n" + LINE)
    assert list(found.lines) == [2, 5]
    assert [(each.line, each.verdict.code) for each in found.refusals] == [
        (4, "bad_json")
    ]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 100, 10_000])
@pytest.mark.parametrize("ends", [b"", b"\n", b"\r\n\r\n"])
def test_chunks_are_the_stream_however_it_comes(piece, ends):
    body = b"\xef\xbb\xbf" + ndjson(requests(40)).strip() + ends
    stream = (body[at : at + piece] for at in range(0, len(body), piece))
    found = list(chunks(stream, max_line=1000, chunk_bytes=500))
    lines = [line for chunk in found for line in chunk.split()]
    assert lines[:40] == body[3:].split(b"\n")[:40] or ends.startswith(b"\r")
    for chunk in found:
        assert body[chunk.offset :].startswith(chunk.data)
        assert body[: chunk.offset].count(b"\n") + 1 == chunk.first_line


@pytest.mark.parametrize("piece", [1, 10, 64, 10_000])
def test_an_overlong_line_is_skipped_and_the_rest_is_read(piece):
    body = b"short\n" + b"x" * 500 + b"\nafter\n" + b"y" * 501
    stream = (body[at : at + piece] for at in range(0, len(body), piece))
    found = list(chunks(stream, max_line=100, chunk_bytes=50))
    assert [
        (each.first_line, each.offset, each.data[:5], each.overlong) for each in found
    ] == [
        (1, 0, b"short", False),
        (2, 6, b"xxxxx", True),
        (3, 507, b"after", False),
        (4, 513, b"yyyyy", True),
    ]
    assert max(len(each.data) for each in found) == 100


SOME_LINES = st.one_of(
    st.sampled_from([LINE, LINE + LINE, b"", b"{}", b"[]", b"null", b'{"type":1}']),
    st.binary(max_size=60),
    st.builds(
        lambda name, value: LINE[:-1] + b',"' + name.encode() + b'":' + value + b"}",
        st.sampled_from(sorted(schemas.FIELDS["request"] | {"colour"})),
        st.sampled_from(
            [
                b"null",
                b"1",
                b"-1",
                b"1.5",
                b"1e400",
                b"NaN",
                b'""',
                b'"x"',
                b'"\\u0000"',
                b'"\\ud800"',
                b'"\xff"',
                b"{}",
                b"[]",
                b'{"a":{"b":[1]}}',
                b"[" * 40 + b"]" * 40,
                b"9" * 400,
                b"true",
            ]
        ),
    ),
)


@settings(max_examples=300, deadline=1000)
@given(st.lists(SOME_LINES, max_size=6))
def test_a_lines_verdict_does_not_depend_on_its_neighbours(lines):
    together = read(b"\n".join(lines))
    alone = [read(line) for data in lines for line in data.split(b"\n")]
    assert together.received == sum(each.received for each in alone)
    assert [each.verdict for each in together.refusals] == [
        refusal.verdict for each in alone for refusal in each.refusals
    ]
    carefully = reading._read_carefully(Chunk(b"\n".join(lines), 1, 0), CLOCK)
    assert carefully.records == together.records
    assert carefully.unknown == together.unknown


@settings(max_examples=200, deadline=1000)
@given(st.binary(max_size=300), st.integers(0, 2**32))
def test_no_bytes_can_break_the_reader(noise, seed):
    rng = random.Random(seed)
    line = bytearray(LINE)
    for byte in noise:
        line[rng.randrange(len(line))] = byte
    found = read(bytes(line))
    assert found.received <= bytes(line).count(b"\n") + 1
    assert all(each.verdict.code and each.verdict.message for each in found.refusals)
