"""Requests made up from a seed: good ones, spoilt ones, noise; cheap to make by the
ten thousand."""

import copy
import gzip
import json
import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.doors.unpacking import zstd
from ingest.records import schemas
from tests.ingest.litellm_log import a_payload
from tests.ingest.records import a_release, a_request, an_account, an_activity, ndjson
from tests.ingest.test_otlp import a_chat, a_trace, as_protobuf

NDJSON, JSON = "application/x-ndjson", "application/json"
PROTOBUF = "application/x-protobuf"
MAKERS = {
    "request": a_request,
    "activity": an_activity,
    "account": an_account,
    "model_release": a_release,
}
# What breaks parsers, put in anywhere.
TOKENS: Sequence[bytes] = (
    *(b"NaN", b"-Infinity", b"1e400", b"9" * 400, b"-0", b"0x1F", b"1_000"),
    *(b"\\u0000", b"\\ud800", b"\\udc00x", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf"),
    *(b"[" * 40, b'{"a":' * 40, b"]" * 40, b"}", b"{", b'"', b"\\", b",", b":"),
    *(b"\r\n", b"\n\n", b"\r", b"\x0b", b"\xe2\x80\xa8", b"null", b"true", b"[]"),
    *(b'"__proto__"', b'"type"', b'"event_id"', b"<script>", b"{{7*7}}", b"' OR 1=1--"),
    *("\u202e\u200b".encode(), "é".encode(), b"x" * 2000, b"=cmd|' /C calc'!A0"),
)
VALUES: Sequence[Any] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**70, -(2**63), 1.5, 1e308),
    *("", " ", "x", "x" * 300, "\x00", "\ud800", "1970-01-01T00:00:00Z", "DE", "de"),
    *("2026-11-18T09:30:00", "2026-11-18T09:30:60Z", "9999-12-31T23:59:59-01:00"),
    *("999.1.1.1", "::ffff:10.0.0.1", "fe80::1%eth0", "a@b.example", "team", "banned"),
    *("f1:k=0123456789abcdef;s=fedcba9876543210", "f9:k=0", [], {}, [None], ["a"] * 9),
    *({"a": {"b": [1]}}, [[[[[]]]]], "acct-1", "chat", "\u202egnp.exe", "🙂" * 90),
)
HEADERS: Sequence[tuple[str, Sequence[str]]] = (
    ("CONTENT_TYPE", (NDJSON, JSON, PROTOBUF, "", "text/csv", "a/b; charset=x", ";;")),
    ("HTTP_CONTENT_ENCODING", ("gzip", "zstd", "br", "gzip, gzip", "identity", "\xe9")),
    ("HTTP_IDEMPOTENCY_KEY", ("k", "", "x" * 300, "\xe9", "a b")),
    ("HTTP_X_STILLWATCH_CONTRACT", ("1", "2", "", "\x00")),
    ("HTTP_X_STILLWATCH_SOURCE", ("gateway", "another", "")),
    ("HTTP_AUTHORIZATION", ("", "Bearer", "Bearer sw_0_0", "Basic x", "Bearer \xe9")),
    ("CONTENT_LENGTH", ("0", "-1", "ten", "1", "99999999999", "")),
    ("HTTP_TRANSFER_ENCODING", ("chunked", "gzip")),
    ("QUERY_STRING", ("a=b", "key=sw_000000000000_" + "0" * 64, "%00", "%ff")),
    ("REQUEST_METHOD", ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW")),
    ("HTTP_ACCEPT", ("text/html", "*/*;q=0", "\xe9")),
)


@dataclass
class MadeUp:
    """A request: what differs from an ordinary one stands in `environ`."""

    body: bytes
    content_type: str
    environ: dict[str, str] = field(default_factory=dict)


def telemetry(dice: random.Random) -> MadeUp:
    records = [_record(dice) for _ in range(dice.choice((1, 1, 1, 2, 5)))]
    if dice.random() < 0.3:
        return _spoilt(json.dumps(records).encode(), JSON, dice)
    return _spoilt(ndjson(records), NDJSON, dice)


def litellm(dice: random.Random) -> MadeUp:
    many = [_changed(a_payload(n), dice) for n in range(dice.choice((1, 1, 2, 4)))]
    if dice.random() < 0.3:
        return _spoilt(ndjson(many), NDJSON, dice)
    told = many if dice.random() < 0.7 else many[0]
    return _spoilt(json.dumps(told).encode(), JSON, dice)


def traces(dice: random.Random) -> MadeUp:
    spans = [a_chat(n + 1) for n in range(dice.choice((1, 1, 2, 4)))]
    if dice.random() < 0.5:
        told = [_changed(span, dice) for span in spans]
        return _spoilt(json.dumps(a_trace(*told)).encode(), JSON, dice)
    return _spoilt(as_protobuf(a_trace(*spans)), PROTOBUF, dice)


def batch_paths(dice: random.Random) -> MadeUp:
    """What stands where a batch's id should; the body is the path."""
    alphabet = "0123456789abcdef-ABCDEFxyz%/._~ \u00e9"
    size = dice.choice((0, 1, 8, 32, 36, 36, 37, 300))
    text = "".join(dice.choice(alphabet) for _ in range(size))
    made = _spoilt(b"", "", dice)
    return MadeUp(text.encode(), "", made.environ)


MAKE: dict[str, Callable[[random.Random], MadeUp]] = {
    "/api/v1/telemetry": telemetry,
    "/api/v1/telemetry/litellm": litellm,
    "/v1/traces": traces,
    "/api/v1/batches/": batch_paths,
}


def _record(dice: random.Random) -> dict[str, Any]:
    kind = dice.choice(list(MAKERS))
    record = MAKERS[kind]()
    if "event_id" in record:
        record["event_id"] = f"ev-{dice.randrange(10_000)}"
    for _ in range(dice.choice((0, 0, 1, 2, 5))):
        name = dice.choice([*sorted(schemas.FIELDS[kind]), "colour", "\x00", ""])
        record[name] = copy.deepcopy(dice.choice(VALUES))
    return record


def _changed(told: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A copy in which some values, at any depth, are others or gone."""
    copied: dict[str, Any] = json.loads(json.dumps(told))
    for _ in range(dice.choice((0, 0, 1, 1, 3))):
        place: Any = copied
        while isinstance(place, dict | list) and place:
            names = list(place) if isinstance(place, dict) else range(len(place))
            name = dice.choice(list(names))
            if dice.random() < 0.3 or not isinstance(place[name], dict | list):
                place[name] = copy.deepcopy(dice.choice(VALUES))
                break
            place = place[name]
    return copied


def _spoilt(body: bytes, content_type: str, dice: random.Random) -> MadeUp:
    """Half of them keep their bytes, most keep their headers."""
    made = MadeUp(body, content_type)
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 8))):
        made.body = _bytes_changed(made.body, dice)
    if dice.random() < 0.25:
        _pack(made, dice)
    if dice.random() < 0.15:
        name, values = dice.choice(HEADERS)
        made.environ[name] = dice.choice(values)
    return made


def _bytes_changed(body: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(body) + 1)
    end = min(len(body), at + dice.choice((1, 1, 4, 40, 400)))
    match dice.randrange(6):
        case 0:
            return body[:at] + dice.choice(TOKENS) + body[at:]
        case 1:
            return body[:at] + dice.choice(TOKENS) + body[end:]
        case 2:
            return body[:at] + body[end:]
        case 3:
            return body[:at]
        case 4:
            return body[:end] + body[at:]
        case _:
            return body[:at] + dice.randbytes(dice.choice((1, 2, 16))) + body[end:]


def _pack(made: MadeUp, dice: random.Random) -> None:
    name, packed = dice.choice(
        (
            ("gzip", gzip.compress(made.body, 1)),
            ("gzip", zlib.compress(made.body)),
            ("zstd", zstd.compress(made.body)),
        )
    )
    made.environ["HTTP_CONTENT_ENCODING"] = name
    made.body = _bytes_changed(packed, dice) if dice.random() < 0.3 else packed
