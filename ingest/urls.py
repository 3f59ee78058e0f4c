"""/api/v1/: telemetry in. Findings go out through dashboard/api/urls.py."""

from django.urls import path

from ingest import api

app_name = "telemetry"
urlpatterns = [
    path("telemetry", api.Telemetry.as_view(), name="telemetry"),
    path("batches/<uuid:batch_id>", api.BatchDetail.as_view(), name="batch"),
]
