"""Small worlds of accounts that show values, for the pure steps; no database."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from investigations.detection.clustering import find_clusters
from investigations.detection.population import Population
from investigations.detection.shapes import (
    AccountFeatures,
    AccountView,
    ClusterFeatures,
    CommonValue,
    Everyone,
    Evidence,
    Handoff,
    Place,
    Sightings,
    Value,
)

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
TODAY = (NOW.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days


@dataclass
class Town:
    """Accounts move in with what they show; `everyone` is what clustering sees."""

    features: dict[int, AccountFeatures] = field(default_factory=dict)
    shown: list[tuple[int, str, str, int, int]] = field(default_factory=list)
    handoffs: list[Handoff] = field(default_factory=list)

    def move_in(
        self,
        account: int,
        *,
        organization: str = "",
        stack: str = "",
        count: int = 20,
        days_ago: int = 0,
        **shows: str,
    ) -> int:
        """`shows`: kind=value; several values of a kind separated by blanks."""
        self.features[account] = AccountFeatures(
            account=account, organization=organization, stack=stack, requests=100
        )
        self.shows(account, count=count, days_ago=days_ago, **shows)
        return account

    def shows(
        self, account: int, *, count: int = 20, days_ago: int = 0, **shows: str
    ) -> None:
        for kind, values in shows.items():
            for value in values.split():
                self.shown.append((account, kind, value, count, TODAY - days_ago))

    def hands_over(self, giver: int, taker: int, conversations: int = 3) -> None:
        events = tuple(range(conversations))
        self.handoffs.append(Handoff(giver, taker, conversations, events, NOW))

    def everyone(self, *, shuffled: int | None = None) -> Everyone:
        """With a number, all rows and all numbering come in another order."""
        accounts = sorted(self.features)
        position = {account: at for at, account in enumerate(accounts)}
        shown, handoffs = list(self.shown), list(self.handoffs)
        names = sorted({(kind, value) for _, kind, value, _, _ in shown})
        if shuffled is not None:
            dice = random.Random(shuffled)
            for part in (shown, handoffs, names):
                dice.shuffle(part)
        number = {name: at for at, name in enumerate(names)}
        columns = np.array(
            [
                (position[account], number[kind, value], count, day, day)
                for account, kind, value, count, day in shown
            ],
            np.int64,
        ).reshape(-1, 5)
        own = [self.features[account] for account in accounts]
        customers = sorted({each.customer for each in own})
        stacks = sorted({each.stack for each in own} - {""})
        templates = np.zeros(len(accounts), np.int64)
        for account, kind, _, count, _ in shown:
            templates[position[account]] += count if kind == "skeleton" else 0
        return Everyone(
            accounts=accounts,
            organization=np.array([customers.index(each.customer) for each in own]),
            stack=np.array(
                [stacks.index(each.stack) if each.stack else -1 for each in own]
            ),
            templates=templates,
            values=[Value(kind, value, None) for kind, value in names],
            sightings=Sightings(*columns.T),
            handoffs=handoffs,
            today=TODAY,
        )


def member(account: int, **known: Any) -> AccountFeatures:
    """An ordinary account with enough requests to have rates."""
    return AccountFeatures(account=account, **({"requests": 100} | known))


def pooled(members: Iterable[AccountFeatures], **known: Any) -> ClusterFeatures:
    """A cluster of these members in a population of 1,000."""
    defaults: dict[str, Any] = {
        "population": 1000,
        "since": NOW - timedelta(days=28),
        "until": NOW,
    }
    return ClusterFeatures(members=tuple(members), **(defaults | known))


def population(people: Iterable[AccountFeatures], **known: Any) -> Population:
    """These accounts and nothing that any two of them share."""
    features = sorted(people, key=lambda each: each.account)
    town = Town(features={each.account: each for each in features})
    world = town.everyone()
    defaults: dict[str, Any] = {
        "features": features,
        "world": world,
        "found": find_clusters(world),
        "starts": np.zeros((0, len(features)), np.int64),
        "since": NOW - timedelta(days=28),
        "until": NOW,
    }
    return Population(**(defaults | known))


def common(kind: str, members: Iterable[int], **known: Any) -> CommonValue:
    """A value that these members show, and by default nobody else."""
    inside = frozenset(members)
    defaults: dict[str, Any] = {
        "value": "v",
        "indicator": 1,
        "accounts": len(inside),
        "member_requests": 10 * len(inside),
        "requests": 10 * len(inside),
    }
    return CommonValue(kind=kind, members=inside, **(defaults | known))


def placed(cluster: ClusterFeatures, key: str, seen: Evidence | None) -> Place:
    """A place in a cluster of which detector `key` saw something."""
    assert seen is not None
    return Place(cluster, {key: seen}, support=2, probability=0.9)


def alone(account: AccountFeatures, **known: Any) -> AccountView:
    return AccountView(account, NOW - timedelta(days=28), NOW, **known)
