"""Coming in: password, one-time link, lock-out, and how long it lasts."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client

from dashboard import sign_in
from dashboard.models import SignInLink
from investigations.models import AuditEntry
from tests.conftest import NOW, make_person

pytestmark = pytest.mark.django_db
LOGIN = "/auth/login/"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def no_earlier_attempts():
    cache.clear()


def try_password(client: Client, name: str, password: str = PASSWORD):
    return client.post(LOGIN, {"login": name, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/auth/2fa/").status_code == 200


def verbs() -> list[str]:
    return list(AuditEntry.objects.values_list("verb", flat=True))


# --- Password ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ana", "ana@stillwatch.example"])
def test_ana_comes_in_by_name_or_address_and_it_is_audited(ana, name):
    client = Client()
    assert try_password(client, name)["Location"] == "/"
    assert is_in(client)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.object_ref) == ("person.signed_in", "ana")
    assert entry.detail == {"methods": ["password"]}


def test_a_wrong_name_and_a_wrong_password_read_alike(ana):
    pages = [
        try_password(Client(), name, "wrong").content.decode()
        for name in ("ana", "bob")
    ]
    errors = [re.findall(r'<ul class="errorlist.*?</ul>', page) for page in pages]
    assert errors[0] == errors[1] != []


def test_five_wrong_passwords_lock_the_name_also_for_the_right_one(ana):
    for _ in range(5):
        try_password(Client(), "ana", "wrong")
    client = Client()
    assert "Too many" in try_password(client, "ana").content.decode()
    assert not is_in(client)


def test_ten_wrong_passwords_lock_the_address_for_every_name(ana, leo):
    for n in range(10):
        try_password(Client(), f"guess-{n}", "wrong")
    client = Client()
    try_password(client, "leo")
    assert not is_in(client)


def test_a_deactivated_person_stays_out(ana):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    client = Client()
    try_password(client, "ana")
    assert not is_in(client)


def test_the_session_has_a_new_key_after_sign_in(ana):
    client = Client()
    client.get(LOGIN)
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["stillwatch_session"] = str(session.session_key)
    try_password(client, "ana")
    assert client.session.session_key != session.session_key


def test_signing_out_ends_the_session_for_good(ana):
    client = Client()
    try_password(client, "ana")
    kept = client.cookies["stillwatch_session"].value
    client.post("/auth/logout/")
    client.cookies["stillwatch_session"] = kept
    assert not is_in(client)
    assert verbs() == ["person.signed_in", "person.signed_out"]


def test_nobody_can_sign_up():
    client = Client()
    page = client.get("/auth/signup/")
    assert "An admin can let you in" in page.content.decode()
    assert client.post("/auth/signup/", {"username": "x"}).status_code == 405
    assert not User.objects.exists()


# --- Second factor -------------------------------------------------------------


def test_after_the_password_a_second_factor_is_asked_for(ana):
    TOTP.activate(ana, generate_totp_secret())
    client = Client()
    response = try_password(client, "ana")
    assert response["Location"] == "/auth/2fa/authenticate/"
    assert not is_in(client)


def test_wrong_codes_are_limited(ana):
    TOTP.activate(ana, generate_totp_secret())
    client = Client()
    try_password(client, "ana")
    pages = [
        client.post("/auth/2fa/authenticate/", {"code": "000000"}).content.decode()
        for _ in range(6)
    ]
    assert "Too many" not in pages[0]
    assert "Too many" in pages[-1]


def test_a_link_does_not_get_around_the_second_factor(ana):
    TOTP.activate(ana, generate_totp_secret())
    client = Client()
    response = client.post(sign_in.make_link(ana, hours=1))
    assert response["Location"] == "/auth/2fa/authenticate/"
    assert not is_in(client)


# --- One-time links ------------------------------------------------------------


def test_looking_at_a_link_does_not_use_it_up(ana):
    link = sign_in.make_link(ana, hours=1)
    for _ in range(3):
        assert "Sign in as" in Client().get(link).content.decode()
    client = Client()
    client.post(link)
    assert is_in(client)


def test_a_link_works_once(ana):
    link = sign_in.make_link(ana, hours=1)
    assert Client().post(link).status_code == 302
    again = Client()
    assert again.post(link).status_code == 410
    assert again.get(link).status_code == 410
    assert not is_in(again)


def test_a_link_ends_with_its_time(ana):
    with time_machine.travel(NOW, tick=False) as clock:
        link = sign_in.make_link(ana, hours=1)
        clock.shift(3601)
        assert Client().post(link).status_code == 410


def test_a_newer_link_voids_the_older_one(ana):
    old, new = sign_in.make_link(ana, hours=1), sign_in.make_link(ana, hours=1)
    assert Client().post(old).status_code == 410
    assert Client().post(new).status_code == 302


def test_a_link_of_someone_who_left_is_void(ana):
    link = sign_in.make_link(ana, hours=1)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert Client().post(link).status_code == 410


def test_the_token_itself_is_not_kept(ana):
    token = sign_in.make_link(ana, hours=1).split("/")[-2]
    kept = SignInLink.objects.get()
    assert bytes(kept.token_sha256) == sign_in.digest(token)
    assert token not in str(vars(kept))


@pytest.mark.parametrize("token", ["x", "é", "a" * 5000, "' OR 1=1--"])
def test_a_made_up_link_is_refused(token):
    assert Client().post(f"/sign-in/once/{token}/").status_code == 410


def test_a_link_needs_the_pages_own_token(ana):
    client = Client(enforce_csrf_checks=True)
    assert client.post(sign_in.make_link(ana, hours=1)).status_code == 403
    assert not is_in(client)


def test_coming_in_by_a_link_is_audited_and_leads_to_a_password(ana, settings):
    settings.DEMO = False
    ana.set_unusable_password()
    ana.save()
    client = Client()
    response = client.post(sign_in.make_link(ana, hours=1))
    assert response["Location"] == "/auth/password/set/"
    assert AuditEntry.objects.get().detail == {"methods": ["link"]}
    chosen = {"password1": "tall grey harbour 7", "password2": "tall grey harbour 7"}
    client.post(response["Location"], chosen)
    ana.refresh_from_db()
    assert ana.check_password("tall grey harbour 7")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_use_one_link_at_once_one_comes_in():
    token = sign_in.make_link(make_person("ana", "analyst"), hours=1).split("/")[-2]

    def spend(_: int) -> bool:
        try:
            sign_in.spend_link(token)
        except sign_in.LinkSpent:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(spend, range(8))) == 1


# --- How long it lasts -----------------------------------------------------------


def travel_on(clock, client: Client, minutes: int, *, step: int) -> None:
    for _ in range(0, minutes, step):
        clock.shift(step * 60)
        client.get("/api/v1/accounts/")


def test_half_an_hour_without_use_ends_the_session(ana, settings):
    settings.SESSION_IDLE_SECONDS = 30 * 60
    with time_machine.travel(NOW, tick=False) as clock:
        client = Client()
        try_password(client, "ana")
        travel_on(clock, client, 120, step=20)
        assert is_in(client)
        clock.shift(31 * 60)
        response = client.get("/auth/2fa/")
        assert response["Location"] == "/auth/login/?next=/auth/2fa/"


def test_twelve_hours_end_the_session_however_much_it_is_used(ana, settings):
    settings.SESSION_IDLE_SECONDS = 30 * 60
    with time_machine.travel(NOW, tick=False) as clock:
        client = Client()
        try_password(client, "ana")
        travel_on(clock, client, 12 * 60 - 20, step=20)
        assert is_in(client)
        travel_on(clock, client, 40, step=20)
        assert not is_in(client)


def test_an_ended_session_reads_no_findings(ana, settings):
    settings.SESSION_IDLE_SECONDS = 30 * 60
    with time_machine.travel(NOW, tick=False) as clock:
        client = Client()
        try_password(client, "ana")
        client.get("/api/v1/accounts/")
        clock.shift(31 * 60)
        assert client.get("/api/v1/accounts/").status_code == 401
