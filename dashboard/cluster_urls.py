"""/clusters/: what the machine believes."""

from django.urls import path, register_converter

from dashboard.cases.refs import CaseRef
from dashboard.views import clusters


class ClusterRef(CaseRef):
    """`CL-7` in the address, the cluster's primary key in the view."""

    prefix = "CL-"
    regex = "CL-[0-9]{1,18}"


register_converter(ClusterRef, "cluster")

app_name = "clusters"
urlpatterns = [
    path("", clusters.clusters, name="list"),
    path("<cluster:pk>/", clusters.detail, name="detail"),
    path("<cluster:pk>/exchanges-by-day.json", clusters.timeline, name="timeline"),
    path("<cluster:pk>/graph.json", clusters.graph, name="graph"),
    path("<cluster:pk>/evidence/<slug:signal>/", clusters.evidence, name="evidence"),
    path("<cluster:pk>/what-if/", clusters.what_if, name="what_if"),
    path("<cluster:pk>/open/", clusters.open_by_hand, name="open"),
]
