"""Text → keyed fingerprint, so that the text itself goes no further.

One file without Django or other packages: a gateway that must not send text copies
or imports it, or pipes lines through `python -m ingest.fingerprints`. The same text
and key give the same result on both sides, with numpy (used where it is installed,
for many texts at once) and without.

A prompt's fingerprint has two halves. The *skeleton* is the wording that stays when
numbers, quotes, links, names, code and labelled values are masked; the *slots* are
what was masked. Many slots under one skeleton is how a harvest looks, whoever's
accounts it runs through (Wang et al., Self-Instruct, ACL 2023, describes the
corpora; masking follows the template miner Drain, He et al., ICWS 2017).

Two sketches say which skeletons are alike. `sketch` finds reworded templates: MinHash
(Broder, 1997) over three words in a row, eight bits of each of 60 minima kept (b-bit
minwise hashing, Li & König, WWW 2010). `embedding` adds up: words are counted into
512 signed buckets (feature hashing, Weinberger et al., ICML 2009), scaled to length 1,
and turned into 48 random Fourier features (Rahimi & Recht, NIPS 2007), so that means
over accounts compare what they ask about. Both are made of the skeleton alone, so
that they are known once the skeleton is, and of whole numbers alone, so that no
machine rounds otherwise. See docs/fingerprints.md.

Written form: `f1:` and `name=value` pairs between semicolons: `k` skeleton and `s`
slots (16 hexadecimal digits), `i` intents (hexadecimal bits), `w` words, `m` sketch
and `e` embedding (URL-safe base64). A reader skips names it does not know; `m` and
`e` may be missing.
"""

import argparse
import hmac
import json
import math
import os
import re
import sys
from array import array
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b, sha256, shake_256
from struct import unpack
from types import ModuleType
from typing import Any

VERSION = "f1"
KEY_VARIABLE = "STILLWATCH_FINGERPRINT_KEY"
MAX_TEXT_BYTES = 32 * 1024
SKETCH_BYTES = 60
FREQUENCIES = 48
EMBEDDING_BYTES = 2 * FREQUENCIES
# The width of the kernel that embeddings approximate, in lengths of a prompt's word
# vector; wide, because narrow kernels told the corpora apart less well.
KERNEL_WIDTH = 1.4

# Bit n of a fingerprint's intents is INTENTS[n]. Plain phrases, so that anyone can
# see why a prompt was counted; a phrase is looked for in the lower-cased text, which
# has a space before it (" ocr" is not to be found in "democracy").
PHRASES: dict[str, tuple[str, ...]] = {
    "reasoning_elicitation": (
        "step by step",
        "step-by-step",
        "chain of thought",
        "chain-of-thought",
        "show your reasoning",
        "show your work",
        "explain your reasoning",
        "your full reasoning",
        "reasoning process",
        "reasoning trace",
        "internal reasoning",
        "thought process",
        "think aloud",
        "think out loud",
        "every intermediate step",
        "before giving the final answer",
        "before the final answer",
        "<think>",
        "<reasoning>",
    ),
    "rubric_grading": (
        "rubric",
        "on a scale of",
        "on a scale from",
        "score from",
        "a score between",
        "grade the",
        "grading criteria",
        "rate the following",
        "rate this response",
        "rate the response",
        "which response is better",
        "which answer is better",
        "compare the two responses",
        "judge the quality",
        "evaluate the following answer",
        "evaluate the following response",
        "act as a judge",
        "impartial judge",
    ),
    "sensitive_rewrite": (
        "politically sensitive",
        "politically neutral",
        "sensitive topic",
        "sensitive question",
        "sensitive query",
        "avoid sensitive",
        "avoids sensitive",
        "without taking a side",
        "without criticising",
        "without criticizing",
        "neutral alternative",
        "neutral wording",
        "neutral way",
        "safe alternative",
        "censor",
        "dissident",
        "party leader",
    ),
    "agentic_coding": (
        "codebase",
        "pull request",
        "stack trace",
        "traceback",
        "refactor",
        "unit test",
        "failing test",
        "run the tests",
        "fix the bug",
        "git diff",
        "edit the file",
        "apply the patch",
        "implement the function",
        "write a function",
        "repository",
        "compile error",
    ),
    "tool_use": (
        "call the tool",
        "tool call",
        "tool_call",
        "function call",
        "available tools",
        "use the tool",
        "use the following tools",
        "api call",
        "computer use",
        "click the",
        "open the browser",
        "next action",
    ),
    "vision": (
        "in this image",
        "in the image",
        "this image",
        "attached image",
        "screenshot",
        "this picture",
        "in the picture",
        "in the photo",
        "this photo",
        "describe the image",
        " ocr",
    ),
    "data_analysis": (
        "csv",
        "data set",
        "dataset",
        "dataframe",
        "data frame",
        "pandas",
        "spreadsheet",
        "sql query",
        "pivot table",
        "correlation",
        "regression",
        "time series",
        "outlier",
    ),
}
INTENTS: tuple[str, ...] = tuple(PHRASES)
INTENT_BITS = {name: 1 << bit for bit, name in enumerate(INTENTS)}
_PHRASE_BITS = [
    (phrase, INTENT_BITS[name])
    for name, phrases in PHRASES.items()
    for phrase in phrases
]

