"""setup_demo, setup_first_admin and signin_link: letting the first people in."""

import json
import stat
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard import demo_platform
from ingest.models import IngestKey
from ingest.senders.keys import authenticate
from investigations import access
from investigations.models import AuditEntry, Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings, tmp_path):
    settings.DEMO = True
    settings.VAR = tmp_path
    settings.BASE_URL = "http://127.0.0.1:8123"
    return tmp_path


def run(command: str, *args: str):
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue().strip()


def people() -> dict[str, dict[str, str]]:
    found = json.loads(run("setup_demo", "--json"))["people"]
    return {person["username"]: person for person in found}


def test_every_role_of_the_demo_has_a_person_with_a_link_that_works(demo):
    invited = people()
    assert {p["role"] for p in invited.values()} == set(access.ROLES)
    for person in invited.values():
        client = Client()
        assert client.post(person["link"]).status_code == 302
        assert (
            access.role_of(User.objects.get(pk=client.session["_auth_user_id"]))
            == (person["role"])
        )


def test_a_second_start_gives_new_links_and_nothing_else(demo):
    first = people()
    key = (demo / "demo-ingest.key").read_text()
    secret = demo_platform.secret_file().read_text()
    second = people()
    assert first["ana"]["link"] != second["ana"]["link"]
    assert Client().post(first["ana"]["link"]).status_code == 410
    assert (demo / "demo-ingest.key").read_text() == key
    assert demo_platform.secret_file().read_text() == secret
    assert (User.objects.count(), IngestKey.objects.count()) == (7, 1)


def test_the_key_is_for_this_user_alone_and_opens_the_door(demo):
    people()
    path = demo / "demo-ingest.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert authenticate(path.read_text().strip(), "ingest:write")


def test_a_key_that_stopped_working_is_replaced(demo):
    (demo / "demo-ingest.key").write_text("sw_old_key\n")
    people()
    assert authenticate((demo / "demo-ingest.key").read_text().strip(), "read")


def test_decisions_go_to_the_pretend_platform_which_knows_the_secret(demo):
    people()
    endpoint = Endpoint.objects.get(active=True)
    assert endpoint.url == "http://127.0.0.1:8123/demo/platform/effects"
    assert stat.S_IMODE(demo_platform.secret_file().stat().st_mode) == 0o600
    assert len(demo_platform.signing_keys()) == 1


def test_another_port_moves_the_endpoint(demo, settings):
    people()
    settings.BASE_URL = "http://127.0.0.1:9000"
    people()
    assert Endpoint.objects.get(active=True).url.startswith("http://127.0.0.1:9000/")


def test_a_real_installation_is_not_turned_into_a_demo(demo, settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="STILLWATCH_DEMO=1"):
        run("setup_demo")
    assert not User.objects.exists()


def first_link() -> Any:
    return json.loads(run("setup_first_admin", "--json"))["link"]


def test_the_first_admin_comes_in_by_a_link(settings):
    settings.DEMO = False
    client = Client()
    client.post(first_link())
    admin = User.objects.get(pk=client.session["_auth_user_id"])
    assert access.can(admin, access.MANAGE)


def test_until_the_first_admin_has_a_password_each_start_gives_a_new_link():
    first = first_link()
    Client().post(first)
    assert first_link() not in (None, first)


def test_no_link_is_made_once_the_first_admin_has_a_password():
    first_link()
    admin = User.objects.get(username="admin")
    admin.set_password("tall grey harbour 7")
    admin.save()
    assert first_link() is None


def test_no_first_admin_is_made_where_another_admin_works(ada):
    Client().force_login(ada)
    assert first_link() is None
    assert not User.objects.filter(username="admin").exists()


def test_an_operator_can_print_a_link_and_it_is_audited(ana, settings):
    link = run("signin_link", "ana")
    assert link.startswith(f"{settings.BASE_URL}/sign-in/once/")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.object_ref) == ("person.link_made", "ana")


@pytest.mark.parametrize("name", ["nobody", "stillwatch"])
def test_a_link_for_nobody_says_who_there_is(ana, name):
    access.system_account()
    with pytest.raises(CommandError, match="There are: ana"):
        run("signin_link", name)


def test_all_roles_exist_after_the_setup(demo):
    people()
    assert set(Group.objects.values_list("name", flat=True)) >= set(access.ROLES)
