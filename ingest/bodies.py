"""An HTTP request → the NDJSON it carries, or the reason why it cannot be taken."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from ingest.errors import (
    BadIdempotencyKey,
    EmptyBody,
    Incomplete,
    TooLarge,
    Unreadable,
    WrongEncoding,
    WrongMediaType,
)
from ingest.unpacking import unpack_gzip
from ingest.verdicts import MAX_DEPTH

NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json"
_BREAKS_TO_SPACES: Final = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True, slots=True)
class Body:
    """`pieces` is NDJSON; `packed` the same as gzip, where it came so."""

    pieces: Iterable[bytes]
    packed: bytes | None


def body_of(request: HttpRequest) -> Body:
    """Raises IngestRefused; reads no more than the limit."""
    if not _announced(request):
        raise EmptyBody
    media_type = _media_type(request)
    encoding = _encoding(request)
    raw = _read(request)
    if not raw:
        raise EmptyBody
    limit = settings.INGEST_MAX_UNPACKED_BYTES
    pieces = unpack_gzip(raw, limit=limit) if encoding == "gzip" else iter([raw])
    if media_type == JSON:
        return Body(array_lines(b"".join(pieces)), None)
    return Body(pieces, raw if encoding == "gzip" else None)


def idempotency_key(request: HttpRequest) -> str | None:
    """Raises BadIdempotencyKey."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 256 or not key.isascii() or not key.isprintable():
        raise BadIdempotencyKey
    return key


def _media_type(request: HttpRequest) -> str:
    media_type, _, parameters = request.headers.get("Content-Type", "").partition(";")
    media_type = media_type.strip().lower()
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type not in {NDJSON, JSON}:
        raise WrongMediaType(
            f"The Content-Type {media_type[:100] or '(none)'} is not taken here.",
            hint=f"Send {NDJSON}, one JSON object a line, or {JSON}, an array.",
        )
    if "charset" in parameters and charset not in {"utf-8", "utf8"}:
        raise WrongMediaType("Only UTF-8 is taken here.", hint="Send UTF-8.")
    return media_type


def _encoding(request: HttpRequest) -> str:
    told = request.headers.get("Content-Encoding", "").strip().lower()
    if told in {"", "identity"}:
        return "identity"
    if told in {"gzip", "x-gzip"}:
        return "gzip"
    raise WrongEncoding(
        f"The Content-Encoding {told[:100]} is not taken here.",
        hint="Send the body plain or as gzip, packed once.",
    )


CHUNKED: Final = "chunked"


def _announced(request: HttpRequest) -> str:
    """How many bytes the body will have, CHUNKED, or nothing where there is none."""
    told = str(request.META.get("CONTENT_LENGTH") or "")
    if told in {"", "0"}:
        coding = request.headers.get("Transfer-Encoding", "").lower()
        return CHUNKED if CHUNKED in coding else ""
    if not (told.isascii() and told.isdigit()):
        raise Incomplete("The Content-Length is no number.")
    return told


def _read(request: HttpRequest) -> bytes:
    limit = settings.INGEST_MAX_BODY_BYTES
    told = _announced(request)
    if told != CHUNKED and int(told) > limit:
        raise _too_large(limit)
    # Django reads nothing of a body whose length was not told.
    stream = request.META["wsgi.input"] if told == CHUNKED else request
    try:
        raw = bytes(stream.read(limit + 1))
    except RequestDataTooBig:
        raise _too_large(limit) from None
    except (UnreadablePostError, OSError):
        raise Incomplete("The connection ended before the body did.") from None
    if len(raw) > limit:
        raise _too_large(limit)
    if told != CHUNKED and len(raw) != int(told):
        raise Incomplete(f"The body has {len(raw)} of the {told} bytes announced.")
    return raw


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is longer than {limit:,} bytes.")


def array_lines(body: bytes) -> Iterator[bytes]:
    """A JSON array's elements, one a line. Raises Unreadable with line and column."""
    text = body.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise EmptyBody
    try:
        elements = msgspec.json.decode(text, type=list[msgspec.Raw])
    except RecursionError:
        raise _too_deep() from None
    except msgspec.ValidationError:
        _check_json(text)
        raise Unreadable(
            "not_an_array", "The body is JSON, but no array.", ""
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        _check_json(text)
        raise Unreadable("not_json", "The body is no strict JSON.", "") from None
    if not elements:
        raise EmptyBody
    # A break inside an element can only be white space: strings escape theirs.
    lines = (bytes(each).translate(_BREAKS_TO_SPACES) for each in elements)
    return iter([b"\n".join(lines)])


def _check_json(body: bytes) -> None:
    """Raises Unreadable with line and column where the body is no JSON."""
    try:
        json.loads(body.decode(errors="replace"))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(
            "not_json", f"The body is no JSON: {error.msg} at {where}.", where
        ) from None
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> Unreadable:
    sentence = f"Nested deeper than {MAX_DEPTH} levels; flatten it."
    return Unreadable("too_deep", sentence, "")
