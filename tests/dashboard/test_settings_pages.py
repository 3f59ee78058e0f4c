"""/settings/: how an admin sets up an empty installation and looks after it."""

import re
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from ingest.doors.errors import UnknownKey
from ingest.models import IngestKey
from ingest.senders.keys import authenticate
from investigations import access
from investigations.models import AuditEntry, Endpoint
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(signed_in, ada):
    return signed_in(ada)


def text_of(response) -> str:
    return str(response.content.decode())


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match
    return match[0]


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("sequence")


# --- People --------------------------------------------------------------------


INVITATION = {
    "username": "eli",
    "name": "Eli Stone",
    "email": "",
    "role": "analyst",
}


def test_someone_invited_comes_in_by_the_link_that_is_shown_once(admin):
    page = text_of(admin.post("/settings/people/invite/", INVITATION))
    link = found(r"/sign-in/once/[\w-]+/", page)
    assert link not in text_of(admin.get("/settings/people/"))
    assert Client().post(link).status_code == 302
    assert access.role_of(User.objects.get(username="eli")) == "analyst"


def test_an_invitation_is_audited_without_the_link(admin):
    admin.post("/settings/people/invite/", INVITATION)
    entry = last_entry()
    assert (entry.verb, entry.object_ref) == ("person.invited", "eli")
    assert entry.detail == {"role": "analyst"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "Ada"),
        ("username", "stillwatch"),
        ("username", "аda"),  # a Cyrillic letter
        ("username", "a b"),
        ("username", ""),
        ("name", ""),
        ("email", "no address"),
        ("role", "owner"),
    ],
)
def test_an_invitation_that_cannot_be_keeps_what_was_typed(admin, field, value):
    response = admin.post("/settings/people/invite/", {**INVITATION, field: value})
    assert response.status_code == 422
    assert "errorlist" in text_of(response)
    assert not User.objects.filter(username="eli").exists()


def test_a_role_can_be_changed(admin, vic):
    admin.post("/settings/people/vic/role/", {"role": "lead"})
    vic = User.objects.get(pk=vic.pk)
    assert access.role_of(vic) == "lead"
    assert last_entry().detail == {"before": "viewer", "after": "lead"}


def test_a_role_that_there_is_not_is_refused(admin, vic):
    assert admin.post("/settings/people/vic/role/", {"role": "x"}).status_code == 400
    assert access.role_of(User.objects.get(pk=vic.pk)) == "viewer"


@pytest.mark.parametrize("step", ["role", "deactivate"])
def test_the_last_admin_stays_one(admin, ada, step):
    response = admin.post(f"/settings/people/ada/{step}/", {"role": "viewer"})
    assert response.status_code == 409
    assert "last admin" in text_of(response)
    ada = User.objects.get(pk=ada.pk)
    assert ada.is_active
    assert access.role_of(ada) == "admin"


def test_an_admin_may_go_while_another_is_left(admin, ada):
    make_person("eve", "admin")
    admin.post("/settings/people/ada/role/", {"role": "viewer"})
    assert access.role_of(User.objects.get(pk=ada.pk)) == "viewer"


def test_an_inactive_admin_does_not_count_as_one(admin, ada):
    eve = make_person("eve", "admin")
    User.objects.filter(pk=eve.pk).update(is_active=False)
    response = admin.post("/settings/people/ada/role/", {"role": "viewer"})
    assert response.status_code == 409


def test_someone_deactivated_is_out_at_once_and_can_come_back(admin, signed_in, vic):
    client = signed_in(vic)
    admin.post("/settings/people/vic/deactivate/")
    assert client.get("/api/v1/accounts/").status_code == 401
    admin.post("/settings/people/vic/reactivate/")
    assert User.objects.get(pk=vic.pk).is_active


def test_someone_who_lost_the_password_gets_a_new_link(admin, vic):
    page = text_of(admin.post("/settings/people/vic/link/"))
    link = found(r"/sign-in/once/[\w-]+/", page)
    assert Client().post(link).status_code == 302


def test_the_machines_own_account_is_not_a_person_to_be_managed(admin):
    access.system_account()
    assert "stillwatch</td>" not in text_of(admin.get("/settings/people/"))
    assert admin.post("/settings/people/stillwatch/link/").status_code == 404


# --- Keys ----------------------------------------------------------------------


NEW_KEY = {"source": "gateway", "name": "eu-1", "scopes": ["ingest:write"]}


def issue(admin: Client, **changes) -> str:
    page = text_of(admin.post("/settings/keys/issue/", {**NEW_KEY, **changes}))
    return found(r"sw_[0-9a-f]{12}_[0-9a-f]{64}", page)