# What is masked inside a line, in this order: (mask, what must be there for it to be
# worth looking, pattern). Each pattern starts with a plain character class, which
# lets `re` skip ahead; one pattern for all of them took three times as long.
_INLINE: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (name, re.compile(hint), re.compile(pattern))
    for name, hint, pattern in (
        ("link", r"://|www\.", r"(?:https?://|www\.)\S+"),
        ("mail", "@", r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
        (
            "quote",
            '["“«`]',
            r'"[^"\n]{1,400}"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|`[^`\n]{1,400}`',
        ),
        ("quote", "'", r"'(?<![\w']')[^'\n]{2,400}'(?!\w)"),
        (
            "id",
            r"\d",
            r"\b(?=[A-Za-z_-]{0,40}\d)(?=[\d_-]{0,40}[A-Za-z])[\w-]{5,80}\b",
        ),
        ("number", r"\d", r"\d+(?:[.,:/-]\d+)*%?"),
        (
            "name",
            "[A-Z]",
            r"[A-Z](?<=[a-z,;:] [A-Z])[a-z][\w'’-]{0,40}"
            r"(?: (?:(?:of|de|van|von|the) )?[A-Z][\w'’-]{0,40}){0,6}",
        ),
    )
)
# "Question: …" fills to the end of its line; a line that ends with a colon, the
# paragraph below it. Templates carry their variable part in these places.
_LABEL = re.compile(r"^([A-Za-z][\w -]{0,30}:)[ \t]+(\S[^\n]*)$", re.MULTILINE)
_BELOW = re.compile(r"(:[ \t]*\n)\s*(\S(?:[^\n]|\n(?!\s*\n))*)")
_OPENING = re.compile(r"<([A-Za-z][\w-]{0,30})(?: [^<>\n]{0,200})?>")
_REPEATED = re.compile(r"(‹[a-z]+›)(?:[\s,;:/-]{1,3}(?:and )?\1)+")
_LITERAL = re.compile(r"‹[a-z]+›")


@dataclass(slots=True)  # not frozen: that makes it three times as slow to make
class Fingerprint:
    """What is kept of a prompt.

    `skeleton` and `slots` are signed 64-bit keyed hashes, `intents` is a bit mask
    over INTENTS, `words` counts words. `sketch` is 60 bytes, `embedding` 96 signed
    ones; both are empty where they were not made. `masked` is the skeleton in words,
    empty when the fingerprint came from a gateway and no part of the written form.
    """

    skeleton: int
    slots: int
    intents: int
    words: int
    sketch: bytes = b""
    embedding: bytes = b""
    masked: str = field(default="", compare=False)

    def __str__(self) -> str:
        sketches = "".join(
            f";{name}={urlsafe_b64encode(value).decode()}"
            for name, value in (("m", self.sketch), ("e", self.embedding))
            if value
        )
        return (
            f"{VERSION}:k={self.skeleton % 2**64:016x};s={self.slots % 2**64:016x}"
            f";i={self.intents:x};w={self.words}{sketches}"
        )


