"""/ingest/: what arrives, what was refused and why, and mending it."""

from django.urls import path

from dashboard.views import ingest, kept_lines, replays

app_name = "ingest"
urlpatterns = [
    path("", ingest.overview, name="overview"),
    path("received-by-hour.json", ingest.hours_chart, name="hours"),
    path("batches/<uuid:batch_id>/", ingest.batch, name="batch"),
    path("batches/<uuid:batch_id>/try-again/", ingest.try_again, name="try_again"),
    # Lines that were not stored
    path("quarantine/", kept_lines.quarantine, name="quarantine"),
    path("quarantine/replay/", replays.replay, name="replay"),
    path("quarantine/discard/", replays.discard, name="discard_all"),
    path("quarantine/replays/<int:pk>/", replays.run, name="run"),
    path("quarantine/<int:pk>/", kept_lines.line, name="line"),
    path("quarantine/<int:pk>/mend/", kept_lines.mend, name="mend"),
    path("quarantine/<int:pk>/again/", kept_lines.again, name="again"),
    path("quarantine/<int:pk>/discard/", kept_lines.discard, name="discard"),
]
