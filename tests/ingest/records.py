"""The smallest valid record of each kind; a test says only what matters to it."""

import gzip
import json
from collections.abc import Iterable
from typing import Any

AT = "2026-11-18T09:30:00Z"
Record = dict[str, Any]


def a_request(**told: Any) -> Record:
    return {
        "type": "request",
        "event_id": "ev-1",
        "occurred_at": AT,
        "account_id": "acct-1",
        "model": "nova-2",
        "input_tokens": 100,
        "output_tokens": 200,
        **told,
    }


def an_activity(**told: Any) -> Record:
    return {
        "type": "activity",
        "event_id": "act-1",
        "occurred_at": AT,
        "account_id": "acct-1",
        "kind": "login",
        **told,
    }


def an_account(**told: Any) -> Record:
    return {"type": "account", "account_id": "acct-1", "updated_at": AT, **told}


def a_release(**told: Any) -> Record:
    return {"type": "model_release", "model": "nova-2", "released_at": AT, **told}


def ndjson(records: Iterable[Record | str | bytes]) -> bytes:
    """One line each; what is no record goes in as it is."""
    return b"".join(map(_line, records))


def _line(record: Record | str | bytes) -> bytes:
    if isinstance(record, bytes):
        return record + b"\n"
    text = record if isinstance(record, str) else json.dumps(record)
    return text.encode() + b"\n"


def requests(count: int, **told: Any) -> list[Record]:
    return [a_request(event_id=f"ev-{n}", **told) for n in range(count)]


def packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)
