"""Exactly once through any way in: the same events come by the API in each of its forms
and by files of each kind, at once and in any order, and are there once."""

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.management import call_command

from ingest.doors.unpacking import zstd
from ingest.drain import writers
from ingest.ledger import ledger
from ingest.models import Event, QuarantinedLine
from tests.ingest.fixtures import Gateway
from tests.ingest.records import Record, ndjson, packed, requests

JSON = "application/json"
SENT = 40
EVENTS = [
    {
        **record,
        "temperature": n / 8,
        "stream": n % 2 == 0,
        "client_ip": f"198.51.100.{n}",
        "occurred_at": f"2026-11-18T0{n % 9}:30:00.5Z",
        "user_agent": 'cür|"l", 8',
        "prior_response_hashes": ["9d5e", f"{n:04x}"],
        "prompt": f"Explain tides\nto {n} pupils; briefly",
    }
    for n, record in enumerate(requests(SENT))
]


def as_csv(records: list[Record]) -> bytes:
    told = io.StringIO()
    table = csv.DictWriter(told, records[0].keys())
    table.writeheader()
    for record in records:
        hashes = json.dumps(record["prior_response_hashes"])
        table.writerow({**record, "prior_response_hashes": hashes})
    return told.getvalue().encode()


def as_parquet(records: list[Record]) -> bytes:
    written = io.BytesIO()
    pl.DataFrame(records).write_parquet(written)
    return written.getvalue()


def as_array(records: list[Record]) -> bytes:
    return json.dumps(records, indent=1).encode()


POSTS: dict[str, Callable[[Gateway, list[Record]], Any]] = {
    "lines": lambda to, told: to.post(ndjson(told)),
    "gzip": lambda to, told: to.post(packed(ndjson(told)), Content_Encoding="gzip"),
    "zstd": lambda to, told: to.post(
        zstd.compress(ndjson(told)), Content_Encoding="zstd"
    ),
    "array": lambda to, told: to.post(as_array(told), JSON),
}
FILES: dict[str, Callable[[list[Record]], bytes]] = {
    ".ndjson": ndjson,
    ".ndjson.gz": lambda told: packed(ndjson(told)),
    ".json.zst": lambda told: zstd.compress(as_array(told)),
    ".csv": as_csv,
    ".parquet": as_parquet,
}


def bring(way: str, gateway: Gateway, folder: Path, records: list[Record]) -> None:
    if way in POSTS:
        assert POSTS[way](gateway, records).status_code == 202
        return
    file = folder / f"{random.random()}{way}"
    file.write_bytes(FILES[way](records))
    call_command("ingest", str(file), "--quiet", source="gateway", stdout=io.StringIO())


@pytest.mark.parametrize("seed", range(3))
def test_the_same_events_by_every_way_are_there_once(gateway, tmp_path, seed):
    dice = random.Random(seed)
    ways = [*POSTS, *FILES]
    for way in dice.sample(ways, len(ways)):
        order = dice.sample(EVENTS, SENT)
        cut = dice.randrange(1, SENT)
        for part in (order[:cut], order[cut:]):
            bring(way, gateway, tmp_path, part)
            if dice.random() < 0.5:
                writers.store_pending()
    writers.store_pending()
    assert Event.objects.count() == SENT
    assert not QuarantinedLine.objects.exists()
    (row,) = ledger()
    sent = SENT * len(ways)
    assert (row.received, row.stored, row.duplicate) == (sent, SENT, sent - SENT)
