"""/api/v1/: telemetry in. Findings go out through dashboard/api/urls.py."""

from django.urls import path

from ingest.doors import adapter_api, api

app_name = "telemetry"
urlpatterns = [
    path("telemetry", api.Telemetry.as_view(), name="telemetry"),
    path("telemetry/litellm", adapter_api.LiteLLM.as_view(), name="litellm"),
    path("batches/<uuid:batch_id>", api.BatchDetail.as_view(), name="batch"),
]