def test_a_key_is_shown_once_and_works(admin):
    secret = issue(admin)
    key = authenticate(secret, "ingest:write")
    assert (key.name, key.source.name) == ("eu-1", "gateway")
    page = text_of(admin.get("/settings/keys/"))
    assert key.prefix in page
    assert secret not in page


def test_two_keys_of_one_source_share_it(admin):
    issue(admin)
    issue(admin, name="eu-2")
    assert IngestKey.objects.values("source").distinct().count() == 1


def test_a_key_can_end_by_itself(admin):
    secret = issue(admin, days="1")
    key = authenticate(secret, "ingest:write")
    assert key.expires_at
    left = key.expires_at - timezone.now()
    assert timedelta(hours=23) < left <= timedelta(days=1)


def test_a_revoked_key_opens_nothing(admin):
    secret = issue(admin)
    prefix = IngestKey.objects.get().prefix
    admin.post(f"/settings/keys/{prefix}/revoke/")
    with pytest.raises(UnknownKey):
        authenticate(secret, "ingest:write")
    assert last_entry().verb == "key.revoked"


def test_the_audit_knows_the_key_but_not_its_secret(admin):
    secret = issue(admin)
    entry = last_entry()
    assert entry.verb == "key.issued"
    assert secret not in f"{entry.detail} {entry.object_ref}"
    assert secret.rpartition("_")[2] not in f"{entry.detail} {entry.object_ref}"


@pytest.mark.parametrize(
    "changes", [{"scopes": []}, {"scopes": ["all"]}, {"name": ""}, {"days": "0"}]
)
def test_a_key_that_cannot_be_is_refused(admin, changes):
    response = admin.post("/settings/keys/issue/", {**NEW_KEY, **changes})
    assert response.status_code == 422
    assert not IngestKey.objects.exists()


def test_a_keys_name_is_shown_as_text_with_its_odd_characters_marked(admin):
    issue(admin, name="<b>gate\u202eway</b>")
    page = text_of(admin.get("/settings/keys/"))
    assert "&lt;b&gt;gate" in page
    assert "\u202e" not in page


# --- Webhook -------------------------------------------------------------------


ENDPOINT = {"name": "platform", "url": "https://203.0.113.9/hook"}


def set_endpoint(admin: Client, **changes) -> str:
    page = text_of(admin.post("/settings/endpoint/set/", {**ENDPOINT, **changes}))
    return found(r"whsec_[A-Za-z0-9+/=]+", page)


@pytest.fixture
def public_address(monkeypatch):
    """203.0.113.9 is kept for examples, so that no real host is named here."""
    monkeypatch.setattr(
        "investigations.actions.endpoints.check_address", lambda *_: None
    )


def test_the_secret_is_shown_once(admin, public_address):
    secret = set_endpoint(admin)
    page = text_of(admin.get("/settings/endpoint/"))
    assert ENDPOINT["url"] in page
    assert secret not in page
    assert secret not in str(last_entry().detail)


def test_a_new_secret_replaces_the_old_one(admin, public_address):
    first = set_endpoint(admin)
    page = text_of(admin.post("/settings/endpoint/rotate/"))
    assert found(r"whsec_[A-Za-z0-9+/=]+", page) != first
    assert "two secrets until" in page


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://user:pass@example.org/",
        "https://",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/",
        "https://[::1]/",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_may_not_be_used_is_refused_beside_its_field(admin, url):
    response = admin.post("/settings/endpoint/set/", {**ENDPOINT, "url": url})
    assert response.status_code == 422
    assert "errorlist" in text_of(response)
    assert not Endpoint.objects.exists()


def test_it_can_be_stopped(admin, public_address):
    set_endpoint(admin)
    admin.post("/settings/endpoint/stop/")
    assert "Decisions go nowhere yet" in text_of(admin.get("/settings/endpoint/"))


@contextmanager
def receiver(status: int):
    """A platform on this machine that answers every message alike."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["content-length"])
            got.append((dict(self.headers), self.rfile.read(length)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_test_message_is_signed_and_its_answer_is_told(admin, settings):
    settings.DEMO = True
    with receiver(204) as (url, got):
        secret = set_endpoint(admin, url=url)
        page = text_of(admin.post("/settings/endpoint/test/", follow=True))
    assert "accepted the signed test message" in page
    [(headers, body)] = got
    assert Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()})


def test_a_platform_that_refuses_the_test_message_is_quoted(admin, settings):
    settings.DEMO = True
    with receiver(401) as (url, _):
        set_endpoint(admin, url=url)
        page = text_of(admin.post("/settings/endpoint/test/", follow=True))
    assert "Answered 401" in page


def test_without_an_address_a_test_says_what_is_missing(admin):
    response = admin.post("/settings/endpoint/test/")
    assert response.status_code == 400
    assert "No endpoint is set" in text_of(response)
