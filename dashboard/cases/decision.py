"""The box in which a case is decided, and in which its decision is then followed."""

from dataclasses import asdict, dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from dashboard.answers import is_fragment, reader
from dashboard.cases.context import page_context
from dashboard.cases.figures import tallies
from dashboard.cases.forms import DecisionForm, RestoreForm
from dashboard.cases.selection import EVERYONE, PROPOSED, selected_ids
from investigations import access, policies, selectors
from investigations.actions.targets import Preview, preview_targets
from investigations.errors import DomainError, StaleCase
from investigations.models import Approval, Case, Decision

Context = dict[str, object]
Status = Case.Status

FORM, WAITING, DONE, READING = "form", "waiting", "done", "reading"


@dataclass(frozen=True)
class Attempt:
    """What someone tried: their form, the preview they saw, what was refused."""

    form: DecisionForm
    preview: Preview | None = None
    refused: DomainError | None = None


def box_kind(request: HttpRequest, case: Case) -> str:
    """Which of its four faces the box shows to this person."""
    if case.status == Status.AWAITING_APPROVAL:
        return WAITING
    if not case.is_unfinished:
        return DONE
    needed = access.APPROVE if case.status == Status.ESCALATED else access.DECIDE
    decides = access.can(request.user, access.DECIDE)
    return FORM if decides and access.can(request.user, needed) else READING


def decision_context(
    request: HttpRequest, case: Case, attempt: Attempt | None = None
) -> Context:
    kind = box_kind(request, case)
    outcomes = selectors.case_outcomes(case)
    shown: Context = {
        "case": case,
        "kind": kind,
        "outcomes": outcomes,
        "moving": any(outcome.is_moving for outcome in outcomes),
        "may_restore": access.can(request.user, access.DECIDE),
        "restore_form": RestoreForm(case=case),
    }
    if attempt:
        shown |= _refusal_context(attempt, kind)
    if kind == FORM:
        shown |= _form_context(case, attempt or Attempt(_blank_form(case)))
    if kind == WAITING:
        shown |= _waiting_context(request, case)
    return shown


def _blank_form(case: Case) -> DecisionForm:
    proposed = bool(case.cluster and case.cluster.proposed_ban)
    return DecisionForm(
        case=case, initial={"scope": PROPOSED if proposed else EVERYONE}
    )


def _form_context(case: Case, attempt: Attempt) -> Context:
    form = attempt.form
    return {
        "form": form,
        "preview": attempt.preview,
        "tallies": tallies(asdict(attempt.preview)) if attempt.preview else [],
        # As the machine said it; the preview counts who of them is still there.
        "proposed_count": len(case.cluster.proposed_ban) if case.cluster else 0,
        "everyone_count": selectors.case_size(case),
        "named": form.named,
        "second_person_above": policies.SECOND_PERSON_ABOVE,
        "approval_hours": policies.APPROVAL_HOURS,
        "take_away": policies.grounds_for(Decision.Verdict.BAN),
        "clearing": policies.grounds_for(Decision.Verdict.CLEAR),
    }


def _refusal_context(attempt: Attempt, kind: str) -> Context:
    refused = attempt.refused
    return {
        "refused": refused,
        "changes": refused.changes if isinstance(refused, StaleCase) else [],
        "accounts": getattr(refused, "accounts", []),
        # Where the form is gone, its text is shown to be copied instead.
        "typed": attempt.form.data.get("reason", "") if kind != FORM else "",
    }


def _waiting_context(request: HttpRequest, case: Case) -> Context:
    waiting = Approval.objects.filter(
        decision__case=case, state=Approval.State.REQUESTED
    )
    approval = waiting.select_related("decision__target_list", "requested_by").first()
    mine = bool(approval and approval.requested_by_id == reader(request).pk)
    return {
        "approval": approval,
        "expired": bool(approval and approval.expires_at <= timezone.now()),
        "mine": mine,
        "may_answer": access.can(request.user, access.APPROVE) and not mine,
    }


def previewed(case: Case, form: DecisionForm) -> Attempt:
    """The form with who its decision would hit, or with why that cannot be said."""
    try:
        ids = selected_ids(case, form.chosen())
        verdict = form.cleaned_data["verdict"]
        return Attempt(
            form, preview_targets(case=case, account_ids=ids, action=verdict)
        )
    except DomainError as refused:
        return Attempt(form, refused=refused)


def tried(
    case: Case, form: DecisionForm, refused: DomainError | None = None
) -> Attempt:
    """What was typed stays; what it would hit is counted anew where that can be."""
    said = form.cleaned_data
    seen = previewed(case, form) if said.get("verdict") and said.get("scope") else None
    return Attempt(form, seen.preview if seen else None, refused)


def sentence_of(decision: Decision) -> str:
    """What came of the form, to be said aloud."""
    count = decision.target_list.count
    what = f"{decision.verdict} {count:,} account{'' if count == 1 else 's'}"
    if Approval.objects.filter(decision=decision).exists():
        return f"{decision.ref} waits for a second person: {what}."
    return f"{decision.ref}: {what}; the platform is being told."


def status_of(refused: DomainError) -> int:
    """A conflict is said to be one; all else is something to correct in the form."""
    return refused.status if refused.status == 409 else 422


def render_box(
    request: HttpRequest, case: Case, attempt: Attempt | None, *, status: int = 200
) -> HttpResponse:
    """The box alone, or the whole page around it where there are no scripts."""
    shown = decision_context(request, case, attempt)
    if is_fragment(request):
        return render(request, "cases/_decision.html", shown, status=status)
    shown = page_context(request, case) | shown
    return render(request, "cases/detail.html", shown, status=status)
