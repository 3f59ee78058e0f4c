"""What detectors see."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Family(StrEnum):
    """Kinds of evidence that do not follow from one another."""

    CONTENT_PROOF = "content_proof"
    MONEY = "money"
    IDENTITY = "identity"
    DEVICE = "device"
    NETWORK = "network"
    CONTENT = "content"
    TIME = "time"
    LIFECYCLE = "lifecycle"


@dataclass(frozen=True, slots=True)
class Rows:
    """The query that finds the rows behind a reason: selectors.reason_rows reads it.

    `table` is "event", "account" or "sighting"; `filters` are the words of
    `selectors.FILTERS`; `count` is how many rows it found at the time.
    """

    table: str
    filters: Mapping[str, Any]
    count: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a detector saw: how strongly, and the sentence an analyst reads.

    `quantile` is the share of chance outcomes at least as extreme, where the detector
    compares with a null; None where it does not.
    """

    strength: float
    value: float
    baseline: float | None
    sentence: str
    innocent: str
    rows: Rows
    quantile: float | None = None
