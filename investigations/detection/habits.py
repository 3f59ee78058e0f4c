"""What members of clusters do with the model, read beside some others."""

from collections.abc import Collection
from dataclasses import replace

from investigations.detection import features
from investigations.detection.features import Clock
from investigations.detection.population import Population, some_others


def with_habits(
    everyone: Population, clock: Clock, within: Collection[int] | None = None
) -> Population:
    """With settings, subjects and bans of whoever is in a cluster, and of some others
    to compare them with. `within`: only of clusters that hold one of these accounts."""
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
    hit = [
        account
        for each in everyone.found.clusters
        if any(account in struck for account in each.accounts)
        for account in each.accounts
    ]
    return replace(
        everyone,
        struck=struck,
        hours=features.hours_of(hit + others, clock) if hit else {},
        settings=features.settings_of(watched, clock),
        subjects=features.subjects_of(watched, clock),
        start_hours=features.start_hours_of(watched, clock),
        wordings=features.wordings_of(watched, clock),
    )
