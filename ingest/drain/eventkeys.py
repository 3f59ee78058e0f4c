"""Which records are new: one key a record, for ever, whoever sends it how often.

A key is who the record is (`digest`) and what it says (`content`), 128 bits each. New
keys are copied into a unique table in the order of their digests, so that neighbours
share pages and two writers who meet cannot wait for each other in a ring. Only where
the copy meets a key that is there already is each of them inserted by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from itertools import pairwise
from operator import attrgetter
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from django.db import IntegrityError, connection, transaction

from ingest.drain import copying
from ingest.records.columns import in_utc
from ingest.records.schemas import Activity, Record, Request

DIGEST_BYTES: Final = 16
# A batch that was sent before shows in any of its keys; so many of each are looked at
# before the copy is tried, which would be undone.
PROBES: Final = 3
_POSTGRES_EPOCH: Final = 10_957  # days from 1970 to 2000
_ENCODER = msgspec.json.Encoder()

Digests = npt.NDArray[np.uint8]  # (n, 16)
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of n records, in the order in which they were received."""

    digests: Digests
    contents: Digests
    batch_ids: Integers
    days: Integers  # UTC days since 1970

    def __len__(self) -> int:
        return len(self.days)

    def digest(self, place: int) -> bytes:
        return bytes(self.digests[place])

    def content(self, place: int) -> bytes:
        return bytes(self.contents[place])


@dataclass(frozen=True, slots=True)
class Signed:
    """Digests and contents, 32 bytes each, and the lines that were signed."""

    digests: bytes
    contents: bytes
    lines: list[bytes]


def sign(
    source_id: int, records: Sequence[Record], written: bytes | None = None
) -> Signed:
    """Digests and contents of one source's records, in their order.

    The content is the record as the contract writes it, whatever spelling it came in:
    times in UTC, defaults left out. Records without an id have their content for one.
    `written` is the records one a line, as msgspec writes them, where that is known.
    """
    only_requests = set(map(type, records)) == {Request}
    if not (only_requests and _are_settled(records)):
        for record in records:
            _settle(record)
        written = None
    lines = (written or _ENCODER.encode_lines(records)).split(b"\n")[:-1]
    contents = [sha256(line).digest() for line in lines]
    prefix = f"{source_id}\0".encode()
    if only_requests:
        ids = [prefix + each.encode() for each in map(_EVENT_ID, records)]
    else:
        ids = [
            prefix + _own_id(each, content)
            for each, content in zip(records, contents, strict=True)
        ]
    digests = [sha256(each).digest() for each in ids]
    return Signed(b"".join(digests), b"".join(contents), lines)


def _own_id(record: Record, content: bytes) -> bytes:
    if isinstance(record, Request | Activity):
        return record.event_id.encode()
    return f"\0{content.hex()[:32]}".encode()


# Asked of all requests of a commit: as attributes they are read without a Python frame
# for each.
_EVENT_ID: Final = attrgetter("event_id")
_ZONE: Final = attrgetter("occurred_at.tzinfo")
_OPERATION: Final = attrgetter("operation")


def _are_settled(requests: Sequence[Record]) -> bool:
    return set(map(_ZONE, requests)) == {UTC} and "chat" not in set(
        map(_OPERATION, requests)
    )


def _settle(record: Record) -> None:
    if isinstance(record, Request | Activity):
        record.occurred_at = in_utc(record.occurred_at)
    if isinstance(record, Request) and record.operation == "chat":
        record.operation = None


def halves(digests: bytes) -> Digests:
    """The first 16 bytes of each SHA-256."""
    whole = np.frombuffer(digests, np.uint8).reshape(-1, 2 * DIGEST_BYTES)
    return np.ascontiguousarray(whole[:, :DIGEST_BYTES])


def repeats(keys: Keys) -> dict[int, int]:
    """Place of each key that stands there twice → place of its first."""
    leading = keys.digests.view(np.uint64)[:, 0]
    if len(np.unique(leading)) == len(leading):
        return {}
    first: dict[bytes, int] = {}
    found: dict[int, int] = {}
    for place in range(len(keys)):
        known = first.setdefault(keys.digest(place), place)
        if known != place:
            found[place] = known
    return found


