"""A person's verdict on a case, the second person's word on it, and taking it back."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from investigations import access, policies, transitions
from investigations.actions import effects, targets
from investigations.actions.cases import require_rank
from investigations.actions.locking import (
    check_version,
    keep,
    lock_case,
    mark_finished,
)
from investigations.detection import labels
from investigations.detection.models import Label
from investigations.errors import (
    AlreadyAnswered,
    AlreadyDecided,
    ApprovalExpired,
    IllegalMove,
    ListChanged,
    NotRestorable,
    SecondPersonNeeded,
)
from investigations.models import Approval, Case, Decision, TargetList

Verdict = Decision.Verdict

LABELS: dict[str, Label.Kind] = {
    Verdict.BAN: Label.Kind.CONFIRMED,
    Verdict.CLEAR: Label.Kind.BENIGN,
    Verdict.RESTORE: Label.Kind.BENIGN,
}


@transaction.atomic
def decide_case(  # noqa: PLR0913 - each part of a judgement is named where it is made
    *,
    case: Case,
    verdict: str,
    account_ids: Iterable[int],
    preview_sha256: str,
    ground: str,
    reason: str,
    form_token: uuid.UUID,
    by: User,
    version: int | None = None,
) -> Decision:
    """Ban, restrict or clear the previewed accounts of a case (primary keys).

    The same `form_token` sent twice gives the first decision back. Above 25 accounts
    nothing is carried out: the decision waits for a second person. Accounts that are
    already banned stay on the list and get no effect.

    Raises NotAllowed, BadReason, BadVerdict, BadGround, StaleCase, AlreadyDecided,
    EmptyList, NotInCase, ListChanged, ProtectedAccounts.
    """
    access.require(by, access.DECIDE)
    why = policies.clean_reason(reason)
    policies.check_verdict(verdict)
    policies.check_ground(ground, verdict)
    case = lock_case(case)
    # Looked for under the lock: the second click has waited for the first to end.
    if earlier := _sent_before(case, form_token):
        return earlier
    check_version(case, version)
    require_rank(case, by)
    ids = sorted(set(account_ids))
    waits = policies.needs_second_person(verdict, len(ids))
    transitions.move(
        case, Case.Status.AWAITING_APPROVAL if waits else Case.Status.DECIDED
    )
    decision = Decision.objects.create(
        case=case,
        verdict=verdict,
        ground=ground,
        reason=why,
        target_list=targets.freeze_targets(
            case=case,
            account_ids=ids,
            action=verdict,
            by=by,
            preview_sha256=preview_sha256,
        ),
        made_by=by,
        made_at=timezone.now(),
        form_token=form_token,
    )
    _carry_out_or_ask(decision, case)
    return decision


def _carry_out_or_ask(decision: Decision, case: Case) -> None:
    if case.status == Case.Status.AWAITING_APPROVAL:
        _ask_second_person(decision)
        verb = "approval.requested"
    else:
        _carry_out(decision, case)
        verb = "case.decided"
    by, why = decision.made_by, decision.reason
    keep(case, verb, by=by, reason=why, **_told(decision))


def _sent_before(case: Case, form_token: uuid.UUID) -> Decision | None:
    earlier = Decision.objects.filter(form_token=form_token).first()
    if earlier and earlier.case_id != case.pk:
        raise AlreadyDecided(f"This form was already sent, for {earlier.case.ref}.")
    return earlier


def _told(decision: Decision) -> dict[str, object]:
    """What an audit entry says of a decision."""
    return {
        "decision": decision.ref,
        "verdict": decision.verdict,
        "ground": decision.ground,
        "accounts": decision.target_list.count,
        "list_sha256": decision.target_list.sha256,
        "effects": decision.effects.count(),
        "already_banned": decision.target_list.preview.get("already_banned", []),
    }


def _carry_out(decision: Decision, case: Case) -> None:
    """What a verdict does once it is in force: effects out, labels down."""
    now = timezone.now()
    ids = targets.check_frozen(decision.target_list)
    effects.queue_effects(decision)
    _label(decision, ids, now)
    case.outcome = policies.OUTCOMES[decision.verdict]
    mark_finished(case, now)


def _label(decision: Decision, account_ids: list[int], at: datetime) -> None:
    kind = LABELS.get(decision.verdict)
    if kind is None:
        return
    labels.record(
        account_ids=account_ids,
        kind=kind,
        reason=decision.reason[:1000],
        given_by=decision.ref,
        at=at,
    )


def _ask_second_person(decision: Decision) -> Approval:
    return Approval.objects.create(
        decision=decision,
        requested_by=decision.made_by,
        requested_at=decision.made_at,
        expires_at=decision.made_at + policies.approval_window(),
        sha256=decision.target_list.sha256,
    )


def approve_decision(*, decision: Decision, by: User, note: str = "") -> Decision:
    """Carry a waiting decision out, as a second person who may approve.

    Raises NotAllowed (role gone meanwhile), SecondPersonNeeded (own proposal),
    ApprovalExpired, AlreadyAnswered, ListChanged, ProtectedAccounts.
    """
    # Its own transaction, since the refusal below would undo it.
    expire_approvals()
    return _approve(decision, by, note)


@transaction.atomic
def _approve(decision: Decision, by: User, note: str) -> Decision:
    case, approval = _lock_for_answer(decision)
    _check_second_person(approval, by)
    if approval.sha256 != decision.target_list.sha256:
        raise ListChanged("The list is not the one that approval was asked for.")
    ids = targets.check_frozen(decision.target_list)
    if decision.verdict in policies.TAKES_AWAY:
        targets.refuse_protected(targets.protected_among(ids))
    _answer(approval, Approval.State.APPROVED, by=by, note=note)
    transitions.move(case, Case.Status.DECIDED)
    _carry_out(decision, case)
    keep(case, "approval.given", by=by, reason=approval.note, **_told(decision))
    return decision


def reject_decision(*, decision: Decision, by: User, note: str) -> Decision:
    """Refuse a waiting decision with a reason; its case goes back to review."""
    why = policies.clean_reason(note)
    expire_approvals()
    return _send_back(decision, Approval.State.REJECTED, by=by, note=why)


def withdraw_decision(*, decision: Decision, by: User) -> Decision:
    """Take one's own waiting decision back before anybody has answered it."""
    expire_approvals()
    return _send_back(decision, Approval.State.WITHDRAWN, by=by, note="")


