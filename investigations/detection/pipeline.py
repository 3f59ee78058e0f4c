"""Facts → claims: read, compute, write. The same facts give the same claims.

Everything is computed before anything is written, and written in one transaction, so
a page never sees half a run. An advisory lock keeps two runs from overlapping.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connection, transaction
from django.db.models import Max
from django.utils import timezone

from ingest.models import Batch
from ingest.rolling import marks
from investigations.detection import (
    claims,
    drift,
    exposure_rows,
    features,
    link_rows,
    pace,
    profiling,
    quick,
    returning,
    rulebook,
    trials,
)
from investigations.detection.believing import (
    Believed,
    Stopwatch,
    believe,
    believe_anew,
    silent_scores,
)
from investigations.detection.features import Clock, Facts
from investigations.detection.models import ChangedAccounts, Cluster, Label, Run
from investigations.detection.rulebook import Edition
from investigations.detection.selectors import finished_runs

# Names the lock among all advisory locks of the database ("detect" in ASCII).
LOCK = 0x646574656374
KEPT = timedelta(days=30)  # how long a run's own row stays


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
        comes = pace.next_pass(now, facts_mark())
        if comes is pace.Next.QUICK:
            return _run_quick(now)
        return _run(now) if comes is pace.Next.FULL else None
    finally:
        _unlock()


def _unlock() -> None:
    """Lets the next pass begin. Never fails: it would hide why this one did."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    except Error:
        connection.close()  # and the lock goes with it


def facts_mark() -> str:
    """Changes whenever a batch was stored, a day rolled up, or a label given."""
    stored = Batch.objects.filter(state=Batch.State.STORED).aggregate(
        at=Max("stored_at"), pk=Max("pk")
    )
    label = Label.objects.aggregate(pk=Max("pk"))["pk"]
    stale = marks.waiting()
    return f"{stored['at']}|{stored['pk']}|{stale}|{label}|{rulebook.mark()}"


def _run(as_of: datetime) -> Run:
    quick.let_go()
    mark, watch, edition = facts_mark(), Stopwatch(), rulebook.live()
    row = Run.objects.create(
        as_of=as_of, ruleset_hash=edition.rules.hash, rules=edition.version
    )
    # The temporary table of the open day lives as long as this transaction.
    with transaction.atomic():
        label, changed = quick.newest_label(), quick.changed_mark()
        with watch.stage("features"):
            facts = features.read_facts(as_of)
        believed = believe(facts, edition.rules, watch)
        with watch.stage("drift"):
            drifted = measured_drift(believed)
        counts = write(believed, watch)
        with watch.stage("what quick passes go on from"):
            keep_for_quick_passes(row, believed, changed)
        row.stages = watch.seconds
        row.counts = counts | {"facts": mark, "label": label} | drifted
        row.finished_at = timezone.now()
        row.save()
        Run.objects.filter(started_at__lt=row.finished_at - KEPT).delete()
    # Apart, so that what a draft makes of the facts cannot undo what holds.
    if (shadow := rulebook.in_shadow()) is not None:
        run_shadow(shadow, edition, facts, believed, watch)
        row.stages = watch.seconds
        row.save(update_fields=["stages"])
    return row


def measured_drift(believed: Believed) -> dict[str, Any]:
    left = drift.left_by_quick_passes()
    if left is None:
        return {}
    silent = silent_scores(believed.facts, believed.rules)
    scores = (
        (each.account, each.scored.score, each.scored.band)
        for each in [*believed.assessed.accounts, *silent]
    )
    clusters = (found.accounts for found in believed.everyone.found.clusters)
    return {"drift": drift.measured(left, scores, clusters)}


def keep_for_quick_passes(row: Run, believed: Believed, changed: int) -> None:
    """Nothing, where the next pass is a full one all the same."""
    ChangedAccounts.objects.filter(pk__lte=changed).delete()
    if timezone.now() - row.started_at > pace.SHORT:
        quick.remember(row, believed.read, believed.everyone)
    else:
        quick.forget()


