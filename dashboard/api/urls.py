"""/api/v1/: findings, read only. Telemetry comes in through ingest/urls.py."""

from django.urls import path

from dashboard.api import views

app_name = "api"
urlpatterns = [
    path("accounts/", views.AccountList.as_view(), name="accounts"),
    path("accounts/<path:account_id>/", views.AccountDetail.as_view(), name="account"),
    path("clusters/", views.ClusterList.as_view(), name="clusters"),
    path("clusters/<str:cluster_id>/", views.ClusterDetail.as_view(), name="cluster"),
    path(
        "clusters/<str:cluster_id>/members/",
        views.MemberList.as_view(),
        name="cluster_members",
    ),
]