class BadFingerprint(ValueError):
    """The written form cannot be read; the message says what to change."""


def subkey(master: str, purpose: str) -> bytes:
    """A key for one purpose, so that a gateway never holds the master key."""
    return hmac.digest(master.encode(), f"stillwatch {purpose}".encode(), "sha256")


def cut(text: str, limit: int = MAX_TEXT_BYTES) -> str:
    """The text up to `limit` bytes of UTF-8, never in the middle of a character."""
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return encoded[:limit].decode(errors="ignore")


def fingerprint(text: str, key: bytes) -> Fingerprint:
    """The whole fingerprint of one prompt; only its first 32 KiB count."""
    return fingerprint_many([text], key)[0]


def fingerprint_many(texts: Sequence[str], key: bytes) -> list[Fingerprint]:
    """The whole fingerprints of many prompts, in their order."""
    read = [_read(text, key) for text in texts]
    distinct = list(dict.fromkeys(each[4] for each in read))
    known = dict(zip(distinct, sketch_many(distinct, key), strict=True))
    return [Fingerprint(*each[:4], *known[each[4]], each[4]) for each in read]


def skeleton_of(text: str, key: bytes) -> Fingerprint:
    """The fingerprint without its sketches, which follow from `masked`."""
    skeleton, slots, intents, words, masked = _read(text, key)
    return Fingerprint(skeleton, slots, intents, words, masked=masked)


def _read(text: str, key: bytes) -> tuple[int, int, int, int, str]:
    text = cut(text)
    masked, slots = mask(text)
    return (
        _signed_hash(masked, key),
        _signed_hash("\x1f".join(slots), key),
        intents_of(text),
        text.count(" ") + text.count("\n") + 1,
        masked,
    )


def system_hash(text: str, key: bytes) -> str:
    """Keyed hash of a system prompt's skeleton: dates and names in it do not count."""
    masked, _ = mask(cut(text))
    return blake2b(
        masked.encode(), key=key, digest_size=16, person=b"system"
    ).hexdigest()


def response_hash(text: str, key: bytes) -> str:
    """Keyed hash of one answer, word for word but for white space and its 32 KiB."""
    words = " ".join(cut(text).split())
    return blake2b(
        words.encode(), key=key, digest_size=16, person=b"answer"
    ).hexdigest()


_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
# The form as this file writes it; everything else is taken apart pair by pair.
_WRITTEN = re.compile(
    r"f1:k=([0-9a-f]{16});s=([0-9a-f]{16});i=([0-9a-f]{1,8});w=([0-9]{1,5})"
    rf"(?:;m=([\w-]{{{SKETCH_BYTES * 4 // 3}}})"
    rf";e=([\w-]{{{EMBEDDING_BYTES * 4 // 3}}}))?",
    re.ASCII,
)


def is_written(text: str) -> bool:
    """Whether `parse` would take it; quick where this file has written it."""
    if _WRITTEN.fullmatch(text) is not None:
        return True
    try:
        parse(text)
    except BadFingerprint:
        return False
    return True


def parse(written: str) -> Fingerprint:
    """Reads what a gateway sent. Raises BadFingerprint."""
    match = _WRITTEN.fullmatch(written)
    if match is not None:
        return _fingerprint(*match.groups(""))
    version, colon, rest = written.partition(":")
    if not colon or version != VERSION:
        raise BadFingerprint(f"Its version is not known here; use {VERSION}:…")
    pairs = dict(part.partition("=")[::2] for part in rest.split(";"))
    try:
        return _fingerprint(
            pairs["k"],
            pairs["s"],
            pairs.get("i", "0"),
            pairs.get("w", "0"),
            pairs.get("m", ""),
            pairs.get("e", ""),
        )
    except (KeyError, ValueError):
        raise BadFingerprint(
            "It is damaged; send what the fingerprint function returned, unchanged."
        ) from None


def _fingerprint(k: str, s: str, i: str, w: str, m: str, e: str) -> Fingerprint:
    return Fingerprint(
        skeleton=_signed(k),
        slots=_signed(s),
        intents=int(i, 16) & (2 ** len(INTENTS) - 1),
        words=min(int(w), MAX_TEXT_BYTES),
        sketch=_sized(m, SKETCH_BYTES),
        embedding=_sized(e, EMBEDDING_BYTES),
    )


