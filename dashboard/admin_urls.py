"""/settings/: what an admin looks after. An empty installation is set up here."""

from django.urls import path

from dashboard.views import endpoint, keys, people

app_name = "settings"
urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/<str:username>/role/", people.change_role, name="change_role"),
    path("people/<str:username>/link/", people.renew_link, name="renew_link"),
    path("people/<str:username>/deactivate/", people.deactivate, name="deactivate"),
    path("people/<str:username>/reactivate/", people.reactivate, name="reactivate"),
    path("keys/", keys.keys, name="keys"),
    path("keys/issue/", keys.issue, name="issue_key"),
    path("keys/<str:prefix>/revoke/", keys.revoke, name="revoke_key"),
    path("endpoint/", endpoint.endpoint, name="endpoint"),
    path("endpoint/set/", endpoint.set_address, name="set_endpoint"),
    path("endpoint/rotate/", endpoint.rotate, name="rotate_secret"),
    path("endpoint/test/", endpoint.test, name="test_endpoint"),
    path("endpoint/stop/", endpoint.stop, name="stop_endpoint"),
]
