"""What a second person is given to judge by."""

from django.http import HttpRequest
from django.utils import timezone

from dashboard.answers import reader
from dashboard.cases.context import Context, reasons_context
from dashboard.cases.figures import tallies
from dashboard.cases.forms import AnswerForm
from dashboard.cases.summary import case_summary
from investigations import access, policies, selectors
from investigations.models import Approval

# Accounts of the frozen list on one page of it.
LISTED = 200


def approval_context(
    request: HttpRequest, approval: Approval, form: AnswerForm
) -> Context:
    decision = approval.decision
    case, target_list = decision.case, decision.target_list
    waiting = approval.state == Approval.State.REQUESTED
    expired = waiting and approval.expires_at <= timezone.now()
    mine = approval.requested_by_id == reader(request).pk
    return {
        "approval": approval,
        "decision": decision,
        "case": case,
        "ground": policies.GROUND_BY_KEY.get(decision.ground),
        "frozen": target_list,
        "preview": target_list.preview,
        "tallies": tallies(target_list.preview),
        "targets": selectors.frozen_accounts(target_list, limit=LISTED),
        "drift": selectors.drift_of(target_list) if waiting else None,
        "reasons": reasons_context(case),
        "summary": case_summary(
            case,
            size=selectors.case_size(case),
            seen=selectors.exposed(case),
            now=timezone.now(),
        ),
        "waiting": waiting and not expired,
        "expired": expired,
        "mine": mine,
        "may_answer": access.can(request.user, access.APPROVE) and not mine,
        "form": form,
    }