def _sized(written: str, size: int) -> bytes:
    """The bytes, or none of them. Raises ValueError where they are too few or many."""
    if not written:
        return b""
    if len(written) * 3 != size * 4:
        raise ValueError(written)
    value = a2b_base64(written.encode("ascii").translate(_FROM_URL_SAFE))
    if len(value) != size:
        raise ValueError(written)
    return value


def intents_of(text: str) -> int:
    """Bit mask over INTENTS of the phrases that the text contains."""
    lowered = f" {text.lower()}"
    found = 0
    for phrase, bit in _PHRASE_BITS:
        if phrase in lowered:
            found |= bit
    return found


def intent_names(bits: int) -> list[str]:
    return [name for name, bit in INTENT_BITS.items() if bits & bit]


def mask(text: str) -> tuple[str, list[str]]:
    """The skeleton in lower case, and what was masked, kind by kind."""
    slots: list[str] = []
    text = _mask_blocks(text, slots)

    def keep_label(match: re.Match[str]) -> str:
        slots.append(match[2])
        return f"{match[1]} ‹text›"

    if ":" in text:
        text = _BELOW.sub(keep_label, _LABEL.sub(keep_label, text))
    for name, hint, pattern in _INLINE:
        if hint.search(text) is not None:
            text = _mask_inline(text, name, pattern, slots)
    return _REPEATED.sub(r"\1", " ".join(text.lower().split())), slots


def _mask_inline(
    text: str, name: str, pattern: re.Pattern[str], slots: list[str]
) -> str:
    def keep(match: re.Match[str]) -> str:
        slots.append(match[0])
        return f"‹{name}›"

    return pattern.sub(keep, text)


def literal_words(masked: str) -> int:
    """Words of a skeleton that are wording, not masks."""
    return len(_LITERAL.sub(" ", masked).split())


def _mask_blocks(text: str, slots: list[str]) -> str:
    """Fenced code, triple quotes and <tag>…</tag>.

    By plain search, not by pattern: unclosed fences in hostile text would make a
    pattern look to the end again and again.
    """
    for fence, name in (("```", "code"), ('"""', "text"), ("'''", "text")):
        if fence in text:
            text = _mask_fenced(text, fence, name, slots)
    return _mask_tagged(text, slots) if "</" in text else text


def _mask_fenced(text: str, fence: str, name: str, slots: list[str]) -> str:
    parts = text.split(fence)
    # An odd number of fences leaves the last one open: what follows stays text.
    closed = len(parts) - 1 if len(parts) % 2 else len(parts) - 2
    out = [parts[0]]
    for number, part in enumerate(parts[1:], 1):
        if number % 2 and number < closed + 1:
            slots.append(part)
            out.append(f" ‹{name}› ")
        else:
            out.append(part)
    return "".join(out)


def _mask_tagged(text: str, slots: list[str]) -> str:
    out, at, never_closed = [], 0, set[str]()
    while (opening := _OPENING.search(text, at)) is not None:
        name = opening[1]
        closing = f"</{name}>"
        end = -1 if name in never_closed else text.find(closing, opening.end())
        if end < 0:
            never_closed.add(name)
            out.append(text[at : opening.end()])
            at = opening.end()
            continue
        slots.append(text[opening.end() : end])
        out.append(f"{text[at : opening.end()]} ‹text› ")
        at = end + len(closing)
    out.append(text[at:])
    return "".join(out)


# Scripts that put no spaces between words: each of their characters is a word.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)
_WORDS_KNOWN = 65_536  # a cache; hostile vocabularies start it anew
_LONGEST_KNOWN = 40
_64 = 2**64 - 1
Array = Any  # a numpy array; its types are no use where numpy may be missing
# Odd numbers without pattern (from the golden ratio and MurmurHash3).
_FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xFF51AFD7ED558CCD
_BUCKETS = 512
_TURN = 256  # steps of a full circle
_STEPS = round(256 * _TURN / (2 * math.pi * KERNEL_WIDTH))
_COSINES = [round(127 * math.cos(2 * math.pi * at / _TURN)) for at in range(_TURN)]


