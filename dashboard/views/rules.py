"""/settings/rules/: rules that staff own, in versions that two people stand for."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from dashboard import rules as shown
from dashboard.answers import is_fragment, reader
from dashboard.calibration import shown_calibration
from dashboard.rule_forms import (
    BacktestForm,
    PublishForm,
    RuleForm,
    WhyForm,
    initial_of,
)
from investigations import access, selectors
from investigations.actions import rules
from investigations.detection import rule_values, rulebook
from investigations.detection.models import RuleTrial, RuleVersion
from investigations.detection.selectors import passes
from investigations.errors import BadRules, DomainError


@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    return list_page(request, WhyForm())


@require_safe
def calibration_chart(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    found = shown_calibration(selectors.calibration(), rulebook.live().rules)
    return JsonResponse(found.figure)


@require_POST
def draft(request: HttpRequest) -> HttpResponse:
    """Begin a draft: like the live version, or like the one named by `like`."""
    access.require(request.user, access.RULES)
    form = WhyForm(request.POST)
    if not form.is_valid():
        return list_page(request, form, status=422)
    like = request.POST.get("like", "")
    source = found(int(like)) if like.isascii() and like.isdigit() else None
    reason = form.cleaned_data["reason"]
    begun = rules.start_draft(reason=reason, like=source, by=reader(request))
    return redirect("settings:edit_rules", begun.number)


@require_safe
def version(request: HttpRequest, number: int) -> HttpResponse:
    access.require(request.user, access.VIEW)
    return version_page(request, found(number))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: int) -> HttpResponse:
    """The form of a draft; only its author may change what it says."""
    access.require(request.user, access.RULES)
    one = found(number)
    if request.method != "POST":
        values = rule_values.from_json(one.values)
        initial = initial_of(values, reason=one.reason, edition=one.edition)
        return edit_page(request, one, RuleForm(initial=initial))
    form = RuleForm(request.POST)
    if not form.is_valid():
        return edit_page(request, one, form, status=422)
    told = form.cleaned_data
    try:
        rules.edit_draft(
            version=one,
            numbers=told["numbers"],
            allowed=told["allowed"],
            partners=told["partners"],
            reason=told["reason"],
            edition=told["edition"],
            by=reader(request),
        )
    except BadRules as refused:
        form.refuse(refused.problems)
        return edit_page(request, one, form, status=422)
    except DomainError as refused:
        form.add_error(None, f"{refused.sentence} {refused.hint}".strip())
        return edit_page(request, one, form, status=refused.status)
    messages.success(request, f"{one.ref} is saved. Nothing has changed yet.")
    return redirect("settings:rules_version", number)


# --- Steps ------------------------------------------------------------------------


@require_POST
def propose(request: HttpRequest, number: int) -> HttpResponse:
    said = (
        "is in shadow: it runs beside the live rules, and another lead may publish it"
    )
    return step(request, number, rules.propose, said)


@require_POST
def update(request: HttpRequest, number: int) -> HttpResponse:
    said = "is up to date: what went live meanwhile is in it"
    return step(request, number, rules.bring_up_to_date, said)


@require_POST
def send_back(request: HttpRequest, number: int) -> HttpResponse:
    return step_with(request, number, WhyForm, rules.send_back, "is a draft again")


@require_POST
def discard(request: HttpRequest, number: int) -> HttpResponse:
    return step_with(request, number, WhyForm, rules.discard, "is discarded")


@require_POST
def publish(request: HttpRequest, number: int) -> HttpResponse:
    said = "is live: the next run goes by it"
    return step_with(request, number, PublishForm, rules.publish, said)


@require_POST
def backtest(request: HttpRequest, number: int) -> HttpResponse:
    access.require(request.user, access.RULES)
    one, form = found(number), BacktestForm(request.POST)
    if not form.is_valid():
        return version_page(request, one, backtest=form, status=422)
    instants = form.cleaned_data["instants"]
    ordered = rules.order_backtest(version=one, instants=instants, by=reader(request))
    return redirect("settings:rules_trial", number, ordered.pk)


@require_safe
def trial(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """What trying a version showed; asks for itself anew until it is done."""
    access.require(request.user, access.VIEW)
    trials = RuleTrial.objects.select_related("version", "against", "asked_by")
    one = get_object_or_404(trials, pk=pk, version__number=number)
    name = "rules/_trial.html" if is_fragment(request) else "rules/trial.html"
    return render(request, name, shown.trial_context(one))


# --- What they share --------------------------------------------------------------


def step(
    request: HttpRequest, number: int, act: Callable[..., RuleVersion], said: str
) -> HttpResponse:
    access.require(request.user, access.RULES)
    one = found(number)
    try:
        act(version=one, by=reader(request))
    except DomainError as refused:
        sentence = f"{refused.sentence} {refused.hint}".strip()
        return version_page(request, one, refused=sentence, status=refused.status)
    messages.success(request, f"{one.ref} {said}.")
    return redirect("settings:rules_version", number)


def step_with(
    request: HttpRequest,
    number: int,
    form_class: type[WhyForm],
    act: Callable[..., RuleVersion],
    said: str,
) -> HttpResponse:
    """A step that needs a reason."""
    access.require(request.user, access.RULES)
    one, form = found(number), form_class(request.POST)
    if not form.is_valid():
        return version_page(request, one, answer=form, status=422)
    try:
        act(version=one, by=reader(request), **form.cleaned_data)
    except DomainError as refused:
        sentence = f"{refused.sentence} {refused.hint}".strip()
        return version_page(
            request, found(number), answer=form, refused=sentence, status=refused.status
        )
    messages.success(request, f"{one.ref} {said}.")
    return redirect("settings:rules_version", number)


def found(number: int) -> RuleVersion:
    return get_object_or_404(selectors.rule_versions(), number=number)


def list_page(
    request: HttpRequest, form: WhyForm, *, status: int = 200
) -> HttpResponse:
    live = rulebook.live()
    context = {
        "live": live,
        "passes": passes(),
        "versions": selectors.rule_versions(),
        "detectors": shown.shown_detectors(live.rules),
        "links": shown.shown_links(),
        "calibration": shown_calibration(selectors.calibration(), live.rules),
        "form": form,
        "may_rule": access.can(request.user, access.RULES),
        "may_manage": access.can(request.user, access.MANAGE),
    }
    return render(request, "rules/list.html", context, status=status)


def version_page(
    request: HttpRequest, one: RuleVersion, *, status: int = 200, **more: Any
) -> HttpResponse:
    """`more`: the forms that could not be followed, and why a step was refused."""
    context = shown.version_context(one, reader(request))
    context |= {"backtest": BacktestForm(), "answer": WhyForm()} | more
    return render(request, "rules/version.html", context, status=status)


def edit_page(
    request: HttpRequest, one: RuleVersion, form: RuleForm, *, status: int = 200
) -> HttpResponse:
    live = rulebook.live()
    context = {
        "version": one,
        "form": form,
        "live": live,
        "editable": one.state == RuleVersion.State.DRAFT
        and one.author_id == reader(request).pk,
        "groups": [
            (
                title,
                [(s, rule_values.number_in(live.rules, s.key), f) for s, f in rows],
            )
            for title, rows in form.groups()
        ],
        "detectors": [
            (
                each,
                form.weight(each.detector.key, "account"),
                form.weight(each.detector.key, "cluster"),
            )
            for each in shown.shown_detectors(live.rules)
        ],
    }
    return render(request, "rules/edit.html", context, status=status)
