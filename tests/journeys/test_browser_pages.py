"""Every page for reading, in a real browser: drawn, accessible, without complaint."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from ingest.doors.inbox import Origin, accept
from ingest.drain.writers import store_pending
from ingest.models import QuarantinedLine, Source
from ingest.senders.keys import issue_key
from investigations.actions.cases import open_case
from investigations.detection.models import Cluster
from investigations.models import AuditEntry
from investigations.reports import weekly
from tests.dashboard.case_scenes import campaign
from tests.ingest.records import a_request, ndjson

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WHY = "Thirty accounts share one card, one tool set and one private template."
SIZES = ((1440, 900), (1024, 768))


@pytest.fixture
def cluster(ana) -> Cluster:
    """A cluster with a case, of which an account has a name to hide."""
    found = campaign(30)
    account = found.memberships.all()[0].account
    account.display_name = "Maria Lindqvist"
    account.save()
    open_case(cluster=found, by=ana)
    return found


@pytest.fixture
def line(db) -> QuarantinedLine:
    source = Source.objects.create(name="gateway")
    key, _ = issue_key(source=source, name="edge-1", scopes=["ingest:write"])
    now = timezone.now().isoformat()
    body = ndjson([a_request(occurred_at=now), "{}"])
    accept([body], Origin(source=source, key=key))
    store_pending()
    return QuarantinedLine.objects.get()


def account_url(cluster: Cluster) -> str:
    return f"/accounts/{cluster.memberships.all()[0].account.external_id}/"


def looked_through(page: Page) -> None:
    """Scrolled past everything, so that what waits to be seen is drawn."""
    for waiting in page.locator("[data-chart], [data-graph]").all():
        waiting.scroll_into_view_if_needed()
        expect(waiting).to_have_attribute("data-state", "drawn")


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways; charts follow a moment later."""
    for _ in range(50):
        if page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            return True
        page.wait_for_timeout(100)
    return False


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_drawn_accessible_and_fits(
    at_work, leo, mia, cluster, line, theme
):
    last = (timezone.now() - timedelta(days=7)).date()
    weekly.freeze_week(week=last, by=mia)
    his = at_work(leo, color_scheme=theme)
    year, week, _ = last.isocalendar()
    for path in (
        "/",
        "/clusters/",
        f"/clusters/{cluster.ref}/",
        f"/clusters/{cluster.ref}/evidence/shared_payment/",
        "/accounts/",
        account_url(cluster),
        "/reports/",
        f"/reports/{year}-W{week:02}/",
        "/ingest/",
        "/ingest/quarantine/",
        f"/ingest/quarantine/{line.pk}/",
        "/search/?q=acct_",
        "/search/",
        "/clusters/?band=none",
    ):
        his.page.goto(path)
        for width, height in SIZES:
            his.page.set_viewport_size({"width": width, "height": height})
            assert fits(his.page), f"{path} is wider than {width} pixels"
        looked_through(his.page)
        assert (path, his.rules_broken(), his.complaints) == (path, [], [])


def test_aud_reads_the_log(at_work, aud, cluster):
    hers = at_work(aud)
    hers.page.goto("/audit/")
    hers.page.get_by_text("Details").first.click()
    assert hers.rules_broken() == []
    hers.page.get_by_role("link", name="C-").first.click()
    expect(hers.page.locator("h1")).to_contain_text("30 accounts")
    assert hers.complaints == []


def test_ana_goes_from_cluster_to_account_by_keyboard_and_reveals(
    at_work, ana, cluster
):
    hers = at_work(ana)
    page, press = hers.page, hers.page.keyboard.press
    page.goto("/")
    press("g")
    press("c")
    expect(page.locator("h1")).to_have_text("Clusters")
    press("j")
    press("Enter")
    expect(page.locator("h1")).to_have_text(cluster.ref)
    page.goto(account_url(cluster))
    assert "Maria Lindqvist" not in page.content()
    page.get_by_text("Show private values").click()
    page.get_by_label("Why you need to see it").fill(WHY)
    page.get_by_role("button", name="Show and record it").click()
    expect(page.get_by_text("Maria Lindqvist")).to_be_visible()
    assert hers.rules_broken() == hers.complaints == []
    assert AuditEntry.objects.get(verb="account.revealed").reason == WHY


def test_choosing_a_square_of_the_map_lights_up_its_row(at_work, vic, cluster):
    his = at_work(vic)
    his.page.goto(f"/clusters/{cluster.ref}/")
    his.page.locator("#map").scroll_into_view_if_needed()
    expect(his.page.locator("#map")).to_have_attribute("data-state", "drawn")
    row = his.page.locator("#cluster-lists tr[data-node^=i]").first
    row.locator("td").first.click()
    expect(row).to_have_class("is-selected")
    assert his.complaints == []


def test_the_rows_behind_a_reason_open_over_the_page(at_work, vic, cluster):
    his = at_work(vic)
    his.page.goto(f"/clusters/{cluster.ref}/")
    his.page.get_by_role("link", name="rows behind shared_payment").click()
    dialog = his.page.get_by_role("dialog", name="Rows behind a reason")
    expect(dialog).to_contain_text("Payment instrument")
    assert his.rules_broken() == []
    his.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(his.page.locator("h1")).to_have_text(cluster.ref)
    assert his.complaints == []


def test_mia_prints_the_week(at_work, mia):
    hers = at_work(mia)
    hers.page.goto("/reports/")
    hers.page.get_by_role("link", name="Last full week").click()
    expect(hers.page.get_by_role("button", name="Print")).to_be_visible()
    hers.page.emulate_media(media="print")
    expect(hers.page.locator("nav.side")).to_be_hidden()
    expect(hers.page.get_by_role("button", name="Print")).to_be_hidden()
    expect(hers.page.locator("h1")).to_be_visible()
    assert hers.complaints == []
