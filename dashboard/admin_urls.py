"""/settings/: what an admin looks after. An empty installation is set up here."""

from django.urls import path

from dashboard.views import endpoint, keys, people, retention, rules

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
    path("keys/<str:prefix>/", keys.key, name="key"),
    path("keys/<str:prefix>/rotate/", keys.rotate, name="rotate_key"),
    path("keys/<str:prefix>/change/", keys.change, name="change_key"),
    path("keys/<str:prefix>/revoke/", keys.revoke, name="revoke_key"),
    path("keys/<str:prefix>/take-back/", keys.take_back, name="take_back_key"),
    path("keys/<str:prefix>/progress/", keys.progress, name="take_back_progress"),
    path("retention/", retention.retention, name="retention"),
    path("retention/hold/", retention.place_hold, name="place_hold"),
    path("retention/<int:pk>/release/", retention.release_hold, name="release_hold"),
    path("rules/", rules.versions, name="rules"),
    path("rules/calibration.json", rules.calibration_chart, name="calibration"),
    path("rules/draft/", rules.draft, name="draft_rules"),
    path("rules/<int:number>/", rules.version, name="rules_version"),
    path("rules/<int:number>/edit/", rules.edit, name="edit_rules"),
    path("rules/<int:number>/update/", rules.update, name="update_rules"),
    path("rules/<int:number>/propose/", rules.propose, name="propose_rules"),
    path("rules/<int:number>/send-back/", rules.send_back, name="send_back_rules"),
    path("rules/<int:number>/publish/", rules.publish, name="publish_rules"),
    path("rules/<int:number>/discard/", rules.discard, name="discard_rules"),
    path("rules/<int:number>/backtest/", rules.backtest, name="backtest_rules"),
    path("rules/<int:number>/trials/<int:pk>/", rules.trial, name="rules_trial"),
    path("endpoint/", endpoint.endpoint, name="endpoint"),
    path("endpoint/set/", endpoint.set_address, name="set_endpoint"),
    path("endpoint/rotate/", endpoint.rotate, name="rotate_secret"),
    path("endpoint/test/", endpoint.test, name="test_endpoint"),
    path("endpoint/stop/", endpoint.stop, name="stop_endpoint"),
]
