"""The weekly summary: what managers are told, and the weeks before it."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dashboard import charts
from dashboard.answers import reader
from dashboard.charts import Series
from dashboard.weekly import shown_week
from investigations import access
from investigations.models import Report
from investigations.reports import weekly
from investigations.reports.figures import Week
from investigations.selectors import reports as reads

# Addresses of weeks begin here (dashboard/report_urls.py).
FIRST_YEAR = 2000


@require_GET
def weeks(request: HttpRequest) -> HttpResponse:
    access.require(request.user, access.VIEW)
    reports = reads.newest_reports()
    context = {
        "now": shown_week(weekly.build(this_week().monday)),
        "last": this_week().before,
        "reports": [(report, shown_week(report.document)) for report in reports],
        "columns": ["Week", "Before the first flag", "After it"],
        "rows": [
            [name, f"{early:,}", f"{late:,}"] for name, early, late in taken(reports)
        ],
    }
    return render(request, "reports/weeks.html", context)


@require_GET
def week_page(request: HttpRequest, week: Week) -> HttpResponse:
    """The week as it was frozen; as it looks now where nobody has frozen it."""
    access.require(request.user, access.VIEW)
    if week.monday > this_week().monday:
        raise Http404
    report = reads.report_of(week.monday)
    document = report.document if report else weekly.build(week.monday)
    context = {
        "week": shown_week(document),
        "report": report,
        "earlier": week.before if week.monday.year > FIRST_YEAR else None,
        "later": week_after(week),
        "may_freeze": not report and access.can(request.user, access.REPORT),
    }
    return render(request, "reports/week.html", context)


@require_POST
def freeze(request: HttpRequest, week: Week) -> HttpResponse:
    access.require(request.user, access.REPORT)
    weekly.freeze_week(week=week.monday, by=reader(request))
    messages.success(request, f"The summary of {week.name} is kept as it is now.")
    return redirect("reports:week", week)


@require_GET
def exposure_chart(request: HttpRequest) -> JsonResponse:
    """Exchanges taken in each frozen week, before and after the first flag."""
    access.require(request.user, access.VIEW)
    rows = taken(reads.newest_reports())
    early = Series("before the first flag", [early for _, early, _ in rows])
    late = Series("after it", [late for _, _, late in rows])
    return JsonResponse(
        charts.weekly_bars([name for name, _, _ in rows], [early, late])
    )


def this_week() -> Week:
    return Week.of(timezone.now().date())


def week_after(week: Week) -> Week | None:
    """The week that follows, once it has begun."""
    after = Week(week.monday + timedelta(days=7))
    return after if after.monday <= this_week().monday else None


def taken(reports: Iterable[Report]) -> list[tuple[str, int, int]]:
    """Week, exchanges before the first flag and after it; the oldest week first."""
    rows = []
    for report in reports:
        week = shown_week(report.document)
        early, late = (
            week.figures[key].value or 0
            for key in ("exchanges_before_flag", "exchanges_after_flag")
        )
        rows.append((week.name, int(early), int(late)))
    return sorted(rows)
