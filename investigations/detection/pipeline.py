"""Facts → claims: read, compute, write. The same facts give the same claims.

Everything is computed before anything is written, and written in one transaction, so
a page never sees half a run. An advisory lock keeps two runs from overlapping.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from ingest.models import Batch, StaleDay
from investigations.detection import assessment, claims, clustering, features, scoring
from investigations.detection.assessment import Assessment
from investigations.detection.features import Facts
from investigations.detection.models import Cluster, Label, Run
from investigations.detection.pooling import Population
from investigations.detection.ruleset import RULESET
from investigations.detection.shapes import AccountView, ScoredAccount

# Names the lock among all advisory locks of the database ("detect" in ASCII).
LOCK = 0x646574656374
KEPT = timedelta(days=30)  # how long a run's own row stays
# After a run of t seconds the next one waits 4 × t, so that claims that never stop
# changing take a fifth of one core at most; no longer than a minute.
PAUSE_FACTOR, LONGEST_PAUSE = 4, timedelta(seconds=60)


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


def run(*, as_of: datetime) -> Run:
    """One full pass with the clock `as_of`; waits for a pass that is under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        return _run(as_of)
    finally:
        _unlock()


def refresh(*, now: datetime) -> Run | None:
    """A pass if facts or labels changed since the last one and nobody else is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
    try:
        return _run(now) if is_due(now) else None
    finally:
        _unlock()


def _unlock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def is_due(now: datetime) -> bool:
    last = Run.objects.filter(finished_at__isnull=False).order_by("-pk").first()
    if last is None or last.finished_at is None:
        return True
    if last.counts.get("facts") == facts_mark():
        return False
    pause = min(LONGEST_PAUSE, PAUSE_FACTOR * (last.finished_at - last.started_at))
    return now - last.finished_at >= pause


def facts_mark() -> str:
    """Changes whenever a batch was stored, a day rolled up, or a label given."""
    stored = Batch.objects.filter(state=Batch.State.STORED).aggregate(
        at=Max("stored_at"), pk=Max("pk")
    )
    label = Label.objects.aggregate(pk=Max("pk"))["pk"]
    stale = StaleDay.objects.count()
    return f"{stored['at']}|{stored['pk']}|{stale}|{label}|{RULESET.hash[:16]}"


def _run(as_of: datetime) -> Run:
    mark, watch = facts_mark(), Stopwatch()
    row = Run.objects.create(as_of=as_of, ruleset_hash=RULESET.hash)
    # The temporary table of the open day lives as long as this transaction.
    with transaction.atomic():
        with watch.stage("features"):
            facts = features.read_facts(as_of)
        everyone = refresh_links(facts, watch)
        with watch.stage("scores"):
            assessed = assessment.assess(everyone)
        counts = write(facts, everyone, assessed, watch)
        row.stages, row.counts = watch.seconds, counts | {"facts": mark}
        row.finished_at = timezone.now()
        row.save()
        Run.objects.filter(started_at__lt=row.finished_at - KEPT).delete()
    return row


def refresh_links(facts: Facts, watch: Stopwatch) -> Population:
    """Links and clusters, computed."""
    with watch.stage("links and clusters"):
        found = clustering.find_clusters(facts.world)
    with watch.stage("features"):
        members = [account for each in found.clusters for account in each.accounts]
        times = features.start_times(members, facts.clock)
    return Population(
        features=facts.features,
        world=facts.world,
        found=found,
        starts=facts.starts,
        since=facts.clock.since,
        until=facts.clock.as_of,
        start_times=times,
        releases=facts.releases,
        moves=facts.moves,
    )


def write(
    facts: Facts, everyone: Population, assessed: Assessment, watch: Stopwatch
) -> dict[str, int]:
    """All claims of one run; returns how many there are of each."""
    as_of, links = facts.clock.as_of, everyone.found.links
    with watch.stage("write links"):
        claims.store_links(links)
        claims.store_profiles(everyone)
    with watch.stage("write clusters"):
        stored = claims.store_clusters(assessed.clusters, links, as_of)
        claims.store_memberships(assessed.clusters, stored, links, as_of)
    with watch.stage("write scores"):
        pairs = list(zip(assessed.clusters, stored, strict=True))
        claims.store_signals(assessed.accounts, pairs, as_of)
        accounts = assessed.accounts + silent_scores(facts)
        scores = member_scores(stored)
        claims.store_scores(accounts, lambda pk: scores.get(pk, 0.0), as_of)
    with watch.stage("exposure"):
        claims.store_exposure(assessed.clusters, stored, facts.clock)
    return {
        "accounts": len(accounts),
        "links": len(links),
        "clusters": len(stored),
        "hot_clusters": sum(row.score >= claims.FLAGGED for row in stored),
        "proposed": sum(len(row.proposed_ban) for row in stored),
    }


def member_scores(stored: list[Cluster]) -> dict[int, float]:
    return {pk: row.score for row in stored for pk in row.last_members}


def silent_scores(facts: Facts) -> list[ScoredAccount]:
    """Known accounts without any activity in the window stand at the prior."""
    views = (
        AccountView(own, facts.clock.since, facts.clock.as_of) for own in facts.silent
    )
    return [
        ScoredAccount(view.features.account, {}, scoring.score_account(view, {}))
        for view in views
    ]