@transaction.atomic
def _send_back(
    decision: Decision, state: Approval.State, *, by: User, note: str
) -> Decision:
    case, approval = _lock_for_answer(decision)
    if state == Approval.State.REJECTED:
        _check_second_person(approval, by)
    elif state == Approval.State.WITHDRAWN and approval.requested_by_id != by.pk:
        raise SecondPersonNeeded("Only the person who asked may withdraw it.")
    _answer(approval, state, by=by, note=note)
    transitions.move(case, Case.Status.IN_REVIEW)
    case.assignee = case.assignee or approval.requested_by
    keep(case, f"approval.{state.value}", by=by, reason=note, decision=decision.ref)
    return decision


def expire_approvals() -> int:
    """Send back every decision that nobody answered in time; how many there were."""
    overdue = Approval.objects.filter(
        state=Approval.State.REQUESTED, expires_at__lte=timezone.now()
    )
    expired = 0
    for approval in overdue.select_related("decision__case"):
        try:
            _send_back(
                approval.decision,
                Approval.State.EXPIRED,
                by=access.system_account(),
                note="",
            )
        except AlreadyAnswered:  # answered between the look and the lock
            continue
        expired += 1
    return expired


def _lock_for_answer(decision: Decision) -> tuple[Case, Approval]:
    """Case first, then approval: every action takes its locks in this order."""
    case = lock_case(decision.case)
    approval = (
        Approval.objects.select_for_update(of=("self",))
        .filter(decision=decision)
        .first()
    )
    if approval is None:
        raise IllegalMove(f"{decision.ref} waits for nobody.")
    if approval.state == Approval.State.EXPIRED:
        raise ApprovalExpired(
            f"{decision.ref} expired {approval.expires_at:%Y-%m-%d %H:%M} UTC"
            f" without an answer."
        )
    if approval.state != Approval.State.REQUESTED:
        who = approval.answered_by.get_username() if approval.answered_by else ""
        label = Approval.State(approval.state).label
        raise AlreadyAnswered(f"{decision.ref} was already {label} by {who}.")
    return case, approval


def _check_second_person(approval: Approval, by: User) -> None:
    access.require_now(by, access.APPROVE)
    if approval.requested_by_id == by.pk:
        raise SecondPersonNeeded("You asked for this; another person must answer.")


def _answer(approval: Approval, state: Approval.State, *, by: User, note: str) -> None:
    approval.state = state
    approval.answered_by = by
    approval.answered_at = timezone.now()
    approval.note = policies.clean_text(note, policies.MAX_REASON)[:1000]
    approval.save()


@transaction.atomic
def restore_accounts(  # noqa: PLR0913 - each part of a judgement is named where it is made
    *,
    decision: Decision,
    account_ids: Iterable[int] | None = None,
    reason: str,
    by: User,
    ground: str = "mistaken_decision",
    only_possible: bool = False,
    form_token: uuid.UUID | None = None,
) -> Decision:
    """Give back what a decision took, to all of its accounts or to some of them.

    Accounts that it took nothing from, or that a newer decision has acted on since,
    make the whole restore stop and are named in NotRestorable; with `only_possible`
    the others go ahead. Each account returns to the status it had before.
    """
    access.require(by, access.DECIDE)
    why = policies.clean_reason(reason)
    policies.check_ground(ground, Verdict.RESTORE)
    case = lock_case(decision.case)
    token = form_token or uuid.uuid4()
    if earlier := _sent_before(case, token):
        return earlier
    chosen = _restorable(decision, account_ids, only_possible=only_possible)
    restore = Decision.objects.create(
        case=case,
        verdict=Verdict.RESTORE,
        ground=ground,
        reason=why,
        target_list=_restore_list(case, chosen, by),
        reverses=decision,
        made_by=by,
        made_at=timezone.now(),
        form_token=token,
    )
    effects.queue_effects(restore)
    _label(restore, chosen, restore.made_at)
    keep(
        case,
        "case.restored",
        by=by,
        reason=why,
        reverses=decision.ref,
        **_told(restore),
    )
    return restore


def _restorable(
    decision: Decision, account_ids: Iterable[int] | None, *, only_possible: bool
) -> list[int]:
    possible = set(effects.still_acting(decision))
    wanted = possible if account_ids is None else set(account_ids)
    refused, chosen = sorted(wanted - possible), sorted(wanted & possible)
    if not chosen or (refused and not only_possible):
        names = targets.external_ids(refused)
        raise NotRestorable(
            f"{decision.ref} holds nothing back from {len(refused) or 'any'}"
            f" of these accounts now.",
            names,
        )
    return chosen


def _restore_list(case: Case, account_ids: list[int], by: User) -> TargetList:
    preview = targets.Preview(
        action=Verdict.RESTORE,
        count=len(account_ids),
        sha256=policies.list_sha256(Verdict.RESTORE, account_ids),
        needs_second_person=False,
    )
    return targets.keep_list(case, account_ids, preview, by=by)
