"""The demo's pretend platform: what a real one would check, it checks."""

import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from dashboard import demo_platform
from dashboard.models import PlatformState, ReceivedWebhook

pytestmark = pytest.mark.django_db
EFFECTS = "/demo/platform/effects"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def platform(settings, tmp_path):
    settings.DEMO = True
    settings.VAR = tmp_path
    demo_platform.keep_secret(demo_platform.secret_file(), SECRET)


def message(kind: str = "account.ban", sequence: int = 1, account: str = "a-1", **more):
    data = {"account_id": account, "sequence": sequence, **more}
    return json.dumps({"type": kind, "timestamp": "…", "data": data})


def send(body: str, *, webhook_id: str = "", secret: str = SECRET, age: int = 0):
    webhook_id = webhook_id or str(uuid.uuid4())
    at = timezone.now() - timedelta(seconds=age)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body),
    }
    return Client().post(
        EFFECTS, body, content_type="application/json", headers=headers
    )


def state(account: str = "a-1") -> str:
    return PlatformState.objects.get(account_id=account).status


def test_a_signed_ban_is_applied():
    assert send(message()).json() == {"applied": True, "times": 1}
    assert state() == "banned"


def test_the_same_webhook_applies_once_however_often_it_comes():
    for times in (1, 2, 3):
        answer = send(message(), webhook_id="one").json()
        assert answer == {"applied": True, "times": times}
    assert ReceivedWebhook.objects.count() == 1


def test_a_late_ban_does_not_overtake_a_restore():
    send(message("account.restore", sequence=2, restore_to="restricted"))
    assert send(message("account.ban", sequence=1)).json()["applied"] is False
    assert state() == "restricted"


@pytest.mark.parametrize("age", [301, -301])
def test_a_webhook_from_another_time_is_refused(age):
    assert send(message(), age=age).status_code == 401
    assert not ReceivedWebhook.objects.exists()


def test_a_webhook_signed_with_another_secret_is_refused():
    other = "whsec_" + "A" * 32
    assert send(message(), secret=other).status_code == 401


def test_a_changed_body_is_refused():
    body = message()
    at, webhook_id = timezone.now(), "one"
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(webhook_id, at, body),
    }
    changed = body.replace("a-1", "a-2")
    response = Client().post(
        EFFECTS, changed, content_type="application/json", headers=headers
    )
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "x", "webhook-timestamp": "now", "webhook-signature": "v1,x"},
        {"webhook-id": "x", "webhook-timestamp": "9" * 30, "webhook-signature": ""},
    ],
)
def test_an_unsigned_webhook_is_refused(headers):
    response = Client().post(
        EFFECTS, message(), content_type="application/json", headers=headers
    )
    assert response.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        message("account.delete"),
        message("account.restore"),
        message("account.restore", restore_to="gone"),
    ],
)
def test_a_signed_body_that_says_nothing_usable_is_refused(body):
    assert send(body).status_code == 400
    assert not PlatformState.objects.exists()


def test_a_test_message_is_accepted_and_changes_nothing():
    assert send(json.dumps({"type": "endpoint.test", "data": {}})).status_code == 200
    assert not ReceivedWebhook.objects.exists()


def test_what_it_applied_can_be_read():
    send(message("account.ban", account="b"))
    send(message("account.restrict", account="r"))
    send(message("account.restore", account="x", restore_to="active"))
    found = Client().get("/demo/platform/accounts.json").json()
    assert found == {"banned": ["b"], "restricted": ["r"]}


def test_its_page_shows_what_arrived_and_escapes_it(signed_in, vic):
    send(message(account="<script>alert(1)</script>"))
    page = signed_in(vic).get("/demo/platform/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "path", ["/demo/status", "/demo/platform/", "/demo/platform/accounts.json", EFFECTS]
)
def test_a_real_installation_has_no_pretend_platform(settings, path, signed_in, ada):
    settings.DEMO = False
    client = signed_in(ada)
    answer = client.post(path) if path == EFFECTS else client.get(path)
    assert answer.status_code == 404


def test_the_status_tells_how_far_the_demo_is():
    assert Client().get("/demo/status").json() == {
        "cases": 0,
        "first_case": None,
        "batches_pending": 0,
    }