class _Plan:
    """What follows from a key: permutations, signs of the projection, known words."""

    def __init__(self, key: bytes) -> None:
        stream = shake_256(b"stillwatch sketches 1\0" + key).digest(
            SKETCH_BYTES * 16 + _BUCKETS * FREQUENCIES // 8
        )
        numbers = unpack(f"<{SKETCH_BYTES * 2}Q", stream[: SKETCH_BYTES * 16])
        self.key = key
        self.factors = [each | 1 for each in numbers[:SKETCH_BYTES]]
        self.offsets = numbers[SKETCH_BYTES:]
        rest, size = stream[SKETCH_BYTES * 16 :], FREQUENCIES // 8
        # Row b, bit j: the sign of bucket b in frequency j.
        self.signs = [
            int.from_bytes(rest[at : at + size], "little")
            for at in range(0, len(rest), size)
        ]
        self.lanes = [_lanes(row) for row in self.signs]
        self.sign_rows: Array = None  # the same for numpy, once it is asked for
        self._words: dict[str, int] = {}

    def hashes(self, masked: str) -> list[int]:
        """One 64-bit hash a word."""
        if _UNSPACED.search(masked) is not None:
            masked = _UNSPACED.sub(r" \1 ", masked)
        words, known = masked.split(), self._words
        try:
            return [known[word] for word in words]
        except KeyError:
            return [self._hash(word) for word in words]

    def _hash(self, word: str) -> int:
        value = self._words.get(word)
        if value is None:
            digest = blake2b(word.encode(), key=self.key, digest_size=8, person=b"word")
            value = int.from_bytes(digest.digest(), "little")
            if len(word) <= _LONGEST_KNOWN:
                if len(self._words) >= _WORDS_KNOWN:
                    self._words.clear()
                self._words[word] = value
        return value


def _lanes(row: int) -> int:
    """Bit j moved to bit 32 j: 48 counters in one number, which add up at once."""
    return sum(1 << 32 * j for j in range(FREQUENCIES) if row >> j & 1)


@lru_cache(maxsize=4)
def _plan(key: bytes) -> _Plan:
    return _Plan(key)


def sketch_many(skeletons: Sequence[str], key: bytes) -> list[tuple[bytes, bytes]]:
    """`sketch` and `embedding` of masked texts; both empty where there is no word."""
    plan = _plan(key)
    hashes = [plan.hashes(masked) for masked in skeletons]
    worded = [each for each in hashes if each]
    made: list[tuple[bytes, bytes]]
    if worded and (numpy := _numpy()) is not None:
        made = _with_numpy(numpy, worded, plan)
    else:
        made = [(_sketch(each, plan), _embedding(each, plan)) for each in worded]
    answers = iter(made)
    return [next(answers) if each else (b"", b"") for each in hashes]


def _numpy() -> ModuleType | None:
    try:
        import numpy  # a gateway may do without, and need not wait for it
    except ImportError:
        return None
    return numpy


def _sketch(words: list[int], plan: _Plan) -> bytes:
    """Of each permutation the least shingle; bits 20 to 27 of it are kept."""
    padded = words + [0] * (3 - len(words))
    shingles = {
        (one * _FIRST + two * _SECOND + three) & _64
        for one, two, three in zip(padded, padded[1:], padded[2:], strict=False)
    }
    return bytes(
        min([(each * factor + offset) & _64 for each in shingles]) >> 20 & 255
        for factor, offset in zip(plan.factors, plan.offsets, strict=True)
    )


