"""Open cases go on where their clusters do.

A campaign is often seen first in parts, each of which gets a case. Once the parts are
found to be one cluster, the oldest case becomes the case about it; later ones that
nobody has touched are closed as its duplicates, and the others are left to people.
"""

from contextlib import suppress

from django.db import IntegrityError, transaction
from django.utils import timezone

from investigations import access, transitions
from investigations.actions.locking import keep, lock_case, mark_finished
from investigations.actions.titles import title_of, title_when_opened
from investigations.detection.models import Cluster
from investigations.detection.selectors import successors
from investigations.models import Case

# What waits for an approval is about the accounts that were listed for it.
FREE = (Case.Status.OPEN, Case.Status.IN_REVIEW, Case.Status.ESCALATED)


def follow_clusters() -> None:
    """Each case in its own transaction, the oldest first."""
    left = Case.objects.filter(status__in=FREE, cluster__live=False)
    for case in left.select_related("cluster").order_by("pk"):
        assert case.cluster is not None
        found = successors(case.cluster)
        # Of one that fell apart, people say which part the case was about.
        if len(found) == 1:
            # Whoever opens a case about the same cluster at this moment is first, and
            # this one is looked at again after the next pass.
            with suppress(IntegrityError):
                _follow(case, found[0])


@transaction.atomic
def _follow(case: Case, cluster: Cluster) -> None:
    case = lock_case(case)
    if case.status not in FREE or case.cluster is None or case.cluster.live:
        return  # somebody else was faster
    other = Case.objects.unfinished().filter(cluster=cluster).first()
    if other is None:
        _go_on(case, cluster)
    elif _is_untouched(case):
        _close(case, other)


def _go_on(case: Case, cluster: Cluster) -> None:
    before = case.cluster
    if case.title == title_when_opened(case):
        case.title = title_of(cluster)
    case.cluster, case.priority = cluster, cluster.score
    keep(
        case,
        "case.followed",
        by=access.system_account(),
        before=before.ref if before else None,
        cluster=cluster.ref,
    )


def _is_untouched(case: Case) -> bool:
    """Nobody but the machine opened, took or wrote about it."""
    machine = access.system_account()
    opened = case.version == 1 and case.opened_by_id == machine.pk
    return opened and not case.notes.exists()


def _close(case: Case, other: Case) -> None:
    case.outcome = Case.Outcome.DUPLICATE
    transitions.move(case, Case.Status.CLOSED)
    mark_finished(case, timezone.now())
    reason = f"Its accounts are found in {other.cluster} now, which {other} is about."
    keep(
        case,
        "case.closed",
        by=access.system_account(),
        reason=reason,
        outcome=case.outcome,
    )
