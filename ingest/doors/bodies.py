"""An HTTP request → the NDJSON it carries, or the reason why it cannot be taken."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from ingest.doors import arriving
from ingest.doors.errors import (
    BadIdempotencyKey,
    EmptyBody,
    Incomplete,
    IngestRefused,
    LengthRequired,
    TooLarge,
    TooManyLines,
    Unreadable,
    UnsupportedVersion,
    WrongEncoding,
    WrongMediaType,
)
from ingest.doors.unpacking import unpack_gzip, unpack_zstd
from ingest.records.verdicts import MAX_DEPTH

NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json"
# Values in an array: each costs memory, however short it is written.
MAX_VALUES: Final = 1_000_000
IDENTITY: Final = "identity"
_FORMS: Final = {
    NDJSON: f"{NDJSON}, one JSON object a line,",
    JSON: f"{JSON}, an array",
}
_UNPACKERS: Final = {"gzip": unpack_gzip, "zstd": unpack_zstd}
# Versions of the telemetry contract that are understood, as a sender may name one.
VERSION_HEADER: Final = "X-Stillwatch-Contract"
VERSIONS: Final = ("1",)
_BREAKS_TO_SPACES: Final = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True, slots=True)
class Body:
    """`pieces` is NDJSON; `packed` the same as gzip or zstd, where it came so."""

    pieces: Iterable[bytes]
    packed: bytes | None


def document_of(request: HttpRequest, taken: Collection[str]) -> tuple[str, bytes]:
    """(media type, body, unpacked), of a body that is read as a whole; b"" is one.

    Raises IngestRefused.
    """
    media_type = _media_type(request, taken)
    encoding = _encoding(request)
    raw = _read(request) if _announced(request) else b""
    _check_end(request, media_type, encoding, raw)
    limit = settings.INGEST_MAX_ARRAY_BYTES
    return media_type, b"".join(_plain(raw, encoding, limit)) if raw else b""


def body_of(request: HttpRequest) -> Body:
    """Raises IngestRefused; reads no more than the limit."""
    if not _announced(request):
        raise EmptyBody
    media_type = _media_type(request, _FORMS)
    encoding = _encoding(request)
    raw = _read(request)
    if not raw:
        raise EmptyBody
    _check_end(request, media_type, encoding, raw)
    if media_type == JSON:
        # An array is in memory as a whole, lines are not: it may be less long.
        whole = b"".join(_plain(raw, encoding, settings.INGEST_MAX_ARRAY_BYTES))
        return Body(array_lines(whole), None)
    pieces = _plain(raw, encoding, settings.INGEST_MAX_UNPACKED_BYTES)
    return Body(pieces, None if encoding == IDENTITY else raw)


def _plain(raw: bytes, encoding: str, limit: int) -> Iterator[bytes]:
    unpack = _UNPACKERS.get(encoding)
    return unpack(raw, limit=limit) if unpack else iter([raw])


def idempotency_key(request: HttpRequest) -> str | None:
    """Raises BadIdempotencyKey."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 256 or not key.isascii() or not key.isprintable():
        raise BadIdempotencyKey
    return key


def _media_type(request: HttpRequest, taken: Collection[str]) -> str:
    media_type = request.headers.get("Content-Type", "").partition(";")[0]
    media_type = media_type.strip().lower()
    charset = _parameters(request).get("charset", "utf-8").lower()
    if media_type not in taken:
        known = " or ".join(_FORMS.get(each, each) for each in taken)
        raise WrongMediaType(
            f"The Content-Type {media_type[:100] or '(none)'} is not taken here.",
            hint=f"Send {known}.",
        )
    if charset not in {"utf-8", "utf8"}:
        raise WrongMediaType("Only UTF-8 is taken here.", hint="Send UTF-8.")
    return media_type


def _parameters(request: HttpRequest) -> dict[str, str]:
    """Of the Content-Type, as Django has read it."""
    return dict(request.content_params or {})


def check_version(request: HttpRequest) -> None:
    """Raises UnsupportedVersion where the sender means another contract than ours.

    It may say so by a header or by the media type's parameter; mostly it says nothing.
    """
    told = request.headers.get(VERSION_HEADER) or _parameters(request).get("version")
    if told is not None and told.strip() not in VERSIONS:
        raise UnsupportedVersion(told.strip(), VERSIONS)


def _encoding(request: HttpRequest) -> str:
    told = request.headers.get("Content-Encoding", "").strip().lower()
    if told in {"", IDENTITY}:
        return IDENTITY
    told = "gzip" if told == "x-gzip" else told
    if told in _UNPACKERS:
        return told
    raise WrongEncoding(
        f"The Content-Encoding {told[:100]} is not taken here.",
        hint="Send the body plain, as gzip or as zstd, packed once.",
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


def _check_end(
    request: HttpRequest, media_type: str, encoding: str, raw: bytes
) -> None:
    """Raises LengthRequired where a body that broke off would be taken for a whole one.

    WSGI hands on a chunked body as if it had ended where the connection did. What is
    packed, and JSON, shows by itself that it is incomplete; lines show it only where
    the last one is torn. Lines that broke off between two do no harm, since the sender
    saw no answer and sends all again, each counted once; but an Idempotency-Key must
    not stand for a part.
    """
    if media_type != NDJSON or encoding != IDENTITY or _announced(request) != CHUNKED:
        return
    if "Idempotency-Key" in request.headers or _is_torn(raw):
        raise LengthRequired


def _is_torn(lines: bytes) -> bool:
    last = lines[lines.rfind(b"\n") + 1 :].strip()
    if not last:
        return False
    try:
        msgspec.json.decode(last)
    except (msgspec.DecodeError, RecursionError):
        return True
    return False


def _read(request: HttpRequest) -> bytes:
    limit = settings.INGEST_MAX_BODY_BYTES
    told = _announced(request)
    if told != CHUNKED and int(told) > limit:
        raise _too_large(limit)
    # Django reads nothing of a body whose length was not told.
    stream = request.META["wsgi.input"] if told == CHUNKED else request
    try:
        raw = arriving.read(stream, limit + 1, arriving.ends_of(request.META))
    except RequestDataTooBig:
        raise _too_large(limit) from None
    except (UnreadablePostError, OSError):
        raise Incomplete("The connection ended before the body did.") from None
    if len(raw) > limit:
        raise _too_large(limit)
    if told != CHUNKED and len(raw) != int(told):
        raise Incomplete(f"The body has {len(raw)} of the {told} bytes announced.")
    return raw


def drain(request: HttpRequest) -> None:
    """Lets the sender finish, where it is soon done, and forgets what came."""
    with suppress(IngestRefused):
        if _announced(request):
            _read(request)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is longer than {limit:,} bytes.")


def array_lines(body: bytes) -> Iterator[bytes]:
    """A JSON array's elements, one a line. Raises as `array_elements` does."""
    return in_groups(each + b"\n" for each in array_elements(body))


def array_elements(body: bytes) -> Iterator[bytes]:
    """A JSON array's elements, each without a line break in it.

    Raises Unreadable with line and column, EmptyBody and TooManyLines.
    """
    text = body.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise EmptyBody
    if text.count(b",") > MAX_VALUES:
        raise TooManyLines(f"The array holds more than {MAX_VALUES:,} values.")
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
    return (bytes(each).translate(_BREAKS_TO_SPACES) for each in elements)


def in_groups(lines: Iterator[bytes]) -> Iterator[bytes]:
    """A generator's step for each line would cost more than the line itself."""
    while group := b"".join(islice(lines, 1000)):
        yield group


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
