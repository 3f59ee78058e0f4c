"""A request's body as it comes → plain bytes, piece by piece, within limits."""

import zlib
from collections.abc import Iterator
from typing import Final

from ingest.errors import BrokenCompression, TooLarge

PIECE: Final = 256 * 1024
# Beyond this size a body must not have been squeezed more than RATIO to 1: telemetry
# packs 10 to 30 to 1, a bomb 1,000 to 1.
RATIO: Final = 100
RATIO_COUNTS_FROM: Final = 8 * 1024 * 1024
_GZIP: Final = 31


def unpack_gzip(packed: bytes, *, limit: int) -> Iterator[bytes]:
    """The unpacked body; several gzip members may stand in a row (RFC 1952, 2.2).

    Raises TooLarge at the limit, having unpacked no more than that, and
    BrokenCompression where the stream is damaged or ends early.
    """
    total, size = 0, len(packed)
    while packed:
        inflater = zlib.decompressobj(wbits=_GZIP)
        for piece in _inflate(inflater, packed):
            total += len(piece)
            _check_size(total, size, limit)
            yield piece
        packed = inflater.unused_data


def _inflate(inflater: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    try:
        piece = inflater.decompress(packed, PIECE)
        while piece:
            yield piece
            piece = inflater.decompress(inflater.unconsumed_tail, PIECE)
    except zlib.error:
        raise BrokenCompression("The gzip stream is damaged.") from None
    if not inflater.eof:
        raise BrokenCompression("The gzip stream ends too early.")


def _check_size(total: int, packed: int, limit: int) -> None:
    if total > limit:
        raise TooLarge(f"The body unpacks to more than {limit:,} bytes.")
    if total > RATIO_COUNTS_FROM and total > packed * RATIO:
        raise TooLarge(f"The body unpacks to more than {RATIO} times its size.")
