"""Addresses of the queue and of one case: /cases/…"""

from django.urls import path, register_converter

from dashboard.cases.refs import CaseRef, DecisionRef
from dashboard.views import case_work, cases, decisions, queue


class ChartStep:
    regex = "days|hours"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(CaseRef, "case")
register_converter(DecisionRef, "decision")
register_converter(ChartStep, "step")

app_name = "cases"
urlpatterns = [
    path("", queue.queue, name="queue"),
    path("take/", queue.take, name="take"),
    # Reading one
    path("<case:pk>/", cases.detail, name="detail"),
    path("<case:pk>/head/", cases.head, name="head"),
    path("<case:pk>/history/", cases.history, name="history"),
    path("<case:pk>/evidence/<slug:signal>/", cases.evidence, name="evidence"),
    path("<case:pk>/what-if/", cases.what_if, name="what_if"),
    path("<case:pk>/exchanges-by-<step:step>.json", cases.timeline, name="timeline"),
    path("<case:pk>/graph.json", cases.graph, name="graph"),
    # Working on it
    path("<case:pk>/assign/", case_work.assign, name="assign"),
    path("<case:pk>/note/", case_work.note, name="note"),
    path("<case:pk>/escalate/", case_work.escalate, name="escalate"),
    path("<case:pk>/close/", case_work.close, name="close"),
    path("<case:pk>/reopen/", case_work.reopen, name="reopen"),
    path("<case:pk>/reveal/", case_work.reveal, name="reveal"),
    # Deciding it
    path("<case:pk>/decision/", decisions.box, name="box"),
    path("<case:pk>/preview/", decisions.preview, name="preview"),
    path("<case:pk>/decide/", decisions.decide, name="decide"),
    path("<case:pk>/replay/<decision:decision>/", decisions.replay, name="replay"),
    path("<case:pk>/restore/<decision:decision>/", decisions.restore, name="restore"),
]
