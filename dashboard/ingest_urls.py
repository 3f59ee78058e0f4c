"""/ingest/: what arrives, and what was refused and why."""

from django.urls import path

from dashboard.views import ingest

app_name = "ingest"
urlpatterns = [
    path("", ingest.overview, name="overview"),
    path("received-by-hour.json", ingest.hours_chart, name="hours"),
    path("quarantine/", ingest.quarantine, name="quarantine"),
    path("quarantine/<int:pk>/", ingest.line, name="line"),
]
