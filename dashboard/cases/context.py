"""What each part of a case's page is given to show."""

from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone

from dashboard.cases import figures
from dashboard.cases.filters import member_filter
from dashboard.cases.history import history_lines
from dashboard.cases.selection import matching_token
from dashboard.cases.summary import case_summary
from dashboard.evidence import linked_reasons
from dashboard.lineage import lineage_context
from dashboard.query import address
from dashboard.resemblance import resembles_context
from investigations import access, selectors
from investigations.models import Case
from investigations.transitions import may_move

Context = dict[str, object]
Status = Case.Status

COLUMNS: list[dict[str, object]] = [
    {"label": "Account", "wide": True},
    {"key": "score", "label": "Score"},
    {
        "key": "support",
        "label": "Support",
        "number": True,
        "title": "Rare things that it shares with other members",
    },
    {
        "key": "stability",
        "label": "Stability",
        "number": True,
        "title": "Share of the runs in which it fell into this cluster",
        "fold": 1,
    },
    {"label": "Plan", "fold": 2},
    {"label": "Verified", "fold": 2},
    {"label": "Status"},
    {"key": "exchanges", "label": "Exchanges", "number": True},
    {"key": "first_seen", "label": "First seen", "number": True, "fold": 1},
]


def readable_case(request: HttpRequest, pk: int) -> Case:
    """The case with what its head shows; 404 where there is none."""
    access.require(request.user, access.VIEW)
    case = selectors.case_with(pk)
    if case is None:
        raise Http404
    return case


def page_context(request: HttpRequest, case: Case) -> Context:
    """The whole page but for its decision box."""
    seen = selectors.exposed(case)
    members = members_context(request, case)
    size = members["page"].everyone  # type: ignore[attr-defined]
    return {
        **head_context(request, case),
        **members,
        **history_context(request, case),
        **lineage_context(case.cluster),
        **resembles_context(case.cluster),
        "exposed": seen,
        "size": size,
        "summary": case_summary(case, size=size, seen=seen, now=timezone.now()),
        "reasons": reasons_context(case),
        "days": figures.daily_table(case),
        "hours": figures.hourly_table(case),
        "indicators": selectors.shared_indicators(case),
        "templates": selectors.shared_templates(case),
        "models": figures.shares(seen.by_model if seen else []),
        "intents": figures.shares(seen.by_intent if seen else []),
        "milestones": selectors.milestones(case),
    }


def head_context(request: HttpRequest, case: Case) -> Context:
    user = request.user
    works = access.can(user, access.WORK)
    takes = works and case.is_unfinished and case.assignee_id != user.pk
    size = case.cluster.size if case.cluster else 0
    return {
        "case": case,
        "may_work": works,
        "may_take": takes,
        "may_escalate": works and may_move(case, Status.ESCALATED),
        "may_close": works and may_move(case, Status.CLOSED),
        "may_reopen": works and not case.is_unfinished,
        "may_reveal": access.can(user, access.REVEAL),
        "grown": max(size - case.opened_on.get("size", size), 0),
        "seen": head_digest(request, case),
    }


def head_digest(request: HttpRequest, case: Case) -> str:
    """Changes with anything the head shows, and with the token that it carries: who
    signs in anew gets another one, and the forms on the page need it."""
    cluster = case.cluster
    measured = cluster and (cluster.score, cluster.size, cluster.updated_at)
    get_token(request)  # makes the secret where there is none yet
    shown = (case.version, measured, request.META["CSRF_COOKIE"])
    return sha256(repr(shown).encode()).hexdigest()[:16]


def members_context(request: HttpRequest, case: Case) -> Context:
    wanted = member_filter(request.GET)
    page = selectors.member_page(case, wanted)
    path, params = reverse("cases:detail", args=[case.ref]), request.GET
    standings = selectors.standings(account.pk for account in page.accounts)
    proposed = set(case.cluster.proposed_ban if case.cluster else [])
    decides = access.can(request.user, access.DECIDE) and case.is_unfinished
    return {
        "case": case,
        "page": page,
        "members": [
            {
                "account": account,
                "standing": standings[account.pk],
                "proposed": account.pk in proposed,
            }
            for account in page.accounts
        ],
        "wanted": wanted,
        "may_pick": decides and case.status != Status.AWAITING_APPROVAL,
        "token": matching_token(case, wanted) if decides else "",
        "columns": [
            column
            | {
                "url": column.get("key")
                and address(path, params, sort=column["key"]) + "#members",
                "sorted": column.get("key") == wanted.sort,
            }
            for column in COLUMNS
        ],
        "members_url": path,
        "all_url": address(path, params, min_score="", shares="") + "#members",
        "next_url": page.after and address(path, params, after=page.after) + "#members",
        "previous_url": page.before
        and address(path, params, before=page.before) + "#members",
        "filtered": bool(wanted.min_score or wanted.indicator),
    }


def history_context(request: HttpRequest, case: Case) -> Context:
    history = selectors.case_history(case)
    names = {entry.actor_name for entry in history.entries} | {
        entry.detail.get("to") or "" for entry in history.entries
    }
    people = User.objects.filter(username__in=names)
    return {
        "case": case,
        "lines": history_lines(
            history.entries,
            history.notes,
            {person.username: person.get_full_name() for person in people},
        ),
        "older": history.older,
        "may_work": access.can(request.user, access.WORK),
    }


def reasons_context(case: Case) -> list[Context]:
    """The machine's reasons, each with the address of the rows behind it."""
    return linked_reasons(
        reasons_of(case),
        lambda signal: reverse("cases:evidence", args=[case.ref, signal]),
    )


def reasons_of(case: Case) -> list[dict[str, Any]]:
    return case.cluster.reasons if case.cluster else []
