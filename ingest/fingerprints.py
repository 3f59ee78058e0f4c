"""Text → keyed fingerprint, so that the text itself goes no further.

One file without Django or other packages: a gateway that must not send text copies
or imports it, or pipes lines through `python -m ingest.fingerprints`. The same text
and key give the same result on both sides.

A prompt's fingerprint has two halves. The *skeleton* is the wording that stays when
numbers, quotes, links, names, code and labelled values are masked; the *slots* are
what was masked. Many slots under one skeleton is how a harvest looks, whoever's
accounts it runs through (Wang et al., Self-Instruct, ACL 2023, describes the
corpora; masking follows the template miner Drain, He et al., ICWS 2017).

Written form: `f1:` and `name=value` pairs between semicolons: `k` skeleton and `s`
slots (16 hexadecimal digits), `i` intents (hexadecimal bits), `w` words. A reader
skips names it does not know, so sketches can be added without a new version.
"""

import argparse
import hmac
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b, sha256

VERSION = "f1"
KEY_VARIABLE = "STILLWATCH_FINGERPRINT_KEY"
MAX_TEXT_BYTES = 32 * 1024

# Bit n of a fingerprint's intents is INTENTS[n]. Plain phrases, so that anyone can
# see why a prompt was counted; a phrase is looked for in the lower-cased text.
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
        "ocr",
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


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a prompt.

    `skeleton` and `slots` are signed 64-bit keyed hashes, `intents` is a bit mask
    over INTENTS, `words` counts words. `masked` is the skeleton in words, empty when
    the fingerprint came from a gateway; it is not part of the written form.
    """

    skeleton: int
    slots: int
    intents: int
    words: int
    masked: str = field(default="", compare=False)

    def __str__(self) -> str:
        return (
            f"{VERSION}:k={self.skeleton % 2**64:016x};s={self.slots % 2**64:016x}"
            f";i={self.intents:x};w={self.words}"
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
    """The fingerprint of one prompt; only its first 32 KiB count."""
    text = cut(text)
    masked, slots = mask(text)
    return Fingerprint(
        skeleton=_signed_hash(masked, key),
        slots=_signed_hash("\x1f".join(slots), key),
        intents=intents_of(text),
        words=text.count(" ") + text.count("\n") + 1,
        masked=masked,
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


def parse(written: str) -> Fingerprint:
    """Reads what a gateway sent. Raises BadFingerprint."""
    version, colon, rest = written.partition(":")
    if not colon or version != VERSION:
        raise BadFingerprint(f"Its version is not known here; use {VERSION}:…")
    pairs = dict(part.partition("=")[::2] for part in rest.split(";"))
    try:
        return Fingerprint(
            skeleton=_signed(pairs["k"]),
            slots=_signed(pairs["s"]),
            intents=int(pairs.get("i", "0"), 16) & (2 ** len(INTENTS) - 1),
            words=min(int(pairs.get("w", "0")), MAX_TEXT_BYTES),
        )
    except (KeyError, ValueError):
        raise BadFingerprint(
            "It is damaged; send what the fingerprint function returned, unchanged."
        ) from None


def intents_of(text: str) -> int:
    """Bit mask over INTENTS of the phrases that the text contains."""
    lowered = text.lower()
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


def _signed_hash(text: str, key: bytes) -> int:
    digest = blake2b(text.encode(), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _signed(sixteen: str) -> int:
    if len(sixteen) != 16:
        raise ValueError(sixteen)
    value = int(sixteen, 16)
    return value - 2**64 if value >= 2**63 else value


def strip_texts(record: dict[str, object], key: bytes) -> dict[str, object]:
    """A telemetry record with every text replaced by its fingerprint."""
    makers: tuple[tuple[str, str, Callable[[str, bytes], object]], ...] = (
        ("prompt", "prompt_fingerprint", fingerprint),
        ("system_prompt", "system_hash", system_hash),
        ("response", "response_hash", response_hash),
    )
    kept = dict(record)
    for text_field, hash_field, make in makers:
        text = kept.pop(text_field, None)
        if isinstance(text, str):
            kept[hash_field] = str(make(text, key))
    return kept


def _answers(lines: Iterator[str], what: str, key: bytes) -> Iterator[str]:
    for line in lines:
        if what == "records":
            yield json.dumps(strip_texts(json.loads(line), key), ensure_ascii=False)
        elif what == "response":
            yield response_hash(line.rstrip("\n"), key)
        elif what == "system":
            yield system_hash(line.rstrip("\n"), key)
        else:
            yield str(fingerprint(line.rstrip("\n"), key))


def main(arguments: list[str] | None = None) -> int:
    """Reads lines, writes one fingerprint each; `records` takes telemetry as NDJSON."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest.fingerprints",
        description="Reads lines from standard input and writes their fingerprints. "
        f"The key stands in {KEY_VARIABLE}.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        default="prompt",
        choices=["prompt", "system", "response", "records"],
    )
    what = parser.parse_args(arguments).what
    secret = os.environ.get(KEY_VARIABLE, "")
    if len(secret) < 32:
        parser.error(
            f"{KEY_VARIABLE} is not set or shorter than 32 characters. "
            "`manage.py fingerprint_key` prints it."
        )
    for answer in _answers(iter(sys.stdin), what, key_from(secret)):
        sys.stdout.write(answer + "\n")
    return 0


def key_from(secret: str) -> bytes:
    """The bytes that the printed key stands for."""
    try:
        return bytes.fromhex(secret)[:64]
    except ValueError:
        return sha256(secret.encode()).digest()


if __name__ == "__main__":
    raise SystemExit(main())
