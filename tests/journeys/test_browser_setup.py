"""Setting an empty installation up in a real browser, and coming in by a passkey."""

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from dashboard import sign_in
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEW_PASSWORD = "tall grey harbour 7"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def no_earlier_attempts(db):
    cache.clear()


def test_ada_invites_eli_who_comes_in_and_chooses_a_password(at_work, ada):
    hers = at_work(ada)
    page = hers.page
    page.goto("/settings/people/")
    page.get_by_label("User name").fill("eli")
    page.get_by_label("Name", exact=True).fill("Eli Stone")
    page.get_by_role("button", name="Invite").click()
    shown = page.locator(".secret-value").inner_text()
    link = shown[shown.index("/sign-in/once/") :].strip()
    assert hers.rules_broken() == []

    page.context.clear_cookies()
    page.goto(link)
    expect(page.locator("h1")).to_have_text("Sign in as Eli Stone")
    assert hers.rules_broken() == []
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/auth/password/set/")
    for field in ("password1", "password2"):
        page.locator(f"[name={field}]").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set Password").click()

    page.context.clear_cookies()
    page.goto("/auth/login/")
    page.get_by_label("User name or e-mail").fill("eli")
    page.get_by_label("Password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("header")).to_contain_text("Eli Stone")
    assert hers.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/settings/people/",
        "/settings/keys/",
        "/settings/endpoint/",
        "/auth/2fa/",
        "/auth/password/change/",
    ],
)
def test_a_page_of_the_settings_breaks_no_rule_in_either_theme(
    at_work, ada, path, theme
):
    hers = at_work(ada, color_scheme=theme)
    hers.page.goto(path)
    assert hers.rules_broken() == []
    assert hers.complaints == []


def test_the_api_can_be_read_and_tried_under_the_strict_policy(at_work, vic):
    his = at_work(vic)
    page = his.page
    page.goto("/api/docs/")
    listed = page.locator("#operations-findings-list_accounts")
    listed.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    answer = listed.locator(".live-responses-table")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text("results")
    assert his.complaints == []


def test_leo_adds_a_passkey_and_comes_in_by_it(at_work, leo):
    his = at_work(leo)
    page = his.page
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto("/auth/2fa/webauthn/add/")
    # Looking after one's sign-in asks for the password again.
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.locator("h1")).to_contain_text("Recovery Codes")

    page.context.clear_cookies()
    page.goto("/auth/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("header")).to_contain_text("leo")
    assert his.complaints == []


def test_a_browser_without_a_passkey_is_told_what_passkeys_need(at_work, ana):
    hers = at_work(ana)
    hers.page.context.clear_cookies()
    hers.page.goto("/auth/login/")
    # What allauth's script raises when the browser gives none.
    hers.page.evaluate(
        "document.dispatchEvent(new CustomEvent('allauth.error', {cancelable: true}))"
    )
    expect(hers.page.locator("[data-passkey-failed]")).to_be_visible()


def test_a_link_opened_by_a_mail_scanner_still_works(at_work, mia):
    scanner, hers = at_work(mia), at_work(mia)
    link = sign_in.make_link(mia, hours=1)
    for visitor in (scanner, hers):
        visitor.page.context.clear_cookies()
        visitor.page.goto(link)
    hers.page.get_by_role("button", name="Sign in").click()
    expect(hers.page.locator("header")).to_contain_text("mia")
