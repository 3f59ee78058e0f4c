"""Small forms that do one thing with a case: in a dialog, or as a page of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from dashboard.answers import changed, is_fragment
from dashboard.cases.forms import CaseForm
from investigations.errors import DomainError, StaleCase
from investigations.models import Case


@dataclass(frozen=True)
class Verb:
    """One thing to do: its words, where it posts, what it calls with clean values."""

    title: str
    button: str
    action: str
    said: str = ""
    do: Callable[[dict[str, Any]], object] = lambda form: None
    danger: bool = False


def verb_form(
    request: HttpRequest, case: Case, form_class: type[CaseForm], verb: Verb
) -> HttpResponse:
    """Show the form; when it is sent, do it, or show it again with what was typed."""
    if request.method == "GET":
        return show_verb(request, case, form_class(case=case), verb)
    form = form_class(request.POST, case=case)
    if not form.is_valid():
        return show_verb(request, case, form, verb, status=422)
    try:
        verb.do(form.cleaned_data)
    except DomainError as refused:
        return _refuse(request, case, form, verb, refused)
    case.refresh_from_db()
    back = reverse("cases:detail", args=[case.ref])
    return changed(request, verb.said, back, version=case.version)


def _refuse(
    request: HttpRequest, case: Case, form: CaseForm, verb: Verb, refused: DomainError
) -> HttpResponse:
    form.add_error(None, f"{refused.sentence} {refused.hint}".strip())
    if isinstance(refused, StaleCase):
        # They have seen what changed; what they typed may be sent again.
        form.data = {**form.data, "version": str(case.version)}
    status = refused.status if refused.status in {409, 413} else 422
    return show_verb(request, case, form, verb, status=status)


def show_verb(
    request: HttpRequest, case: Case, form: CaseForm, verb: Verb, status: int = 200
) -> HttpResponse:
    template = "cases/_verb_form.html" if is_fragment(request) else "cases/verb.html"
    shown = {"case": case, "form": form, "verb": verb}
    return render(request, template, shown, status=status)
