"""The site map."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from dashboard.views import docs, health, overview, search, sign_in
from ingest.doors import adapter_api

urlpatterns = [
    # Coming in
    path("auth/", include("dashboard.sign_in_urls")),
    path("sign-in/once/<str:token>/", sign_in.once, name="sign_in_once"),
    # Looking
    path("", overview.overview, name="overview"),
    path("exchanges-by-day.json", overview.losses_chart, name="overview_losses"),
    path("search/", search.search, name="search"),
    path("clusters/", include("dashboard.cluster_urls")),
    path("accounts/", include("dashboard.account_urls")),
    path("indicators/", include("dashboard.indicator_urls")),
    path("reports/", include("dashboard.report_urls")),
    # Judging
    path("cases/", include("dashboard.cases.urls")),
    path("approvals/", include("dashboard.cases.approval_urls")),
    # Watching over it
    path("ingest/", include("dashboard.ingest_urls")),
    path("audit/", include("dashboard.audit_urls")),
    # What an admin looks after
    path("settings/", include("dashboard.admin_urls")),
    # For machines
    path("api/v1/", include("ingest.urls")),
    # Where every OTLP exporter sends, whatever stands before it.
    path("v1/traces", adapter_api.Traces.as_view(), name="otlp_traces"),
    path("api/v1/", include("dashboard.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", docs.api, name="api_docs"),
    path("health/", health.health, name="health"),
    # The demo's pretend platform
    path("demo/", include("dashboard.demo_urls")),
]

handler400 = "dashboard.views.errors.bad_request"
handler403 = "dashboard.views.errors.permission_denied"
handler404 = "dashboard.views.errors.not_found"
handler500 = "dashboard.views.errors.server_error"
