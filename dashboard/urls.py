"""The site map."""

from django.urls import include, path

from dashboard.views import health, sign_in

urlpatterns = [
    # Coming in
    path("auth/", include("dashboard.sign_in_urls")),
    path("sign-in/once/<str:token>/", sign_in.once, name="sign_in_once"),
    # For machines
    path("api/v1/", include("dashboard.api.urls")),
    path("health/", health.health, name="health"),
    # The demo's pretend platform
    path("demo/", include("dashboard.demo_urls")),
]

handler400 = "dashboard.views.errors.bad_request"
handler403 = "dashboard.views.errors.permission_denied"
handler404 = "dashboard.views.errors.not_found"
handler500 = "dashboard.views.errors.server_error"
