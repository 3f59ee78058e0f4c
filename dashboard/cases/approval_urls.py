"""Addresses of what waits for a second person: /approvals/…"""

from django.urls import path, register_converter

from dashboard.cases.refs import DecisionRef
from dashboard.views import approvals

register_converter(DecisionRef, "decision_ref")

app_name = "approvals"
urlpatterns = [
    path("", approvals.approvals, name="list"),
    path("<decision_ref:pk>/", approvals.detail, name="detail"),
    path("<decision_ref:pk>/answer/", approvals.answer, name="answer"),
    path("<decision_ref:pk>/withdraw/", approvals.withdraw, name="withdraw"),
]
