"""What waits for a second person, with all that person needs to judge it."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from investigations.detection.models import Membership, Score
from investigations.models import Approval, TargetAccount, TargetList
from investigations.selectors.members import case_accounts
from investigations.selectors.standing import standings

HISTORY = 20
# A score that moved by this much since the list was frozen is worth a look.
RESCORED = 10


@dataclass(frozen=True)
class Drift:
    """How far the world has moved from a frozen list; zeros when it has not.

    `gone` accounts have left the case since, `joined` have come to it and are not on
    the list; `rescored` moved by ten points or more; `changed` stand otherwise with
    the platform than when the list was frozen (account's external id → status now).
    """

    gone: int
    joined: int
    rescored: int
    changed: dict[str, str]

    @property
    def any(self) -> bool:
        return bool(self.gone or self.joined or self.rescored or self.changed)


@dataclass(frozen=True)
class ApprovalPages:
    """The approvals page: what one may answer, what one asked for, what is past."""

    waiting: list[Approval]
    mine: list[Approval]
    past: list[Approval]


def approvals_waiting(user: User) -> QuerySet[Approval]:
    """Requests of other people that have not expired, the most urgent first."""
    waiting = _with_context().filter(
        state=Approval.State.REQUESTED, expires_at__gt=timezone.now()
    )
    return waiting.exclude(requested_by=user).order_by("expires_at", "pk")


def approvals_waiting_count(user: User) -> int:
    return approvals_waiting(user).order_by().count()


def approval_pages(user: User) -> ApprovalPages:
    """Expired requests that no job has marked yet are past all the same."""
    now = timezone.now()
    requested = _with_context().filter(state=Approval.State.REQUESTED)
    past = _with_context().exclude(state=Approval.State.REQUESTED, expires_at__gt=now)
    mine = requested.filter(requested_by=user, expires_at__gt=now)
    return ApprovalPages(
        waiting=list(approvals_waiting(user)),
        mine=list(mine.order_by("-requested_at")),
        past=list(past.order_by("-requested_at")[:HISTORY]),
    )


def approval_with(pk: int) -> Approval | None:
    """The approval of decision D-<pk>, with its context."""
    return _with_context().filter(decision=pk).first()


def drift_of(target_list: TargetList) -> Drift:
    """Compare a frozen list with the case as it is now."""
    frozen = list(
        TargetAccount.objects.filter(target_list=target_list).select_related(
            "account__score"
        )
    )
    listed = [target.account_id for target in frozen]
    in_case = case_accounts(target_list.case).filter(pk__in=listed).count()
    now = standings(listed)
    return Drift(
        gone=len(listed) - in_case,
        joined=_joined_since(target_list, listed),
        rescored=sum(_has_moved(target) for target in frozen),
        changed={
            target.account.external_id: now[target.account_id]
            for target in frozen
            if now[target.account_id] != target.status_before
        },
    )


def frozen_accounts(target_list: TargetList, *, limit: int) -> list[TargetAccount]:
    """The first accounts of a frozen list, those of the highest score first."""
    targets = TargetAccount.objects.filter(target_list=target_list)
    ordered = targets.select_related("account").order_by("-score", "account")
    return list(ordered[:limit])


def _joined_since(target_list: TargetList, listed: list[int]) -> int:
    cluster = target_list.case.cluster_id
    if cluster is None:
        return 0
    newer = Membership.objects.filter(
        cluster=cluster, joined_at__gt=target_list.frozen_at
    )
    return newer.exclude(account__in=listed).count()


def _has_moved(target: TargetAccount) -> bool:
    score: Score | None = getattr(target.account, "score", None)
    return abs((score.score if score else 0.0) - target.score) >= RESCORED


def _with_context() -> QuerySet[Approval]:
    return Approval.objects.select_related(
        "decision__case__cluster",
        "decision__target_list__case",
        "decision__made_by",
        "requested_by",
        "answered_by",
    )
