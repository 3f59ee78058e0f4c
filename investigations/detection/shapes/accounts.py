"""One account's own facts, and how it works."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from investigations.detection.shapes.columns import Floats, Ints
from investigations.detection.used_settings import UsedSettings


@dataclass(frozen=True, slots=True)
class AccountFeatures:
    """One account's own facts within the window."""

    account: int
    organization: str = ""  # empty where none is known
    created_at: datetime | None = None
    age_days: float = 0.0
    contract: str = "standard"
    verification: str = "none"
    status: str = "active"
    email_shape: str = ""
    email_domain: str = ""
    program: str = "none"
    referrer: str = ""
    requests: int = 0
    active_days: int = 0
    conversations: int = 0
    single_shots: int = 0
    distinct_skeletons: int = 0
    distinct_slots: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_requests: int = 0
    intents: Mapping[str, int] = field(default_factory=dict)
    stack: str = ""  # the client stack it used most
    # What the rules' allowlists say: a partner's account, a program that is public.
    partner: bool = False
    public_stack: bool = False
    # The latest word of people: "confirmed", "benign", "exempt" or empty.
    label: str = ""
    labelled_at: datetime | None = None

    @property
    def customer(self) -> str:
        """Who pays and answers for it: its organisation, else the account itself."""
        return self.organization or f"#{self.account}"

    @property
    def is_verified(self) -> bool:
        """Whether somebody checked the organisation, or counts it among partners."""
        checked = self.verification == "organization" and bool(self.organization)
        return checked or self.partner


@dataclass(frozen=True, slots=True)
class Release:
    model: str
    released_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """One account's requests in the 24 hours after a release, and those to the new
    model. Whoever was silent in the week before, or sends next to nothing, tells
    nothing: `counts` is False."""

    account: int
    model: str
    requests: int
    moved: int
    counts: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Some rows of a table that is too large to be copied for each cluster."""

    table: Floats
    rows: Ints

    @classmethod
    def all(cls, table: Floats) -> "Chosen":
        return cls(table, np.arange(len(table)))

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, places: Ints) -> Floats:
        """The rows at these places among the chosen."""
        found: Floats = self.table[self.rows[places]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """What customers do with the model: members, and comparable others outside, one
    row each. `asked`: share of requests by capability, in the order of
    detectors/capability_concentration.py. `settings`: member → temperature and token
    limit → requests. `subjects`: member → mean embedding of its prompts."""

    asked: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    others_asked: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    settings: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    others_settings: UsedSettings = field(default_factory=lambda: UsedSettings.of(()))
    subjects: Mapping[int, Floats] = field(default_factory=dict)
    others_subjects: "Chosen" = field(
        default_factory=lambda: Chosen.all(np.zeros((0, 0)))
    )


@dataclass(frozen=True, slots=True)
class Wording:
    """A template as somebody uses it: its hash, its MinHash sketch, how often."""

    skeleton: int
    sketch: bytes
    requests: int
