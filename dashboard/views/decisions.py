"""Deciding a case: look at who is hit, decide, follow it, take it back."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from dashboard.answers import is_fragment, reader, tell
from dashboard.cases.context import readable_case
from dashboard.cases.decision import (
    Attempt,
    box_kind,
    decision_context,
    previewed,
    render_box,
    sentence_of,
    status_of,
    tried,
)
from dashboard.cases.forms import DecisionForm, ReplayForm, RestoreForm
from dashboard.cases.selection import selected_ids
from dashboard.cases.verbs import Verb, verb_form
from investigations import access
from investigations.actions.decisions import decide_case, restore_accounts
from investigations.actions.effects import replay_effect
from investigations.errors import DomainError
from investigations.models import Decision, Effect


@require_GET
def box(request: HttpRequest, pk: int) -> HttpResponse:
    """The box again; nothing while the form that someone types into would do."""
    case = readable_case(request, pk)
    if request.GET.get("kind") == "form" == box_kind(request, case):
        return HttpResponse(status=204)
    return render(request, "cases/_decision.html", decision_context(request, case))


@require_POST
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Who a decision would hit. Nothing is written."""
    access.require(request.user, access.DECIDE)
    case = readable_case(request, pk)
    form = DecisionForm(request.POST, case=case, for_preview=True)
    attempt = previewed(case, form) if form.is_valid() else Attempt(form)
    status = 200 if attempt.preview else 422
    if not is_fragment(request):
        return render_box(request, case, attempt, status=status)
    shown = decision_context(request, case, attempt) | {"alone": True}
    return render(request, "cases/_preview_answer.html", shown, status=status)


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    access.require(request.user, access.DECIDE)
    case = readable_case(request, pk)
    form = DecisionForm(request.POST, case=case)
    if not form.is_valid():
        return render_box(request, case, tried(case, form), status=422)
    try:
        decision = decide_case(
            case=case,
            account_ids=selected_ids(case, form.chosen()),
            by=reader(request),
            **form.judgement(),
        )
    except DomainError as refused:
        attempt = tried(case, form, refused)
        return render_box(request, case, attempt, status=status_of(refused))
    return _decided(request, decision)


@require_http_methods(["GET", "POST"])
def restore(request: HttpRequest, pk: int, decision: int) -> HttpResponse:
    """Give back what a decision took from its accounts."""
    access.require(request.user, access.DECIDE)
    case = readable_case(request, pk)
    taken = get_object_or_404(Decision, pk=decision, case=case)
    return verb_form(
        request,
        case,
        RestoreForm,
        Verb(
            title=f"Restore the accounts of {taken.ref}",
            button="Restore",
            action=reverse("cases:restore", args=[case.ref, taken.pk]),
            said=f"{taken.ref} is taken back; the platform is being told.",
            do=lambda form: restore_accounts(
                decision=taken,
                reason=form["reason"],
                ground=form["ground"],
                form_token=form["form_token"],
                by=reader(request),
            ),
        ),
    )


@require_http_methods(["GET", "POST"])
def replay(request: HttpRequest, pk: int, decision: int) -> HttpResponse:
    """Send again what was given up on, to all of a decision's accounts."""
    access.require(request.user, access.DECIDE)
    case = readable_case(request, pk)
    sent = get_object_or_404(Decision, pk=decision, case=case)
    return verb_form(
        request,
        case,
        ReplayForm,
        Verb(
            title=f"Send what is parked of {sent.ref} again",
            button="Send again",
            action=reverse("cases:replay", args=[case.ref, sent.pk]),
            said=f"What was parked of {sent.ref} is on its way again.",
            do=lambda form: _replay(sent, form["reason"], reader(request)),
        ),
    )


@transaction.atomic
def _replay(decision: Decision, reason: str, by: User) -> None:
    for effect in decision.effects.filter(state=Effect.State.PARKED):
        replay_effect(effect=effect, reason=reason, by=by)


def _decided(request: HttpRequest, decision: Decision) -> HttpResponse:
    said = sentence_of(decision)
    if not is_fragment(request):
        messages.success(request, said)
        return redirect(
            f"{reverse('cases:detail', args=[decision.case.ref])}#decision-box"
        )
    case = readable_case(request, decision.case_id)
    response = render_box(request, case, None)
    return tell(response, said, version=case.version)
