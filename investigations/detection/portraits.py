"""What a group of accounts is known by, in keyed hashes and sums. Pure.

A portrait outlives what it was made of: members may fall silent, their facts expire.
Each part fades by the half-life of its kind (`rarity.KINDS`: an address 7 days, a block
of them 30, a card 365; a template 90): a rented address is somebody else's next month.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from investigations.detection.rarity import KINDS
from investigations.detection.shapes import Floats

# Part → how a sentence names it, in the order people read them.
PARTS: Mapping[str, str] = {
    "tools": "its tool schema",
    "system": "its system prompt",
    "cards": "its cards",
    "contacts": "its phones or mailboxes",
    "devices": "its devices",
    "addresses": "its addresses",
    "templates": "its prompt templates",
    "client": "its client program",
    "sign_up": "how its accounts sign up",
    "settings": "its settings",
    "subjects": "what it asks about",
    "hours": "the hours it keeps",
    "balance": "how evenly work is dealt out",
}
# Kind of shared value → the part that it belongs to.
PART_OF: Mapping[str, str] = {
    "tools": "tools",
    "system": "system",
    "payment": "cards",
    "phone": "contacts",
    "email": "contacts",
    "device": "devices",
    "address": "addresses",
    "block": "addresses",
}
HALF_LIFE = {kind: known.half_life for kind, known in KINDS.items()}
# How a mailbox is named, and settings, are habits: they do not change hands.
LASTING = 3650.0


@dataclass(frozen=True, slots=True)
class Mark:
    """`weight`: how rare it is, times the share of the group that shows it; `day`: when
    it was last shown, counted from 1 January 1970."""

    weight: float
    day: int


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """`marks`: part → "kind:keyed hash" → mark. `subjects`: the sum of the members'
    mean embeddings, of `asked` members. `hours`: session starts by hour, 24 numbers.
    `templates`: (sketch, share of the repeated prompts). `balance`: nan if unknown."""

    size: int
    day: int
    marks: Mapping[str, Mapping[str, Mark]] = field(default_factory=dict)
    subjects: Floats = field(default_factory=lambda: np.zeros(0))
    asked: int = 0
    hours: Floats = field(default_factory=lambda: np.zeros(24))
    templates: tuple[tuple[bytes, float], ...] = ()
    balance: float = math.nan

    def as_json(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "day": self.day,
            "marks": {
                part: {name: [round(m.weight, 4), m.day] for name, m in marks.items()}
                for part, marks in self.marks.items()
            },
            "subjects": [round(float(each), 4) for each in self.subjects],
            "asked": self.asked,
            "hours": [int(each) for each in self.hours],
            "templates": [[s.hex(), round(share, 4)] for s, share in self.templates],
            "balance": None if math.isnan(self.balance) else round(self.balance, 4),
        }


def from_json(told: Mapping[str, Any]) -> Portrait:
    return Portrait(
        size=told["size"],
        day=told["day"],
        marks={
            part: {name: Mark(weight, day) for name, (weight, day) in marks.items()}
            for part, marks in told["marks"].items()
        },
        subjects=np.array(told["subjects"], float),
        asked=told["asked"],
        hours=np.array(told["hours"], float),
        templates=tuple((bytes.fromhex(s), share) for s, share in told["templates"]),
        balance=math.nan if told["balance"] is None else told["balance"],
    )


def faded(mark: Mark, name: str, day: int) -> float:
    """What is left of a mark's weight on that day."""
    half_life = HALF_LIFE.get(name.partition(":")[0], LASTING)
    left: float = mark.weight * 0.5 ** (max(0, day - mark.day) / half_life)
    return left
