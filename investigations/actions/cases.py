"""What people and the machine do with a case, up to but not including its verdict."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Least
from django.utils import timezone

from ingest.models import Account
from investigations import access, policies, transitions
from investigations.actions import audit
from investigations.actions.following import follow_clusters
from investigations.actions.locking import (
    check_version,
    keep,
    lock_case,
    mark_finished,
)
from investigations.actions.titles import title_of, title_of_picked
from investigations.detection.models import Cluster
from investigations.detection.selectors import hot_clusters
from investigations.errors import (
    AlreadyOpen,
    BadOutcome,
    EmptyList,
    EmptyNote,
    NotAllowed,
    TooLong,
)
from investigations.models import Case, CaseAccount, Decision, Note, TargetAccount
from investigations.selectors.standing import standings

Status = Case.Status

# What a case may come to without a verdict on accounts.
UNDECIDED_OUTCOMES = frozenset({Case.Outcome.DUPLICATE, Case.Outcome.NO_ACTION})


@transaction.atomic
def open_case(
    *,
    by: User,
    cluster: Cluster | None = None,
    accounts: Iterable[Account] = (),
    title: str = "",
) -> Case:
    """A new case about a cluster, about accounts picked by hand, or about both.

    Raises AlreadyOpen where the cluster has an unfinished case, EmptyList where
    there is neither a cluster nor an account.
    """
    access.require(by, access.WORK)
    picked = list(accounts)
    if cluster is None and not picked:
        raise EmptyList("A case needs a cluster or at least one account.")
    case = _insert_case(by, cluster, picked, title.strip())
    CaseAccount.objects.bulk_create(
        CaseAccount(case=case, account=account) for account in picked
    )
    audit.record(
        "case.opened",
        by=by,
        object_type="case",
        object_ref=case.ref,
        version=case.version,
        status=case.status,
        cluster=cluster.ref if cluster else None,
        accounts=len(picked),
    )
    return case


def _insert_case(
    by: User, cluster: Cluster | None, picked: list[Account], title: str
) -> Case:
    now = timezone.now()
    if len(title) > 200:
        raise TooLong("A title has at most 200 characters.")
    told = title_of(cluster) if cluster else title_of_picked(len(picked))
    try:
        # The database, not a look beforehand, decides between two who open at once.
        with transaction.atomic():
            return Case.objects.create(
                cluster=cluster,
                title=title or told,
                priority=cluster.score if cluster else 0,
                opened_on=_snapshot(cluster),
                opened_by=by,
                opened_at=now,
                changed_at=now,
            )
    except IntegrityError:
        raise _already_open(cluster) from None


def _already_open(cluster: Cluster | None) -> AlreadyOpen:
    open_now = Case.objects.unfinished().filter(cluster=cluster).first()
    name = open_now.ref if open_now else "another case"
    return AlreadyOpen(f"{cluster} already has an unfinished case: {name}.")


def _snapshot(cluster: Cluster | None) -> dict[str, object]:
    """What was known when the case was opened; claims change, this does not."""
    if cluster is None:
        return {}
    members = list(cluster.memberships.values_list("account", flat=True))
    statuses = standings(members).values()
    return {
        "cluster": cluster.ref,
        "score": round(cluster.score, 1),
        "band": cluster.band,
        "verdict": cluster.verdict,
        "size": cluster.size,
        "reasons": cluster.reasons,
        "innocent_explanation": cluster.innocent_explanation,
        "proposed_ban": len(cluster.proposed_ban),
        "already_banned": sum(s == Account.Status.BANNED for s in statuses),
    }


def open_hot_cases() -> list[Case]:
    """Open a case for each hot cluster that has none, in the machine's own name.

    A cluster that an open case's has become part of has one (following.py).
    A cluster whose last case was finished gets a new one only when it has grown
    since, or died down and come back. Each case is its own transaction, so two
    workers at once cost one of them a refusal and nothing else.
    """
    follow_clusters()
    refresh_cases()
    by = access.system_account()
    opened = []
    for cluster in _clusters_worth_a_case():
        try:
            opened.append(open_case(cluster=cluster, by=by))
        except AlreadyOpen:
            continue
    return opened


def _clusters_worth_a_case() -> list[Cluster]:
    without_case = hot_clusters(policies.HOT_SCORE).exclude(
        cases__status__in=Case.UNFINISHED
    )
    return [cluster for cluster in without_case if _is_news(cluster)]


def _is_news(cluster: Cluster) -> bool:
    """Whether enough of the cluster is there that nobody has judged yet."""
    last = cluster.cases.finished().order_by("-pk").first()
    if last is not None:
        return policies.has_regrown(size=cluster.size, low_water=last.low_water or 0)
    # The same accounts may come again under another cluster's name.
    judged = TargetAccount.objects.filter(
        account__membership__cluster=cluster,
        target_list__decision__in=Decision.objects.in_force(),
    )
    known = judged.values("account").distinct().count()
    return known < policies.JUDGED_SHARE * cluster.size


@transaction.atomic
def refresh_cases() -> None:
    """Let open cases follow their cluster's score, and finished ones its low water.

    Neither is anybody's change: no version, no audit entry.
    """
    score = Cluster.objects.filter(pk=OuterRef("cluster")).values("score")[:1]
    Case.objects.unfinished().filter(cluster__isnull=False).exclude(
        priority=F("cluster__score")
    ).update(priority=Subquery(score))
    size = Cluster.objects.filter(pk=OuterRef("cluster")).values("size")[:1]
    finished = Case.objects.finished().filter(cluster__isnull=False)
    finished.filter(cluster__live=False).exclude(low_water=0).update(low_water=0)
    finished.filter(cluster__live=True, low_water__gt=F("cluster__size")).update(
        low_water=Least(F("low_water"), Subquery(size))
    )


@transaction.atomic
def assign_case(
    *, case: Case, to: User | None, by: User, version: int | None = None
) -> Case:
    """Give the case to someone who may work on it, or back to nobody.

    An escalated case stays escalated until someone who may approve takes it.
    """
    access.require(by, access.WORK)
    if to is not None and not access.can(to, access.WORK):
        raise NotAllowed(f"{to.get_username()} may not work on cases.")
    case = lock_case(case)
    check_version(case, version)
    before = case.assignee
    case.assignee = to
    _follow_assignment(case, to)
    keep(
        case,
        "case.assigned",
        by=by,
        before=before.get_username() if before else None,
        to=to.get_username() if to else None,
    )
    return case


def _follow_assignment(case: Case, to: User | None) -> None:
    if case.status == Status.OPEN and to is not None:
        transitions.move(case, Status.IN_REVIEW)
    elif case.status == Status.IN_REVIEW and to is None:
        transitions.move(case, Status.OPEN)
    elif case.status == Status.ESCALATED and to and access.can(to, access.APPROVE):
        transitions.move(case, Status.IN_REVIEW)


@transaction.atomic
def add_note(*, case: Case, text: str, by: User) -> Note:
    """A note of plain text. It changes nothing, so it makes no open page stale."""
    access.require(by, access.WORK)
    said = policies.clean_text(text, policies.MAX_NOTE)
    if not said:
        raise EmptyNote("The note is empty.")
    now = timezone.now()
    note = Note.objects.create(case=case, author=by, text=said, written_at=now)
    Case.objects.filter(pk=case.pk).update(changed_at=now)
    audit.record(
        "case.noted", by=by, object_type="case", object_ref=case.ref, note=note.pk
    )
    return note


@transaction.atomic
def escalate_case(
    *, case: Case, reason: str, by: User, version: int | None = None
) -> Case:
    """Hand the case up: it leaves its assignee and waits for a lead."""
    access.require(by, access.WORK)
    why = policies.clean_reason(reason)
    case = lock_case(case)
    check_version(case, version)
    transitions.move(case, Status.ESCALATED)
    case.assignee = None
    keep(case, "case.escalated", by=by, reason=why)
    return case


@transaction.atomic
def close_case(
    *, case: Case, outcome: str, reason: str, by: User, version: int | None = None
) -> Case:
    """Finish the case. A decided one keeps its outcome; another needs its own.

    Outcomes that act on accounts come from a decision only.
    """
    access.require(by, access.WORK)
    why = policies.clean_reason(reason)
    case = lock_case(case)
    check_version(case, version)
    require_rank(case, by)
    if case.status != Status.DECIDED:
        case.outcome = _outcome_of(case, outcome)
    transitions.move(case, Status.CLOSED)
    mark_finished(case, timezone.now())
    keep(case, "case.closed", by=by, reason=why, outcome=case.outcome)
    return case


def _outcome_of(case: Case, outcome: str) -> str:
    """What it comes to: as given, or what an earlier decision made of it."""
    chosen = outcome or case.outcome
    if chosen == case.outcome != "" or chosen in UNDECIDED_OUTCOMES:
        return chosen
    able = ", ".join(sorted(UNDECIDED_OUTCOMES))
    raise BadOutcome(f"Without a decision a case closes as one of: {able}.")


@transaction.atomic
def reopen_case(*, case: Case, reason: str, by: User) -> Case:
    """Take a finished case up again; its decisions stay as they are."""
    access.require(by, access.WORK)
    why = policies.clean_reason(reason)
    case = lock_case(case)
    transitions.move(case, Status.IN_REVIEW if case.assignee_id else Status.OPEN)
    case.closed_at = case.low_water = None
    try:
        with transaction.atomic():
            keep(case, "case.reopened", by=by, reason=why)
    except IntegrityError:
        raise _already_open(case.cluster) from None
    return case


def require_rank(case: Case, by: User) -> None:
    """What was handed up is finished by someone of the rank it was handed to."""
    if case.status == Status.ESCALATED:
        access.require(by, access.APPROVE)
