"""Text that came from outside, made honest before anyone reads it.

Unicode lets a string hide (zero width), reverse its neighbours (bidirectional
overrides) or look empty while it is not. Trojan Source (Boucher and Anderson, 2021)
and UTR 36 describe the tricks. Each such character is spelled out as its code point,
so that what an analyst sees is what was sent.
"""

import unicodedata
from collections.abc import Iterator
from itertools import groupby

# Categories that show nothing, or act on what stands beside them.
_SILENT_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters and marks by category that still print nothing: combining grapheme joiner,
# Hangul fillers, Khmer inherent vowels, Mongolian selectors, the blank Braille cell,
# variation selectors.
_SILENT_LETTERS = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0]
    + [*range(0x180B, 0x180E), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
)
_PLAIN_SPACE = frozenset(" \n\t")


def is_silent(character: str) -> bool:
    """True when a reader could not tell that `character` is there."""
    if character in _PLAIN_SPACE:
        return False
    return (
        unicodedata.category(character) in _SILENT_CATEGORIES
        or ord(character) in _SILENT_LETTERS
    )


def code_point(character: str) -> str:
    """`U+202E` for RIGHT-TO-LEFT OVERRIDE."""
    return f"U+{ord(character):04X}"


def character_name(character: str) -> str:
    """The Unicode name in lower case; controls have none, so they get a word."""
    return unicodedata.name(character, "control character").lower()


def runs(text: str) -> Iterator[tuple[bool, str]]:
    """Split into (silent, run) pairs, in order; joining the runs gives `text` back."""
    for silent, group in groupby(text, key=is_silent):
        yield silent, "".join(group)


def spelled_out(text: str) -> str:
    """`text` with every silent character written as `[U+…]`, for places without HTML:
    chart and graph labels, page titles, exports."""
    return "".join(
        "".join(f"[{code_point(c)}]" for c in run) if silent else run
        for silent, run in runs(text)
    )
