"""Packed bodies: gzip and zstd, several streams in a row, bombs and damage."""

import contextlib
import gzip
import random
import resource
import zlib

import pytest

from ingest.doors import unpacking
from ingest.doors.errors import BrokenCompression, TooLarge
from ingest.doors.unpacking import unpack, zstd
from ingest.drain import writers
from ingest.models import Batch, Event
from tests.ingest.records import a_request, ndjson, packed, requests

MIB = 2**20
LIMIT = 100 * MIB


def plain(body: bytes, limit: int = LIMIT) -> bytes:
    return b"".join(unpack(body, limit=limit))


def test_zstd_is_taken_and_kept_as_it_came(gateway):
    body = zstd.compress(ndjson(requests(3)))
    assert gateway.post(body, Content_Encoding="zstd").json()["accepted"] == 3
    assert bytes(Batch.objects.get().payload or b"") == body
    writers.store_pending()
    assert Event.objects.count() == 3


def test_what_came_plain_is_kept_as_zstd(gateway):
    gateway.send(*requests(3))
    payload = bytes(Batch.objects.get().payload or b"")
    assert payload.startswith(unpacking.ZSTD_MAGIC)
    assert plain(payload) == ndjson(requests(3))


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_an_array_may_be_packed_too(gateway, pack):
    body = b"[" + ndjson([a_request()]).strip() + b"]"
    form = {gzip.compress: "gzip", zstd.compress: "zstd"}[pack]
    answer = gateway.post(pack(body), "application/json", Content_Encoding=form)
    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize("pack", [packed, zstd.compress], ids=["gzip", "zstd"])
def test_streams_in_a_row_are_one_body(pack):
    parts = [random.Random(n).randbytes(n * 997) for n in range(300)]
    assert plain(b"".join(map(pack, parts))) == b"".join(parts)


def test_a_zstd_frame_that_says_nothing_may_stand_between():
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    body = skippable + zstd.compress(b"a") + skippable + zstd.compress(b"b")
    assert plain(body) == b"ab"


@pytest.mark.parametrize("pack", [packed, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("spoil", ["cut", "tail", "bit"])
def test_a_damaged_body_is_refused_and_nothing_is_kept(gateway, pack, spoil):
    form = "gzip" if pack is packed else "zstd"
    body = bytearray(pack(ndjson(requests(50))))
    if spoil == "cut":
        del body[-3:]
    elif spoil == "tail":
        body += b"junk"
    else:
        body[len(body) // 2] ^= 0xFF
    if form == "zstd" and spoil == "bit":
        # Without a checksum a flipped bit may go unseen: with one it may not.
        told = {int(zstd.CompressionParameter.checksum_flag): 1}
        body = bytearray(zstd.compress(ndjson(requests(50)), options=told))
        body[len(body) // 2] ^= 0xFF
    answer = gateway.post(bytes(body), Content_Encoding=form)
    assert (answer.status_code, answer.json()["code"]) == (400, f"broken_{form}")
    assert not Batch.objects.exists()


def bomb(mebibytes: int) -> bytes:
    squeeze = zstd.ZstdCompressor(level=19)
    parts = [squeeze.compress(bytes(MIB)) for _ in range(mebibytes)]
    return b"".join([*parts, squeeze.flush()])


def test_27_a_zstd_bomb_is_stopped_with_the_memory_flat(gateway):
    body = bomb(2048)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = gateway.post(body, Content_Encoding="zstd")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert after - before <= 64 * 1024
    assert not Batch.objects.exists()


def test_27_a_zstd_frame_with_a_giant_window_is_refused():
    told = {int(zstd.CompressionParameter.window_log): 27}
    body = zstd.ZstdCompressor(options=told)
    wide = body.compress(bytes(256 * MIB)) + body.flush()
    with pytest.raises(TooLarge, match="window"):
        plain(wide)


@pytest.mark.parametrize("pack", [packed, zstd.compress], ids=["gzip", "zstd"])
def test_27_a_million_empty_streams_are_a_bomb_too(pack):
    with pytest.raises(TooLarge, match="10,000"):
        plain(pack(b"") * 100_000)


def test_27_the_limit_holds_for_what_is_no_bomb():
    noise = random.Random(7).randbytes(MIB)
    with pytest.raises(TooLarge, match="1,048,575"):
        plain(zstd.compress(noise), limit=MIB - 1)


@pytest.mark.parametrize("seed", range(20))
def test_any_bytes_end_in_an_answer(seed):
    dice = random.Random(seed)
    good = zstd.compress(ndjson(requests(40)))
    body = bytearray(good)
    for _ in range(dice.randrange(1, 6)):
        body[dice.randrange(4, len(body))] = dice.randrange(256)
    with contextlib.suppress(BrokenCompression, TooLarge):
        plain(bytes(body))


def test_29_packed_twice_is_refused(gateway):
    twice = zstd.compress(zlib.compress(ndjson([a_request()])))
    answer = gateway.post(twice, Content_Encoding="zstd, deflate")
    assert (answer.status_code, answer.json()["code"]) == (
        415,
        "wrong_content_encoding",
    )
