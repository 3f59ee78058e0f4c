"""Texts from slot grammars: varied, readable, and nobody's real words.

A grammar is written as plain text: a line without indentation names a symbol, the
indented lines below are its alternatives. `{name}` expands a symbol, `{10-90}` rolls a
number, `{hex:7}` a hexadecimal token; `\\n` is a line break and `~` a space that
stripping must not take. A lone `-` is the empty alternative.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from ingest.demo.dice import Dice, dice, scattered

Piece = str | tuple[str, str]  # literal text, or (what to do, with what)
Production = tuple[Piece, ...]


def words(text: str) -> list[str]:
    """A list of words, written as people read one."""
    return text.split()


# A brace that is not one of these is itself: customers paste code.
_SLOT = re.compile(r"\{([a-z_]+\d?|hex:\d+|\d+-\d+)\}")


def _piece(slot: str) -> Piece:
    if slot.startswith("hex:"):
        return ("hex", slot[4:])
    return ("number" if slot[0].isdigit() else "symbol", slot)


def _production(line: str) -> Production:
    if line == "-":
        return ()
    text = line.replace("\\n", "\n").replace("~", " ")
    parts = _SLOT.split(text)  # literal, slot, literal, slot, … literal
    pieces = [_piece(part) if n % 2 else part for n, part in enumerate(parts)]
    return tuple(piece for piece in pieces if piece)


def parse(source: str) -> dict[str, list[Production]]:
    """Symbol → its alternatives. Raises KeyError for a symbol nobody defined."""
    rules: dict[str, list[Production]] = {}
    alternatives: list[Production] = []
    for line in source.splitlines():
        if line and not line[0].isspace():
            alternatives = rules.setdefault(line.strip(), [])
        elif line.strip():
            alternatives.append(_production(line.strip()))
    for productions in rules.values():
        for production in productions:
            for piece in production:
                if isinstance(piece, tuple) and piece[0] == "symbol":
                    rules[piece[1]]
    return rules


class Grammar:
    """Expands symbols; the same dice give the same text."""

    def __init__(self, *sources: str) -> None:
        self.rules = parse("\n".join(sources))

    def say(self, rng: Dice, symbol: str) -> str:
        out: list[str] = []
        self._expand(rng, symbol, out)
        # Optional parts leave gaps between sentences.
        return "".join(out).strip().replace(".  ", ". ").replace("?  ", "? ")

    def _expand(self, rng: Dice, symbol: str, out: list[str]) -> None:
        options = self.rules[symbol]
        for piece in options[int(rng.random() * len(options))]:
            if isinstance(piece, str):
                out.append(piece)
            elif piece[0] == "symbol":
                self._expand(rng, piece[1], out)
            else:
                out.append(_rolled(rng, piece))

    def choices(self, symbol: str) -> list[str]:
        """The alternatives of a symbol that holds plain words only."""
        return ["".join(map(str, production)) for production in self.rules[symbol]]


def _rolled(rng: Dice, piece: tuple[str, str]) -> str:
    kind, what = piece
    if kind == "hex":
        digits = int(what)
        return f"{rng.getrandbits(4 * digits):0{digits}x}"
    low, _, high = what.partition("-")
    return str(int(low) + int(rng.random() * (int(high) - int(low) + 1)))


class Script(Protocol):
    """What one kind of customer says, turn by turn."""

    def topic(self, rng: Dice) -> str:
        """What a new conversation is about."""

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        """The newest user message of that conversation's turn (from 1)."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A person: opens with one of the topics, goes on with follow-ups.

    A follow-up is `<topic>_more` in `own_share` of the turns where the grammar has it,
    else `more`.
    """

    grammar: Grammar
    topics: tuple[str, ...]
    own_share: float = 0.4

    def topic(self, rng: Dice) -> str:
        return self.topics[int(rng.random() ** 1.4 * len(self.topics))]

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        if turn == 1:
            return self.grammar.say(rng, topic)
        own = f"{topic}_more"
        known = own in self.grammar.rules and rng.random() < self.own_share
        return self.grammar.say(rng, own if known else "more")


class Template:
    """One fixed frame with slots, as a program sends it.

    `following()` never repeats a combination before all have been used, whoever asks;
    `sample(rng)` draws the slots independently, as records of a business come.
    """

    def __init__(self, frame: str, slots: dict[str, list[str]], *, seed: str) -> None:
        self.frame, self.names = frame, list(slots)
        self.values = list(slots.values())
        self.size = 1
        for options in self.values:
            self.size *= len(options)
        self.key = dice("template", seed, frame).getrandbits(40)
        self.asked = 0

    def _filled(self, index: int) -> str:
        chosen = {}
        for name, options in zip(self.names, self.values, strict=True):
            index, digit = divmod(index, len(options))
            chosen[name] = options[digit]
        return self.frame.format_map(chosen)

    def item(self, number: int) -> str:
        return self._filled(scattered(number % self.size, self.size, self.key))

    def following(self) -> str:
        self.asked += 1
        return self.item(self.asked)

    def again(self, rng: Dice) -> str:
        """One of those already asked, for a further sample."""
        return self.item(1 + int(rng.random() * self.asked))

    def sample(self, rng: Dice) -> str:
        return self._filled(int(rng.random() * self.size))


class Job:
    """A program that sends records of its business through a few templates."""

    def __init__(self, templates: list[Template]) -> None:
        self.templates = templates

    def topic(self, rng: Dice) -> str:
        return str(int(rng.random() * len(self.templates)))

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        return self.templates[int(topic)].sample(rng)


class Harvest:
    """A corpus worked through in order, shared out among all who hold its templates; a
    part of it is asked `again` for further samples."""

    def __init__(self, templates: list[Template], again: float = 0.0) -> None:
        self.templates, self.again = templates, again

    def topic(self, rng: Dice) -> str:
        return str(int(rng.random() * len(self.templates)))

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        template = self.templates[int(topic)]
        if self.again and template.asked and rng.random() < self.again:
            return template.again(rng)
        return template.following()
