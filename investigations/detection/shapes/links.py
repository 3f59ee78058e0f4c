"""What ties accounts, and who is found together."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SharedBy:
    """One value that ties two accounts, and what it adds."""

    kind: str
    value: str
    indicator: int | None
    weight: float
    shared_by: int

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "value": self.value,
            "indicator": self.indicator,
            "weight": self.weight,
            "shared_by": self.shared_by,
        }


@dataclass(frozen=True, slots=True)
class WeightedLink:
    """Probability that two accounts have one operator. a < b, account ids."""

    a: int
    b: int
    weight: float
    families: int
    evidence: tuple[SharedBy, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`stability`: share of the partition's runs that kept it with its cluster.
    `support`: rare values it shares with other members' organisations."""

    account: int
    stability: float
    support: int


@dataclass(frozen=True, slots=True)
class FoundCluster:
    """Members in rising order of account id."""

    members: tuple[Member, ...]

    @property
    def accounts(self) -> tuple[int, ...]:
        return tuple(member.account for member in self.members)
