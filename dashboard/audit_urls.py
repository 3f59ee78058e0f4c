"""/audit/: who did what, when, to what, and why."""

from django.urls import path

from dashboard.views import audit

app_name = "audit"
urlpatterns = [path("", audit.log, name="list")]
