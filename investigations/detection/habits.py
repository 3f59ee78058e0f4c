"""What members of clusters do with the model, read beside some others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from investigations.detection import features
from investigations.detection.features import Clock
from investigations.detection.population import Population, some_others
from investigations.detection.shapes import Floats

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watched:
    """What was read of some accounts, as in Population; `accounts` are all that were
    asked about, whether or not there was something to tell."""

    accounts: Collection[int] = frozenset()
    settings: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    subjects: Mapping[int, Floats] = field(default_factory=dict)
    start_hours: Mapping[int, Floats] = field(default_factory=dict)


NOBODY = Watched()


def with_habits(
    everyone: Population,
    clock: Clock,
    within: Collection[int] | None = None,
    known: Watched = NOBODY,
) -> Population:
    """With settings, subjects and bans of whoever is in a cluster, and of some others
    to compare them with. `within`: only of clusters that hold one of these accounts.
    `known`: what need not be read again."""
    members = [
        account
        for each in everyone.found.clusters
        if within is None or any(account in within for account in each.accounts)
        for account in each.accounts
    ]
    struck = features.struck(members, clock)
    clustered = [pk for each in everyone.found.clusters for pk in each.accounts]
    others = some_others(everyone.features, clustered)
    watched = members + others
    still = [account for account in watched if account in known.accounts]
    fresh = [account for account in watched if account not in known.accounts]
    hit = [
        account
        for each in everyone.found.clusters
        if any(account in struck for account in each.accounts)
        for account in each.accounts
    ]
    return replace(
        everyone,
        watched=frozenset(watched),
        struck=struck,
        hours=features.hours_of(hit + others, clock) if hit else {},
        settings=of(still, known.settings) | features.settings_of(fresh, clock),
        subjects=of(still, known.subjects) | features.subjects_of(fresh, clock),
        start_hours=of(still, known.start_hours)
        | features.start_hours_of(fresh, clock),
        wordings=features.wordings_of(watched, clock),
    )


def of(accounts: Collection[int], known: Mapping[int, T]) -> dict[int, T]:
    return {account: known[account] for account in accounts if account in known}
