"""The main job in a real browser: Ana finds a campaign, two people ban it."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from investigations import access
from investigations.actions.cases import assign_case, open_case
from investigations.actions.endpoints import set_endpoint
from investigations.delivery import deliver_pending
from investigations.models import Case, Decision, Note
from tests.conftest import PASSWORD
from tests.dashboard.case_scenes import campaign
from tests.investigations.receiver import listening

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WHY = "Thirty accounts share one card, one tool set and one private template."


@pytest.fixture
def cases(ana, leo) -> list[Case]:
    """A small case and a large one; the large one costs more a day."""
    by = access.system_account()
    return [
        open_case(cluster=campaign(size, seed=size, proposed=1), by=by)
        for size in (6, 30)
    ]


@pytest.fixture
def receiver(settings, ada):
    settings.DEMO = True
    with listening() as running:
        set_endpoint(url=running.url, by=ada, name="platform")
        yield running


def test_ana_bans_a_campaign_by_keyboard_and_leo_signs(
    at_work, cases, ana, leo, receiver
):
    hers = at_work(ana)
    page, press = hers.page, hers.page.keyboard.press
    page.goto("/cases/")
    press("j")
    expect(page.locator(f"#open-{cases[1].ref}")).to_be_focused()
    press("a")
    row = page.locator(f"#row-{cases[1].ref}")
    expect(row).to_contain_text("in review")
    # The queue was redrawn under her hands and she is still where she was.
    expect(page.locator(f"#open-{cases[1].ref}")).to_be_focused()
    assert hers.rules_broken() == []

    press("Enter")
    expect(page.locator("h1")).to_have_text("Distillation campaign of 30 accounts")
    page.locator("#activity").scroll_into_view_if_needed()
    expect(page.locator("#chart-days [data-chart]")).to_have_attribute(
        "data-state", "drawn"
    )
    page.locator("#ties").scroll_into_view_if_needed()
    expect(page.locator("#map")).to_have_attribute("data-state", "drawn")

    press("d")
    press("Space")
    expect(page.locator(".preview-count")).to_have_text(
        re.compile("30 accounts to ban")
    )
    assert hers.rules_broken() == []
    page.select_option("#ground", "model_distillation")
    page.fill("#reason", WHY)
    page.locator("h1").click()
    press("b")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.locator("#decision-box")).to_contain_text("Waiting for a second person")
    expect(page.locator("#case-head")).to_contain_text("awaiting approval")
    assert deliver_pending() == 0

    his = at_work(leo)
    his.page.goto("/approvals/")
    his.page.get_by_role("link", name="Look and answer").click()
    expect(his.page.locator("h1")).to_have_text("Ban 30 accounts")
    assert his.rules_broken() == []
    his.page.get_by_role("button", name="Approve…").click()
    his.page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(his.page.locator("#decision-box")).to_contain_text("30 waiting")

    assert deliver_pending() == 30
    # Ana's page, still open, learns of it by itself.
    box = page.locator("#decision-box")
    expect(box).to_contain_text("30 of 30 delivered", timeout=15_000)
    assert {what for _, what in receiver.applied.values()} == {"ban"}
    assert hers.rules_broken() == his.rules_broken() == []
    assert hers.complaints == his.complaints == []


def test_rows_picked_on_two_pages_of_the_table_are_decided_together(at_work, ana):
    case = open_case(cluster=campaign(70), by=ana)
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{case.ref}/")
    boxes = page.locator("#members tbody input")
    boxes.nth(1).check()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("[data-picked-count]")).to_have_text("4")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#members .pager")).to_contain_text("20 of 70")
    page.locator("#members tbody input").nth(0).check()
    expect(page.locator("[data-picked-count]")).to_have_text("5")
    page.get_by_role("radio", name="Restrict").check()
    expect(page.locator(".preview-count")).to_contain_text("5 accounts to restrict")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("#members tbody input:checked")).to_have_count(4)
    page.select_option("#ground", "model_distillation")
    page.fill("#reason", WHY)
    page.get_by_role("button", name="Restrict 5 accounts…").click()
    page.get_by_role("dialog").get_by_role("button", name="Restrict").click()
    expect(page.locator("#decision-box")).to_contain_text("5 waiting")
    assert Decision.objects.get().target_list.count == 5
    assert hers.complaints == []


def test_everyone_who_matches_is_taken_in_two_clicks(at_work, ana):
    case = open_case(cluster=campaign(70), by=ana)
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{case.ref}/")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Select all 70").click()
    expect(page.locator("[data-picked-count]")).to_have_text("70")
    page.get_by_role("radio", name="Clear").check()
    expect(page.locator(".preview-count")).to_contain_text("70 accounts to clear")
    assert hers.complaints == []


def test_anas_words_survive_a_colleague_who_was_faster(at_work, ana, leo, cases):
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{cases[0].ref}/")
    page.get_by_role("radio", name="Ban").check()
    expect(page.locator(".preview-count")).to_contain_text("6 accounts to ban")
    page.select_option("#ground", "model_distillation")
    page.fill("#reason", WHY)
    assign_case(case=cases[0], to=leo, by=leo)
    page.get_by_role("button", name="Ban 6 accounts…").click()
    page.get_by_role("dialog").get_by_role("button", name="Ban").click()
    alert = page.locator("#decision-box [role=alert]")
    expect(alert).to_contain_text("was changed since you opened it")
    expect(alert).to_contain_text("leo: assigned")
    expect(page.locator("#reason")).to_have_value(WHY)
    page.get_by_role("button", name="Ban 6 accounts…").click()
    page.get_by_role("dialog").get_by_role("button", name="Ban").click()
    expect(page.locator("#decision-box")).to_contain_text("6 waiting")


def test_a_note_lands_in_the_history_and_leaves_the_decision_as_it_was(
    at_work, ana, cases
):
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{cases[0].ref}/")
    page.fill("#reason", "Half a sentence about")
    page.locator("h1").click()
    page.keyboard.press("n")
    page.keyboard.type("The card is a corporate one.")
    page.get_by_role("button", name="Add note").click()
    history = page.locator("#history-lines")
    expect(history).to_contain_text("The card is a corporate one.")
    expect(page.locator("#note-text")).to_have_value("")
    expect(page.locator("#reason")).to_have_value("Half a sentence about")
    assert Note.objects.count() == 1
    assert hers.complaints == []


def test_a_dialog_stays_open_with_what_is_wrong_and_closes_when_it_is_done(
    at_work, ana, cases
):
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{cases[0].ref}/")
    page.keyboard.press("e")
    dialog = page.locator("#verb")
    dialog.get_by_role("textbox").fill("asdf")
    dialog.get_by_role("button", name="Escalate").click()
    expect(dialog).to_contain_text("at least 20 characters")
    expect(dialog.get_by_role("textbox")).to_have_value("asdf")
    dialog.get_by_role("textbox").fill("Half of it looks like a reseller's customers.")
    dialog.get_by_role("button", name="Escalate").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#case-head")).to_contain_text("escalated")
    expect(page.locator("#decision-box")).to_contain_text("a lead decides it")


def test_a_reason_opens_its_rows_over_the_page(at_work, ana, cases):
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{cases[0].ref}/")
    page.locator(".reason-meta a").first.click()
    dialog = page.locator("#rows")
    expect(dialog).to_contain_text("Private template")
    expect(dialog.locator("tbody tr").first).to_be_visible()
    assert page.url.endswith(f"/cases/{cases[0].ref}/")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert hers.complaints == []


def test_templates_are_revealed_in_place(at_work, ana, cases):
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{cases[0].ref}/")
    page.get_by_role("link", name="Reveal…").click()
    dialog = page.locator("#verb")
    dialog.get_by_role("textbox").fill("Comparing it with the campaign of last month.")
    dialog.get_by_role("button", name="Reveal").click()
    expect(page.locator("#templates")).to_contain_text("You are grading an answer.")
    expect(dialog).to_be_hidden()
    expect(page.locator("#history-lines")).to_contain_text("revealed the templates")
    assert hers.rules_broken() == []
    assert hers.complaints == []


def test_what_an_attacker_typed_stays_text_in_chart_map_and_page(at_work, ana):
    evil = "<img src=x onerror=alert(1)>'\"{{7*7}}"
    cluster = campaign(5)
    account = cluster.memberships.all()[0].account
    type(account).objects.filter(pk=account.pk).update(external_id=evil)
    cluster.innocent_explanation = cluster.reasons[0]["sentence"] = evil
    cluster.save()
    cluster.hours.update(by_model={evil: 3})
    case = open_case(cluster=cluster, by=ana, title=evil)
    hers = at_work(ana)
    hers.page.on("dialog", lambda dialog: hers.complaints.append("a dialog opened"))
    hers.page.goto(f"/cases/{case.ref}/")
    expect(hers.page.locator("h1")).to_have_text(evil)
    expect(hers.page.locator("#chart-days [data-chart]")).to_have_attribute(
        "data-state", "drawn"
    )
    expect(hers.page.locator("#map")).to_have_attribute("data-state", "drawn")
    assert hers.page.locator("img").count() == 0
    assert hers.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024])
def test_the_pages_of_judgement_break_no_rule_of_access(
    at_work, ana, cases, scheme, width
):
    viewport = {"width": width, "height": 900}
    hers = at_work(ana, color_scheme=scheme, viewport=viewport)
    for path in ("/cases/", f"/cases/{cases[1].ref}/", "/approvals/"):
        hers.page.goto(path)
        hers.page.wait_for_load_state("networkidle")
        assert hers.rules_broken() == [], path
        overflow = "document.documentElement.scrollWidth - innerWidth"
        assert hers.page.evaluate(overflow) <= 0, path
    assert hers.complaints == []


def test_ana_who_was_signed_out_signs_in_beside_the_page_and_goes_on(
    at_work, ana, cases
):
    hers = at_work(ana)
    page = hers.page
    page.goto(f"/cases/{cases[0].ref}/")
    page.get_by_role("radio", name="Clear").check()
    page.select_option("#ground", "not_enough_evidence")
    page.fill("#reason", WHY)
    Session.objects.all().delete()
    page.keyboard.press("Tab")
    notice = page.locator("[data-signed-out]")
    expect(notice).to_be_visible(timeout=20_000)
    expect(page.locator("#reason")).to_have_value(WHY)

    beside = page.context.new_page()
    beside.goto("/auth/login/")
    beside.locator("input[name=login]").fill("ana")
    beside.locator("input[name=password]").fill(PASSWORD)
    beside.keyboard.press("Enter")
    beside.wait_for_url(lambda url: "login" not in url)
    expect(notice).to_be_hidden(timeout=20_000)
    page.get_by_role("button", name="Clear 6 accounts…").click()
    page.get_by_role("dialog").get_by_role("button", name="Clear").click()
    expect(page.locator("#case-head")).to_contain_text("decided")
    assert Decision.objects.get().reason == WHY
