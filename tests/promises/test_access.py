"""Every address × every role: nobody gets further than the table in routes.py says."""

from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from itertools import product
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.conftest import make_person
from tests.promises import world
from tests.promises.routes import ANONYMOUS, ROLES, TABLE, Route, nobody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings, tmp_path):
    # With the demo on, its addresses exist too and are walked with the rest.
    settings.DEMO = True
    settings.VAR = tmp_path


@pytest.fixture
def staff(db):
    return world.people()


@pytest.fixture
def clients(staff) -> dict[str, Client]:
    """Signed in a moment ago, so that no session need be noted anew."""
    found = {ANONYMOUS: Client()}
    for role, user in staff.items():
        found[role] = Client()
        found[role].force_login(user)
    for client in found.values():
        client.get("/api/v1/accounts/")
    return found


@pytest.fixture
def things(staff) -> dict[str, str]:
    return world.things(staff)


def address(route: Route, things: dict[str, str]) -> str:
    filled = {name: value.format(**things) for name, value in route.fill.items()}
    return reverse(route.name, kwargs=filled)


def names(patterns, namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns, pattern.namespace or namespace)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}:{pattern.name}" if namespace else str(pattern.name)


def outcome(response: Any) -> str:
    status, target = response.status_code, response.get("Location", "")
    if target.startswith("/auth/login/?next="):
        return "sent to sign in"
    refusals = {401: "asked for a key", 403: "refused", 405: "no such method"}
    if status >= 500:
        return "broken"
    return refusals.get(status, "may")


def expected(route: Route, method: str, who: str) -> str:
    allowed = route.get if method == "get" else route.post
    if route.key_only:
        return "asked for a key" if method == route.key_only else "no such method"
    if who in allowed:
        return "may"
    if who == ANONYMOUS and ANONYMOUS not in route.get | route.post:
        return "asked for a key" if route.machine else "sent to sign in"
    return "no such method" if allowed == nobody else "refused"


def is_allauth(route: Route) -> bool:
    return route.name.startswith(("account_", "mfa_", "sign_in_"))


def tried(
    client: Client, method: str, path: str, form: dict[str, str] | None = None
) -> Any:
    """What the client is answered; whatever it changed is undone."""
    undo, cookies = transaction.savepoint(), SimpleCookie(client.cookies)
    try:
        return getattr(client, method)(path, form)
    finally:
        transaction.savepoint_rollback(undo)
        client.cookies = cookies


def listed(wrong: Mapping[Any, object]) -> str:
    return "\n".join(f"{where}: {what}" for where, what in wrong.items())


# --- The table -------------------------------------------------------------------


def test_every_route_has_its_row_and_every_row_its_route():
    routed, listed = set(names(get_resolver().url_patterns)), [r.name for r in TABLE]
    assert len(listed) == len(set(listed))
    assert routed - set(listed) == set(), "Add these routes to tests/promises/routes.py"
    assert set(listed) - routed == set(), "These rows have no route"


def test_nobody_gets_further_than_the_table_says(clients, things):
    wrong = {}
    for route, method, who in product(TABLE, ("get", "post"), (ANONYMOUS, *ROLES)):
        found = outcome(tried(clients[who], method, address(route, things)))
        if found != (wanted := expected(route, method, who)):
            wrong[route.name, method, who] = f"{found}, not {wanted}"
    assert not wrong, listed(wrong)


def test_who_left_gets_as_far_as_anyone_off_the_street(things):
    left = make_person("ina", "admin")
    client = Client()
    client.force_login(left)
    left.is_active = False
    left.save()
    wrong = {}
    for route, method in product(TABLE, ("get", "post")):
        found = outcome(tried(client, method, address(route, things)))
        if found != (wanted := expected(route, method, ANONYMOUS)):
            wrong[route.name, method] = f"{found}, not {wanted}"
    assert not wrong, listed(wrong)


def test_without_a_role_one_may_look_after_ones_own_sign_in_and_no_more(things):
    nobody_yet = make_person("rob", "admin")
    nobody_yet.groups.clear()
    client = Client()
    client.force_login(nobody_yet)
    wrong = {}
    for route, method in product(TABLE, ("get", "post")):
        found = outcome(tried(client, method, address(route, things)))
        allowed = route.get if method == "get" else route.post
        if found == "may" and ANONYMOUS not in allowed and not is_allauth(route):
            wrong[route.name, method] = found
    assert not wrong, listed(wrong)


def test_no_other_method_changes_anything(clients, things):
    closed = {"no such method", "refused", "asked for a key"}
    wrong = {}
    for route, method in product(TABLE, ("put", "patch", "delete")):
        if not is_allauth(route):
            found = outcome(tried(clients["admin"], method, address(route, things)))
            if found not in closed:
                wrong[route.name, method] = found
    assert not wrong, listed(wrong)


# --- Forged and unwanted requests --------------------------------------------------


def test_a_post_without_the_forms_token_changes_nothing_and_keeps_the_text(
    staff, things
):
    wrong = {}
    for route in TABLE:
        if route.machine or not route.post:
            continue
        client = Client(enforce_csrf_checks=True)
        client.force_login(staff[sorted(route.post - {ANONYMOUS})[0]])
        response = tried(client, "post", address(route, things), {"text": "kept text"})
        if response.status_code != 403 or b"kept text" not in response.content:
            wrong[route.name] = response.status_code
    assert not wrong, listed(wrong)


def test_a_get_writes_nothing(clients, things):
    for route in TABLE:
        for who in sorted(route.get & {ANONYMOUS, "lead", "admin"}):
            undo = transaction.savepoint()
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL transaction_read_only = on")
            clients[who].get(address(route, things))
            transaction.savepoint_rollback(undo)


# --- What comes with every answer ---------------------------------------------------


EXPECTED_HEADERS = {
    "Content-Security-Policy": "",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=()",
    "X-Request-ID": "",
}


def assert_headers(response: Any) -> None:
    for name, start in EXPECTED_HEADERS.items():
        assert response.get(name, "absent").startswith(start), name
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-" not in policy
    assert "frame-ancestors 'none'" in policy


def test_every_answer_carries_its_headers(clients, things):
    for route, who in product(TABLE, (ANONYMOUS, "viewer", "admin")):
        response = tried(clients[who], "get", address(route, things))
        assert_headers(response)
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere/", 404), ("/api/v1/nowhere", 404), ("/%00", 400), ("/static/x", 404)],
)
def test_refusals_carry_them_too(path, status):
    response = Client().get(path)
    assert response.status_code == status
    assert_headers(response)


def test_files_carry_them_too():
    response = Client().get("/static/css/tokens.css")
    assert response.status_code == 200
    assert_headers(response)
    response.close()


def test_an_answer_to_a_host_we_are_not_is_refused():
    response = Client().get("/health/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert_headers(response)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0123abcd-trace.7", True),
        ("short", False),
        ("x" * 65, False),
        ("<script>alert(1)</script>", False),
        ("line\\nbreak-line-break", False),
    ],
)
def test_a_callers_request_id_comes_back_if_it_is_harmless(sent, kept):
    response = Client().get("/health/", headers={"X-Request-ID": sent})
    assert (response["X-Request-ID"] == sent) is kept


def test_a_problem_names_the_request():
    response = Client().get("/api/v1/accounts/")
    assert response.json()["instance"].endswith(response["X-Request-ID"])


def test_cookies_cannot_be_read_by_scripts_nor_sent_from_other_sites(ana):
    client = Client()
    client.get("/auth/login/")
    client.post(
        "/auth/login/", {"login": "ana", "password": "correct horse battery staple"}
    )
    assert len(client.cookies) >= 2
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