def _run_quick(as_of: datetime) -> Run:
    """What changed since the last pass, and whom that concerns."""
    mark, watch, edition = facts_mark(), Stopwatch(), rulebook.live()
    row = Run.objects.create(
        kind=Run.Kind.QUICK,
        as_of=as_of,
        ruleset_hash=edition.rules.hash,
        rules=edition.version,
    )
    last = finished_runs().first()
    with transaction.atomic():
        with watch.stage("what is kept"):
            recalled = quick.recall()
        changes = quick.take(last.counts.get("label", 0) if last else 0)
        with watch.stage("features"):
            touched = quick.look(recalled, changes, Clock(as_of))
        believed, within = believe_anew(
            recalled.kept, touched, changes, edition.rules, watch
        )
        counts = write(believed, watch, within, changes.fresh)
        row.stages = watch.seconds
        row.counts = counts | {"facts": mark, "label": changes.label}
        row.counts["changed"] = len(changes.fresh)
        row.finished_at = timezone.now()
        row.save()
    return row


def run_shadow(
    shadow: Edition,
    live: Edition,
    facts: Facts,
    believed: Believed,
    watch: Stopwatch,
) -> None:
    """What the version in shadow would make of the same facts, kept beside."""
    own = Stopwatch()
    with watch.stage("shadow"), transaction.atomic():
        other = believe(facts, shadow.rules, own, like=believed)
        trials.keep_shadow(shadow, live, compared(believed, other))


def compared(live: Believed, draft: Believed) -> trials.Result:
    as_of = live.facts.clock.as_of
    return trials.compare(live.assessed, draft.assessed, draft.facts.features, as_of)


def write(
    believed: Believed,
    watch: Stopwatch,
    within: frozenset[int] | None = None,
    fresh: frozenset[int] = frozenset(),
) -> dict[str, Any]:
    """All claims of one run, or those about accounts within, and what left through
    the clusters of those that are fresh; returns how many there are of each."""
    facts, everyone, rules = believed.facts, believed.everyone, believed.rules
    assessed, found = believed.assessed, everyone.found
    as_of = facts.clock.as_of
    if within is None:
        with watch.stage("shared values"):
            profiles = profiling.profiles_of(believed)
        with watch.stage("write links"):
            claims.store_profiles(everyone, believed.world, rules, profiles)
    with watch.stage("write links"):
        link_rows.store(found, within)
    with watch.stage("write clusters"):
        inside = found.inside
        stored = claims.store_clusters(assessed.clusters, inside, as_of, within)
        claims.store_memberships(assessed.clusters, stored, inside, as_of, within)
    with watch.stage("write scores"):
        pairs = list(zip(assessed.clusters, stored, strict=True))
        claims.store_signals(assessed.accounts, pairs, as_of, rules, within)
        accounts = assessed.accounts + silent_scores(facts, rules)
        scores = member_scores(stored)
        claims.store_scores(
            accounts, lambda pk: scores.get(pk, 0.0), as_of, rules.hash, within
        )
    with watch.stage("past clusters"):
        returning.keep(everyone, stored, as_of)
        returning.store_resemblances(everyone, stored, as_of)
    with watch.stage("exposure"):
        since = None if within is None else quick.recent(as_of)
        rows = [*stored, *exposure_rows.homes(fresh, but=stored)] if fresh else stored
        exposure_rows.store_exposure(rows, facts.clock, since)
    return {
        "accounts": len(accounts),
        "links": len(found.kept.links.a),
        "clusters": len(stored),
        "hot_clusters": sum(row.score >= claims.FLAGGED for row in stored),
        "proposed": sum(len(row.proposed_ban) for row in stored),
    }


def member_scores(stored: list[Cluster]) -> dict[int, float]:
    return {pk: row.score for row in stored for pk in row.last_members}
