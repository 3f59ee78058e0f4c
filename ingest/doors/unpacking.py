"""Packed bytes, gzip or zstd → plain bytes, piece by piece, within limits; and back.

What the inbox keeps is packed too: as it came, or by `Packer`. Which of the two it is
shows in the first bytes, so that nothing else has to remember it.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from ingest.doors.errors import BrokenCompression, TooLarge

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

PIECE: Final = 256 * 1024
# Beyond this size a body must not have been squeezed more than RATIO to 1: telemetry
# packs 10 to 30 to 1, a bomb 1,000 to 1.
RATIO: Final = 100
RATIO_COUNTS_FROM: Final = 8 * 1024 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
# What RFC 9659 lets a sender of `Content-Encoding: zstd` ask for: 8 MiB.
WINDOW_LOG: Final = 23
# Streams in a row: each costs a decoder, so that a million empty ones are a bomb too.
MAX_FRAMES: Final = 10_000
_GZIP: Final = 31
_FEED: Final = 64 * 1024


class _Decoder(Protocol):
    """The part that the decoders of zlib and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def unpack(packed: bytes, *, limit: int) -> Iterator[bytes]:
    """What the inbox keeps, plain again: gzip or zstd, told by its first bytes."""
    if packed.startswith(GZIP_MAGIC):
        return unpack_gzip(packed, limit=limit)
    return unpack_zstd(packed, limit=limit)


def unpack_gzip(packed: bytes, *, limit: int) -> Iterator[bytes]:
    """The unpacked body; several gzip members may stand in a row (RFC 1952, 2.2).

    Raises TooLarge at the limit, having unpacked no more than that, and
    BrokenCompression where the stream is damaged or ends early.
    """
    return _unpack(packed, _Inflater, "gzip", limit)


def unpack_zstd(packed: bytes, *, limit: int) -> Iterator[bytes]:
    """The unpacked body; several frames may stand in a row (RFC 8878, 3).

    Raises as `unpack_gzip` does, and TooLarge for a frame that wants more than 8 MiB
    of memory for its window (RFC 9659).
    """
    return _unpack(packed, _zstd_decoder, "zstd", limit)


def packer() -> zstd.ZstdCompressor:
    """Packs what came plain: 3 times as fast as gzip's level 1, and a quarter less."""
    return zstd.ZstdCompressor(level=1)


class _Inflater:
    """zlib's decoder, which hands back what it did not read, as zstd's keeps it."""

    def __init__(self) -> None:
        self.inner = zlib.decompressobj(wbits=_GZIP)

    @property
    def eof(self) -> bool:
        return self.inner.eof

    @property
    def unused_data(self) -> bytes:
        return self.inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self.inner.decompress(data or self.inner.unconsumed_tail, max_length)


def _zstd_decoder() -> _Decoder:
    window = int(zstd.DecompressionParameter.window_log_max)
    return zstd.ZstdDecompressor(options={window: WINDOW_LOG})


def _unpack(
    packed: bytes, decoder: Callable[[], _Decoder], form: str, limit: int
) -> Iterator[bytes]:
    total = at = frames = 0
    while at < len(packed):
        frames += 1
        if frames > MAX_FRAMES:
            raise TooLarge(f"The body has more than {MAX_FRAMES:,} {form} streams.")
        stream = decoder()
        while not stream.eof:
            if at >= len(packed):
                raise BrokenCompression(f"The {form} stream ends too early.", form)
            fed = packed[at : at + _FEED]
            for piece in _pieces(stream, fed, form):
                total += len(piece)
                _check_size(total, len(packed), limit)
                yield piece
            at += len(fed) - len(stream.unused_data)


def _pieces(stream: _Decoder, fed: bytes, form: str) -> Iterator[bytes]:
    """All that these bytes give; an empty feed asks for what the decoder holds."""
    try:
        piece = stream.decompress(fed, PIECE)
        while piece:
            yield piece
            if stream.eof:
                return
            piece = stream.decompress(b"", PIECE)
    except (zlib.error, zstd.ZstdError) as error:
        if "too much memory" in str(error):
            raise TooLarge(
                "The zstd frame wants a window of more than 8 MiB.",
                hint="Pack with a smaller window: no --long, level 19 at most.",
            ) from None
        raise BrokenCompression(f"The {form} stream is damaged.", form) from None


def _check_size(total: int, packed: int, limit: int) -> None:
    if total > limit:
        raise TooLarge(f"The body unpacks to more than {limit:,} bytes.")
    if total > RATIO_COUNTS_FROM and total > packed * RATIO:
        raise TooLarge(f"The body unpacks to more than {RATIO} times its size.")
