"""/demo/: the pretend platform. 404 unless STILLWATCH_DEMO is set."""

from django.urls import path

from dashboard.views import demo

app_name = "demo"
urlpatterns = [
    path("status", demo.status, name="status"),
    path("platform/", demo.platform, name="platform"),
    path("platform/effects", demo.effects, name="effects"),
    path("platform/accounts.json", demo.accounts, name="accounts"),
]