def claim(keys: Keys, places: Integers) -> dict[int, bytes]:
    """Inserts the keys at these places, all different.

    Gives the places whose key was there before, with the content it has.
    """
    if not len(places):
        return {}
    ordered = places[np.argsort(keys.digests.view(">u8")[places, 0], kind="stable")]
    if not _seen_before(keys, places) and _copied(keys, ordered):
        return {}
    return _insert(keys, ordered)


def _seen_before(keys: Keys, places: Integers) -> bool:
    """Whether a few keys of each batch are there; a whole batch shows in any."""
    batches = keys.batch_ids[places]
    starts = [0, *np.flatnonzero(np.diff(batches)) + 1, len(places)]
    looked_at = {
        int(places[at])
        for start, end in pairwise(starts)
        for at in np.linspace(start, end - 1, PROBES, dtype=int)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS "
            "(SELECT FROM ingest_eventkey WHERE digest = ANY(%s::uuid[]))",
            [_uuids(keys.digests, sorted(looked_at))],
        )
        return bool(cursor.fetchone()[0])


_COPY: Final = (
    "COPY ingest_eventkey (digest, content, batch_id, occurred_on) "
    "FROM STDIN (FORMAT binary)"
)
# One row as PostgreSQL reads it: how many fields, and each after its length.
_ROW: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("digest_length", ">i4"),
        ("digest", np.uint8, DIGEST_BYTES),
        ("content_length", ">i4"),
        ("content", np.uint8, DIGEST_BYTES),
        ("batch_length", ">i4"),
        ("batch_id", ">i8"),
        ("day_length", ">i4"),
        ("day", ">i4"),
    ]
)
_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"


def _copied(keys: Keys, places: Integers) -> bool:
    """False where one of them was there before: then none is inserted."""
    rows = np.zeros(len(places), _ROW)
    rows["fields"] = 4
    rows["digest_length"] = rows["content_length"] = DIGEST_BYTES
    rows["batch_length"], rows["day_length"] = 8, 4
    rows["digest"], rows["content"] = keys.digests[places], keys.contents[places]
    rows["batch_id"] = keys.batch_ids[places]
    rows["day"] = keys.days[places] - _POSTGRES_EPOCH
    try:
        with transaction.atomic():
            copying.copy(_COPY, [_HEAD, rows.tobytes(), _END])
    except IntegrityError:
        return False
    return True


_INSERT: Final = """
WITH sent AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::int[])
        WITH ORDINALITY AS sent (digest, content, batch_id, day, place)
), new AS (
    INSERT INTO ingest_eventkey (digest, content, batch_id, occurred_on)
    SELECT digest, content, batch_id, date '1970-01-01' + day FROM sent ORDER BY place
    ON CONFLICT DO NOTHING RETURNING digest
)
SELECT place - 1 FROM sent LEFT JOIN new USING (digest) WHERE new.digest IS NULL
"""
_OLD: Final = """
SELECT uuid_send(digest), uuid_send(content)
FROM ingest_eventkey WHERE digest = ANY(%s::uuid[])
"""


def _insert(keys: Keys, places: Integers) -> dict[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                _uuids(keys.digests, places),
                _uuids(keys.contents, places),
                copying.numbers(keys.batch_ids[places].tolist()),
                copying.numbers(keys.days[places].tolist()),
            ],
        )
        old = [int(places[at]) for (at,) in cursor.fetchall()]
        if not old:
            return {}
        # A statement of its own: it sees what another writer committed meanwhile.
        cursor.execute(_OLD, [_uuids(keys.digests, old)])
        known = {bytes(digest): bytes(content) for digest, content in cursor.fetchall()}
    return {place: known[keys.digest(place)] for place in sorted(old)}


def _uuids(digests: Digests, places: "Sequence[int] | Integers") -> str:
    """An array as PostgreSQL writes it: much cheaper to send than adapted values."""
    return "{" + ",".join(row.tobytes().hex() for row in digests[places]) + "}"
