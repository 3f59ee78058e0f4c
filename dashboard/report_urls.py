"""/reports/: weekly summaries, the running one and those that were frozen."""

from datetime import date

from django.urls import path, register_converter

from dashboard.views import reports
from investigations.reports.figures import Week


class IsoWeek:
    """`2026-W47` in the address, the week itself in the view."""

    # Nothing was recorded before, and arithmetic on dates ends with year 9999.
    regex = "2[0-9]{3}-W[0-5][0-9]"

    def to_python(self, value: str) -> Week:
        """Raises ValueError, which is a 404, for a week that its year has not."""
        year, week = value.split("-W")
        return Week(date.fromisocalendar(int(year), int(week), 1))

    def to_url(self, value: object) -> str:
        return value.name if isinstance(value, Week) else str(value)


register_converter(IsoWeek, "week")

app_name = "reports"
urlpatterns = [
    path("", reports.weeks, name="list"),
    path("exchanges-by-week.json", reports.exposure_chart, name="exposure"),
    path("<week:week>/", reports.week_page, name="week"),
    path("<week:week>/freeze/", reports.freeze, name="freeze"),
]
