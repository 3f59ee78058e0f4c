"""What waits for a second person, and that person's word."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dashboard.answers import reader
from dashboard.cases.approval import approval_context
from dashboard.cases.forms import AnswerForm
from investigations import access, selectors
from investigations.actions.decisions import (
    approve_decision,
    reject_decision,
    withdraw_decision,
)
from investigations.errors import DomainError
from investigations.models import Approval


@require_GET
def approvals(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    shown = {
        "pages": selectors.approval_pages(reader(request)),
        "may_answer": access.can(request.user, access.APPROVE),
        "now": timezone.now(),
    }
    return render(request, "approvals/list.html", shown)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    approval = _approval(request, pk)
    shown = approval_context(request, approval, AnswerForm())
    return render(request, "approvals/detail.html", shown)


@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    access.require(request.user, access.APPROVE)
    approval = _approval(request, pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _again(request, approval, form, status=422)
    act = {"approve": approve_decision, "reject": reject_decision}
    decision, note = approval.decision, form.cleaned_data["note"]
    try:
        act[form.cleaned_data["answer"]](
            decision=decision, by=reader(request), note=note
        )
    except DomainError as refused:
        form.add_error(None, f"{refused.sentence} {refused.hint}".strip())
        return _again(request, _approval(request, pk), form, status=refused.status)
    messages.success(request, _said(decision.ref, form.cleaned_data["answer"]))
    return redirect("cases:detail", decision.case.ref)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own request back, before anyone has answered it."""
    access.require(request.user, access.DECIDE)
    approval = _approval(request, pk)
    withdraw_decision(decision=approval.decision, by=reader(request))
    messages.success(request, f"{approval.decision.ref} is withdrawn.")
    return redirect("cases:detail", approval.decision.case.ref)


def _approval(request: HttpRequest, pk: int) -> Approval:
    access.require(request.user, access.VIEW)
    approval = selectors.approval_with(pk)
    if approval is None:
        raise Http404
    return approval


def _again(
    request: HttpRequest, approval: Approval, form: AnswerForm, *, status: int
) -> HttpResponse:
    shown = approval_context(request, approval, form)
    return render(request, "approvals/detail.html", shown, status=status)


def _said(ref: str, answer: str) -> str:
    if answer == AnswerForm.APPROVE:
        return f"{ref} is approved; the platform is being told."
    return f"{ref} is rejected; the case is back in review."
