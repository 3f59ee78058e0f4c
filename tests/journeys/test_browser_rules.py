"""Rules in a real browser: Leo drafts, Lia publishes, and the scores follow."""

import pytest
from playwright.sync_api import expect

from investigations.detection import backtesting, pipeline, selectors
from tests.conftest import make_person
from tests.detection.facts import ATTACKERS, NOW, take_in, telemetry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WHY = "A pool of twelve is too small to be called a campaign here."


@pytest.fixture
def town(db):
    take_in(telemetry())
    pipeline.run(as_of=NOW)


@pytest.fixture
def lia(db):
    return make_person("lia", "lead")


def test_leo_drafts_and_tries_lia_publishes_and_the_scores_follow(
    at_work, town, leo, lia
):
    cluster = selectors.hot_clusters().get()
    his = at_work(leo)
    page = his.page
    page.goto("/")
    page.get_by_role("link", name="Rules").click()
    page.get_by_label("Reason").fill(WHY)
    page.get_by_role("button", name="Begin the draft").click()
    page.get_by_label("Fewest customers of a cluster").fill("2")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("alert").first).to_contain_text("what is wrong is said")
    expect(page.locator("main")).to_contain_text("write a number from 3 to 1,000")
    assert his.rules_broken() == []
    page.get_by_label("Fewest customers of a cluster").fill("100")
    page.get_by_role("button", name="Save the draft").click()
    changes = page.locator(".table-box", has_text="Here").first
    expect(changes).to_contain_text("Fewest customers of a cluster")
    expect(changes).to_contain_text("100")

    page.get_by_label("Last day").fill(NOW.date().isoformat())
    page.get_by_label("Looks").fill("1")
    page.get_by_role("button", name="Run the backtest").click()
    expect(page.locator("#trial")).to_contain_text("0 of 1 days looked at")
    backtesting.work_off()
    missed = page.locator("details", has_text="the live rules catch and these miss")
    expect(missed.first).to_contain_text(f"CL-{cluster.pk}, {len(ATTACKERS)} accounts")
    assert his.rules_broken() == []
    page.get_by_role("navigation", name="Breadcrumbs").get_by_text("R-1").click()
    page.get_by_role("button", name="Propose").click()
    expect(page.locator("main")).to_contain_text("another lead must publish it")
    assert page.get_by_role("button", name="Publish").count() == 0
    pipeline.run(as_of=NOW)
    page.reload()
    expect(page.locator("#tried")).to_contain_text("1 run")

    hers = at_work(lia)
    page = hers.page
    page.goto("/settings/rules/")
    page.get_by_role("link", name="R-1").click()
    page.get_by_label("Why you agree").fill(WHY)
    assert hers.rules_broken() == []
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("h1 + *")).to_contain_text("live")
    pipeline.run(as_of=NOW)

    page.goto(f"/clusters/CL-{cluster.pk}/")
    expect(page.locator("main")).to_contain_text("insufficient evidence")
    assert not selectors.hot_clusters().exists()
    # The browser itself notes the answer to the form that could not be saved.
    assert [each for each in his.complaints if "422" not in each] == []
    assert hers.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_rules_break_no_rule_of_access_in_either_theme(at_work, leo, theme):
    his = at_work(leo, color_scheme=theme)
    his.page.goto("/settings/rules/")
    assert his.rules_broken() == []
    his.page.get_by_label("Reason").fill(WHY)
    his.page.get_by_role("button", name="Begin the draft").click()
    assert his.rules_broken() == []
    assert his.complaints == []