def _embedding(words: list[int], plan: _Plan) -> bytes:
    counts: dict[int, int] = {}
    for word in words:
        bucket = word >> 40 & (_BUCKETS - 1)
        counts[bucket] = counts.get(bucket, 0) + (1 if word >> 20 & 1 else -1)
    up = sum(n * plan.lanes[at] for at, n in counts.items() if n > 0)
    down = sum(-n * plan.lanes[at] for at, n in counts.items() if n < 0)
    total = sum(counts.values())
    length = max(1, math.isqrt(sum(n * n for n in counts.values()) << 16))
    angles = [
        (2 * (plus - minus) - total) * _STEPS // length
        for plus, minus in zip(_unpacked(up), _unpacked(down), strict=True)
    ]
    values = [_COSINES[angle % _TURN] for angle in angles]
    values += [_COSINES[(angle - _TURN // 4) % _TURN] for angle in angles]
    return bytes(value & 255 for value in values)


def _unpacked(lanes: int) -> tuple[int, ...]:
    return unpack(f"<{FREQUENCIES}I", lanes.to_bytes(4 * FREQUENCIES, "little"))


_AT_ONCE = 512
_PRODUCTS_AT_ONCE = 32_768


def _with_numpy(
    np: ModuleType, texts: list[list[int]], plan: _Plan
) -> list[tuple[bytes, bytes]]:
    """As `_sketch` and `_embedding`, for many texts in a row."""
    signs = _sign_rows(np, plan)
    made: list[tuple[bytes, bytes]] = []
    for at in range(0, len(texts), _AT_ONCE):
        words, sizes = _rows_of(np, texts[at : at + _AT_ONCE])
        made += zip(
            _rows(_sketches(np, words, sizes, plan), SKETCH_BYTES),
            _rows(_embeddings(np, words, sizes, signs), EMBEDDING_BYTES),
            strict=True,
        )
    return made


def _rows_of(np: ModuleType, texts: list[list[int]]) -> tuple[Array, Array]:
    """The words of all texts in a row, and how many each has."""
    flat = array("Q")
    for words in texts:
        flat.fromlist(words)
    return np.frombuffer(flat, np.uint64), np.array([len(words) for words in texts])


def _rows(joined: bytes, size: int) -> list[bytes]:
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def _sketches(np: ModuleType, words: Array, sizes: Array, plan: _Plan) -> bytes:
    """`words` of all texts in a row, `sizes[i]` of them in text i."""
    short = np.maximum(3 - sizes, 0)
    if short.any():
        ends = np.repeat(np.cumsum(sizes), short)
        words, sizes = np.insert(words, ends, np.uint64(0)), sizes + short
    starts = np.cumsum(sizes) - sizes
    shingles = words[:-2] * np.uint64(_FIRST) + words[1:-1] * np.uint64(_SECOND)
    # A window over the end of one text and the start of the next is none.
    inside = np.ones(len(words), bool)
    inside[starts[1:] - 1] = inside[starts[1:] - 2] = False
    shingles = (shingles + words[2:])[inside[:-2]]
    starts = starts - 2 * np.arange(len(sizes))
    factors = np.array(plan.factors, np.uint64)
    offsets = np.array(plan.offsets, np.uint64)
    # A few permutations at a time: as many products as stay in the processor's cache.
    step = max(1, _PRODUCTS_AT_ONCE // len(shingles))
    parts = [
        np.minimum.reduceat(
            factors[at : at + step, None] * shingles + offsets[at : at + step, None],
            starts,
            axis=1,
        )
        for at in range(0, SKETCH_BYTES, step)
    ]
    least = np.concatenate(parts).T >> np.uint64(20)
    written: bytes = least.astype(np.uint8).tobytes()
    return written


def _sign_rows(np: ModuleType, plan: _Plan) -> Array:
    """Row 2 b + s: what a word in bucket b with sign s adds to each frequency."""
    if plan.sign_rows is not None:
        return plan.sign_rows
    places = np.arange(FREQUENCIES, dtype=np.uint64)
    bits = np.array(plan.signs, np.uint64)[:, None] >> places & np.uint64(1)
    up = bits.astype(np.int32) * 2 - 1
    plan.sign_rows = np.stack([-up, up], axis=1).reshape(-1, FREQUENCIES)
    return plan.sign_rows


def _embeddings(np: ModuleType, words: Array, sizes: Array, signs: Array) -> bytes:
    count = len(sizes)
    buckets = (words >> np.uint64(40) & np.uint64(_BUCKETS - 1)).astype(np.int64)
    up = (words >> np.uint64(20) & np.uint64(1)).astype(np.int64)
    owners = np.repeat(np.arange(count) * _BUCKETS, sizes)
    counts = np.bincount(owners + buckets, up * 2.0 - 1.0, count * _BUCKETS)
    squares = (counts * counts).reshape(count, _BUCKETS).sum(axis=1)
    # Sums of whole numbers below 2**53 are exact as floats, and so is this root.
    lengths = np.maximum(np.floor(np.sqrt(squares * 65_536.0)), 1).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    sums = np.add.reduceat(signs[buckets * 2 + up], starts, axis=0)
    angles = sums.astype(np.int64) * _STEPS // lengths[:, None]
    cosines = np.array(_COSINES, np.int8)
    both = (cosines[angles % _TURN], cosines[(angles - _TURN // 4) % _TURN])
    written: bytes = np.hstack(both).tobytes()
    return written


def _signed_hash(text: str, key: bytes) -> int:
    digest = blake2b(text.encode(), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _signed(sixteen: str) -> int:
    if len(sixteen) != 16:
        raise ValueError(sixteen)
    value = int(sixteen, 16)
    return value - 2**64 if value >= 2**63 else value


def strip_texts(record: dict[str, object], key: bytes) -> dict[str, object]:
    """A telemetry record with every text replaced by its fingerprint.

    An empty text is none, as the contract has it.
    """
    makers: tuple[tuple[str, str, Callable[[str, bytes], object]], ...] = (
        ("prompt", "prompt_fingerprint", fingerprint),
        ("system_prompt", "system_hash", system_hash),
        ("response", "response_hash", response_hash),
    )
    kept = dict(record)
    for text_field, hash_field, make in makers:
        text = kept.pop(text_field, None)
        if isinstance(text, str) and text:
            kept[hash_field] = str(make(text, key))
    return kept


def _record(line: str, key: bytes) -> str:
    """Raises ValueError and RecursionError where the line is no record."""
    if not line.strip():
        return ""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("no JSON object")
    return json.dumps(strip_texts(record, key), ensure_ascii=False)


_ANSWERS: dict[str, Callable[[str, bytes], object]] = {
    "prompt": fingerprint,
    "system": system_hash,
    "response": response_hash,
    "records": _record,
}


def _answers(
    lines: Iterable[bytes], what: str, key: bytes
) -> Iterator[tuple[bytes, str]]:
    """(answer, what is wrong with the line) for each line.

    What cannot be read is answered with an empty line: it might hold a text, and the
    lines beside it keep their numbers. What is said of it never quotes it.
    """
    for line in lines:
        try:
            text = line.decode().rstrip("\r\n")
            yield f"{_ANSWERS[what](text, key)}\n".encode(), ""
        except UnicodeError:
            yield b"\n", "is not UTF-8, or holds half of a surrogate pair"
        except (ValueError, RecursionError):
            yield b"\n", "is no JSON object"


def main(arguments: list[str] | None = None) -> int:
    """Reads lines, writes one fingerprint each; `records` takes telemetry as NDJSON."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest.fingerprints",
        description="Reads lines of UTF-8 from standard input and writes their "
        f"fingerprints, one a line. The key stands in {KEY_VARIABLE}. A line that "
        "cannot be read becomes an empty one, is told, and makes the exit status 1.",
    )
    parser.add_argument("what", nargs="?", default="prompt", choices=list(_ANSWERS))
    what = parser.parse_args(arguments).what
    secret = os.environ.get(KEY_VARIABLE, "")
    if len(secret) < 32:
        parser.error(
            f"{KEY_VARIABLE} is not set or shorter than 32 characters. "
            "`manage.py fingerprint_key` prints it."
        )
    wrong = 0
    answers = _answers(sys.stdin.buffer, what, key_from(secret))
    for number, (answer, fault) in enumerate(answers, 1):
        sys.stdout.buffer.write(answer)
        if fault:
            wrong += 1
            sys.stderr.write(f"line {number} {fault}; it was left out\n")
    return 1 if wrong else 0


def key_from(secret: str) -> bytes:
    """The bytes that the printed key stands for."""
    try:
        return bytes.fromhex(secret)[:64]
    except ValueError:
        return sha256(secret.encode()).digest()


if __name__ == "__main__":
    raise SystemExit(main())
