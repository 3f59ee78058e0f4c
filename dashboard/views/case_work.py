"""What people do with a case short of deciding it; each has a name and an address."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dashboard.answers import is_fragment, reader, tell
from dashboard.cases import forms
from dashboard.cases.context import page_context, readable_case
from dashboard.cases.decision import decision_context
from dashboard.cases.verbs import Verb, show_verb, verb_form
from investigations import access, selectors
from investigations.actions import cases as actions
from investigations.actions.reveals import reveal_templates
from investigations.models import Case
from investigations.selectors import SharedTemplate

either = require_http_methods(["GET", "POST"])


@either
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    case = _workable(request, pk)
    return verb_form(
        request,
        case,
        forms.AssignForm,
        Verb(
            title=f"Assign {case.ref}",
            button="Assign",
            action=_address(case, "assign"),
            said=f"{case.ref} is assigned.",
            do=lambda form: actions.assign_case(
                case=case, to=form["to"], by=reader(request), version=form["version"]
            ),
        ),
    )


@either
def note(request: HttpRequest, pk: int) -> HttpResponse:
    case = _workable(request, pk)
    return verb_form(
        request,
        case,
        forms.NoteForm,
        Verb(
            title=f"Note on {case.ref}",
            button="Add note",
            action=_address(case, "note"),
            said="Note added.",
            do=lambda form: actions.add_note(
                case=case, text=form["text"], by=reader(request)
            ),
        ),
    )


@either
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    case = _workable(request, pk)
    return verb_form(
        request,
        case,
        forms.EscalateForm,
        Verb(
            title=f"Escalate {case.ref} to a lead",
            button="Escalate",
            action=_address(case, "escalate"),
            said=f"{case.ref} is escalated.",
            do=lambda form: actions.escalate_case(
                case=case,
                reason=form["reason"],
                by=reader(request),
                version=form["version"],
            ),
        ),
    )


@either
def close(request: HttpRequest, pk: int) -> HttpResponse:
    case = _workable(request, pk)
    return verb_form(
        request,
        case,
        forms.CloseForm,
        Verb(
            title=f"Close {case.ref}",
            button="Close case",
            action=_address(case, "close"),
            said=f"{case.ref} is closed.",
            do=lambda form: _close(request, case, form),
        ),
    )


@either
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    case = _workable(request, pk)
    return verb_form(
        request,
        case,
        forms.ReopenForm,
        Verb(
            title=f"Reopen {case.ref}",
            button="Reopen",
            action=_address(case, "reopen"),
            said=f"{case.ref} is open again.",
            do=lambda form: actions.reopen_case(
                case=case, reason=form["reason"], by=reader(request)
            ),
        ),
    )


@either
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """The templates in clear, once: nothing remembers that they were asked for."""
    access.require(request.user, access.REVEAL)
    case = readable_case(request, pk)
    verb = Verb(
        title="Read the prompt templates",
        button="Reveal",
        action=_address(case, "reveal"),
    )
    if request.method == "GET":
        return show_verb(request, case, forms.RevealForm(case=case), verb)
    form = forms.RevealForm(request.POST, case=case)
    if not form.is_valid():
        return show_verb(request, case, form, verb, status=422)
    templates = reveal_templates(
        case=case, reason=form.cleaned_data["reason"], by=reader(request)
    )
    return _revealed(request, case, templates)


def _revealed(
    request: HttpRequest, case: Case, templates: list[SharedTemplate]
) -> HttpResponse:
    shown = {"case": case, "templates": templates, "revealed": True}
    if not is_fragment(request):
        page = page_context(request, case) | decision_context(request, case)
        return render(request, "cases/detail.html", page | shown)
    shown["size"] = selectors.case_size(case)
    response = render(request, "cases/_templates.html", shown)
    response["HX-Retarget"], response["HX-Reswap"] = "#templates", "outerHTML"
    return tell(response, "The templates are in clear.")


def _close(request: HttpRequest, case: Case, form: dict[str, Any]) -> None:
    actions.close_case(
        case=case,
        outcome=form.get("outcome", ""),
        reason=form["reason"],
        by=reader(request),
        version=form["version"],
    )


def _workable(request: HttpRequest, pk: int) -> Case:
    access.require(request.user, access.WORK)
    return readable_case(request, pk)


def _address(case: Case, verb: str) -> str:
    return reverse(f"cases:{verb}", args=[case.ref])
