"""Facts → what is believed: links, clusters, scores, of everybody or of some.

Nothing is written here. What is read is what the steps ask for on their way: session
starts and settings of those who turn out to be members.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from investigations.detection import (
    allowlists,
    assessment,
    clustering,
    dealing,
    features,
    joining,
    quick,
    returning,
    robbed,
    scoring,
    vouching,
)
from investigations.detection.assessment import Assessment
from investigations.detection.clustering import Found
from investigations.detection.features import Clock, Facts
from investigations.detection.habits import NOBODY, Watched, with_habits
from investigations.detection.population import Population
from investigations.detection.ruleset import Ruleset
from investigations.detection.shapes import (
    NEVER,
    AccountView,
    Everyone,
    Floats,
    ScoredAccount,
)


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage, for the Run's row and for who waits at a terminal."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        spent = time.perf_counter() - start
        self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """What some rules make of the facts; `world` is everything shown, listed or not,
    and `read` the facts as they were before the rules' lists were applied."""

    rules: Ruleset
    facts: Facts
    everyone: Population
    assessed: Assessment
    world: Everyone
    read: Facts


def believe(
    facts: Facts, rules: Ruleset, watch: Stopwatch, *, like: Believed | None = None
) -> Believed:
    """Clusters and scores under some rules. `like`: what others made of the same
    facts; links and clusters are taken from there unless the allowlists differ."""
    seen = under(facts, rules)
    if like is not None and like.rules.allowed == rules.allowed:
        everyone = like.everyone  # and with it what it has worked out already
        if like.rules.partners != rules.partners:
            everyone = replace(everyone, features=seen.features)
    else:
        everyone = refresh_links(seen, watch)
    with watch.stage("scores"):
        assessed = assessment.assess(everyone, rules)
        assessed = vouched_for(assessed, everyone, facts.clock)
    return Believed(rules, seen, everyone, assessed, facts.world, facts)


def under(facts: Facts, rules: Ruleset) -> Facts:
    """The facts as the rules' allowlists have them."""
    known = allowlists.known_accounts(facts.features, rules)
    return replace(
        facts,
        features=known,
        silent=allowlists.known_accounts(facts.silent, rules),
        world=allowlists.without_public_values(facts.world, known, rules),
    )


def refresh_links(facts: Facts, watch: Stopwatch) -> Population:
    """Links and clusters, computed."""
    world, found, known = linked(facts, watch)
    with watch.stage("features"):
        members = [account for each in found.clusters for account in each.accounts]
        others = [account for account in members if account not in known]
        read = known | features.session_times(others, facts.clock)
        times = {pk: read[pk] for pk in members if read.get(pk, NEVER).size}
    return population_of(replace(facts, world=world), found, times, watch)


def linked(facts: Facts, watch: Stopwatch) -> tuple[Everyone, Found, dict[int, Floats]]:
    """The world with the hands that were found, its clusters, and the session times
    that were read on the way."""
    with watch.stage("links and clusters"):
        ties = clustering.ties_alone(facts.world)
        found = clustering.find_clusters(facts.world, alone=ties)
    world, known = dealt_world(facts, found, watch)
    if world is not facts.world:
        with watch.stage("links and clusters"):
            more = clustering.ties_with_more(world, ties, facts.world)
            found = clustering.find_clusters(world, alone=more)
    return world, found, known


def population_of(
    facts: Facts,
    found: Found,
    times: Mapping[int, Floats],
    watch: Stopwatch,
    within: frozenset[int] | None = None,
    known: Watched = NOBODY,
) -> Population:
    """`times`: when members' sessions began and ended. `within`: whom it concerns.
    `known`: habits that need not be read."""
    everyone = Population(
        features=facts.features,
        world=facts.world,
        found=found,
        starts=facts.starts,
        since=facts.clock.since,
        until=facts.clock.as_of,
        session_times=times,
        releases=facts.releases,
        moves=facts.moves,
    )
    with watch.stage("links and clusters"):
        everyone = robbed.leave_company_out(everyone)
    with watch.stage("features"):
        everyone = with_habits(everyone, facts.clock, within, known)
    with watch.stage("past clusters"):
        return returning.with_past(everyone, facts.clock.as_of)


def dealt_world(
    facts: Facts, found: Found, watch: Stopwatch
) -> tuple[Everyone, dict[int, Floats]]:
    """The world with what pooled timing shows beyond what accounts share, and the
    session times that were read for it."""
    member_of = np.full(len(facts.features), -1, np.int64)
    position = {pk: at for at, pk in enumerate(facts.world.accounts)}
    for number, cluster in enumerate(found.clusters):
        member_of[[position[account] for account in cluster.accounts]] = number
    with watch.stage("dealing"):
        hands = dealing.candidates(facts.world, member_of)
        hands = dealing.busy(hands, facts.starts)
        involved = {at for hand in hands for at in hand.accounts.tolist()}
        pks = [facts.world.accounts[at] for at in sorted(involved)]
        times = features.session_times(pks, facts.clock)
        known = {pk: times.get(pk, NEVER) for pk in pks}
        by_position = {at: known[facts.world.accounts[at]][0] for at in involved}
        proven = dealing.find_hands(hands, facts.starts, by_position)
        proven = joining.joined(facts.world, proven, facts.starts)
    return dealing.tied(facts.world, proven), known


def vouched_for(assessed: Assessment, everyone: Population, clock: Clock) -> Assessment:
    """The same without ban proposals that a new source alone vouches for."""
    accused = {pk for each in assessed.clusters for pk in each.proposed_ban}
    new = features.newcomers(clock) if accused else []
    if not new:
        return assessed
    handed = {
        event
        for each in assessed.clusters
        for handoff in each.features.handoffs
        for event in handoff.events
    }
    told = features.vouched(accused, handed, new, clock)
    clusters = [vouching.withhold(everyone, each, told) for each in assessed.clusters]
    return Assessment(clusters, assessed.accounts)


def silent_scores(facts: Facts, rules: Ruleset) -> list[ScoredAccount]:
    """Known accounts without any activity in the window stand at the prior."""
    views = (
        AccountView(own, facts.clock.since, facts.clock.as_of) for own in facts.silent
    )
    return [
        ScoredAccount(view.features.account, {}, scoring.score_account(view, {}, rules))
        for view in views
    ]


def believe_anew(
    kept: quick.Kept,
    touched: quick.Touched,
    changes: quick.Changes,
    rules: Ruleset,
    watch: Stopwatch,
) -> tuple[Believed, frozenset[int]]:
    """Clusters and scores of those concerned, and who that is."""
    facts = replace(touched.facts, world=touched.world)
    seen = under(facts, rules)
    with watch.stage("links and clusters"):
        found = clustering.find_clusters(seen.world, again=touched.again)
    members = {account for each in found.clusters for account in each.accounts}
    with watch.stage("features"):
        anew = changes.fresh | changes.earlier
        times = quick.session_times(kept, touched, members, anew)
        known = quick.habits(kept, anew)
    among = np.flatnonzero(touched.again.among).tolist()
    gone = changes.fresh - set(seen.world.accounts)
    within = frozenset(gone | {seen.world.accounts[at] for at in among})
    everyone = population_of(seen, found, times, watch, within, known)
    with watch.stage("scores"):
        assessed = assessment.assess(everyone, rules, within)
        assessed = vouched_for(assessed, everyone, facts.clock)
    return Believed(rules, seen, everyone, assessed, facts.world, facts), within
