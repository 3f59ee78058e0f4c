"""Weekly summaries as they were frozen."""

from datetime import date

from investigations.models import Report

WEEKS = 12


def newest_reports() -> list[Report]:
    """The last weeks that were frozen, each in its newest revision, newest first."""
    latest = Report.objects.order_by("-week", "-revision").distinct("week")
    return list(latest.select_related("frozen_by")[:WEEKS])


def report_of(week: date) -> Report | None:
    """The newest revision of the week that begins on the given Monday."""
    reports = Report.objects.filter(week=week).select_related("frozen_by")
    return reports.order_by("-revision").first()
