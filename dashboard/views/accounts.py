"""Accounts: one customer at a time, private values masked until a reason is given."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dashboard import charts, findings
from dashboard.accounts import account_context
from dashboard.answers import reader
from dashboard.days import series
from dashboard.evidence import About, show_rows
from dashboard.filters import AccountFilters
from dashboard.query import PLACE, address, choice, cursor, narrowed
from dashboard.reveal import RevealForm, private_values
from ingest.models import Account
from investigations import access
from investigations.actions.reveals import reveal_account, reveal_excerpts
from investigations.detection.models import Band
from investigations.detection.selectors import account_reasons
from investigations.selectors import accounts as reads
from investigations.selectors import standings

FILTERS = ("account_id", "band", "status", "min_score", "cluster_id")


@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    path, params = request.path, request.GET
    found = narrowed(
        findings.accounts(),
        AccountFilters,
        params,
        offered=FILTERS,
        beside=("sort", *PLACE),
    )
    sort = choice(params, "sort", reads.ACCOUNT_SORTS) or "score"
    page = reads.account_page(
        found, sort=sort, after=cursor(params, "after"), before=cursor(params, "before")
    )
    known = standings(account.pk for account in page.rows)
    context = {
        "rows": [(account, known[account.pk]) for account in page.rows],
        "chosen": params,
        "filtered": any(params.get(name) for name in FILTERS),
        "bands": Band.choices,
        "statuses": Account.Status.choices,
        "sort": sort,
        "sort_urls": {
            key: address(path, params, sort=key) for key in reads.ACCOUNT_SORTS
        },
        "next_url": page.after and address(path, params, after=page.after),
        "previous_url": page.before and address(path, params, before=page.before),
    }
    return render(request, "accounts/list.html", context)


@require_GET
def detail(request: HttpRequest, account_id: str) -> HttpResponse:
    account = readable_account(request, account_id)
    shown = account_context(request, account) | {
        "form": RevealForm(),
        "excerpts_form": RevealForm(auto_id="excerpts-%s"),
    }
    return render(request, "accounts/detail.html", shown)


@require_POST
def reveal(request: HttpRequest, account_id: str) -> HttpResponse:
    """The private values in clear, once: nothing remembers that they were shown."""
    access.require(request.user, access.REVEAL)
    account = readable_account(request, account_id)
    form = RevealForm(request.POST)
    shown: dict[str, object] = {"account": account, "form": form}
    if not form.is_valid():
        return render(request, "accounts/reveal.html", shown, status=422)
    reveal_account(
        account=account, reason=form.cleaned_data["reason"], by=reader(request)
    )
    shown["values"] = private_values(account)
    return render(request, "accounts/reveal.html", shown)


@require_POST
def excerpts(request: HttpRequest, account_id: str) -> HttpResponse:
    """The redacted prompts in clear, once."""
    access.require(request.user, access.REVEAL)
    account = readable_account(request, account_id)
    form = RevealForm(request.POST)
    shown: dict[str, object] = {"account": account, "form": form}
    if not form.is_valid():
        return render(request, "accounts/excerpts.html", shown, status=422)
    shown["excerpts"] = reveal_excerpts(
        account=account, reason=form.cleaned_data["reason"], by=reader(request)
    )
    return render(request, "accounts/excerpts.html", shown)


@require_GET
def evidence(request: HttpRequest, account_id: str, signal: str) -> HttpResponse:
    """The rows behind one of the machine's reasons."""
    account = readable_account(request, account_id)
    url = reverse("accounts:detail", args=[account_id])
    about = About(account.external_id, url, "Accounts", reverse("accounts:list"))
    return show_rows(request, account_reasons(account), signal, about)


@require_GET
def days_chart(request: HttpRequest, account_id: str) -> JsonResponse:
    habits = reads.habits(readable_account(request, account_id))
    return JsonResponse(charts.cluster_days(habits.days, series(habits.models), []))


@require_GET
def hours_chart(request: HttpRequest, account_id: str) -> JsonResponse:
    habits = reads.habits(readable_account(request, account_id))
    return JsonResponse(charts.activity_by_hour(habits.hours))


def readable_account(request: HttpRequest, account_id: str) -> Account:
    """The account with its score and cluster; 404 where there is none."""
    access.require(request.user, access.VIEW)
    account = reads.account_with(account_id)
    if account is None:
        raise Http404
    return account
