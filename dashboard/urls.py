"""The site map."""

from django.urls import include, path

urlpatterns = [
    path("auth/", include("allauth.urls")),
]
