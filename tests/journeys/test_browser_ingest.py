"""Watching over ingest in a real browser: every state of its pages, and mending."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from ingest.doors.inbox import Origin, accept
from ingest.doors.refusals import counts
from ingest.drain.writers import store_pending
from ingest.mending import replay_runs
from ingest.mending.fixing import Fix
from ingest.mending.kept_lines import Matching
from ingest.models import Batch, Event, QuarantinedLine, Source
from ingest.senders.keys import issue_key
from tests.ingest.records import a_request, ndjson
from tests.investigations.scenes import WHY
from tests.journeys.test_browser_pages import SIZES, fits, looked_through

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sent(origin: Origin, *records: object) -> Batch:
    return accept([ndjson(records)], origin)  # type: ignore[arg-type]  # bad on purpose


def a_line(**told: object) -> dict[str, object]:
    return a_request(occurred_at=timezone.now().isoformat(), **told)


@pytest.fixture
def trouble(db) -> Batch:
    """Bad lines, a conflict, unknown fields, refused requests and a parked batch."""
    source = Source.objects.create(name="gateway <b>eu</b> " + "x" * 60)
    key, _ = issue_key(
        source=source, name="edge-1 " + "y" * 60, scopes=["ingest:write"]
    )
    origin = Origin(source=source, key=key)
    nameless = [a_line(event_id=f"n{n}", engine="nova-2") for n in range(60)]
    for each in nameless:
        del each["model"]
    good = a_line(event_id="good", region="eu", trace="x" * 10)
    sent(origin, good, {**good, "turn": 7}, "no JSON \u202e at all", *nameless)
    store_pending()
    counts.add(key.pk, "quota_exceeded", 429, 123_456)
    counts.add(key.pk, "idempotency_key_reused", 422, 123_456)
    counts.add(None, "unknown_key", 401, 12)
    parked = sent(origin, a_line(event_id="stuck"))
    Batch.objects.filter(pk=parked.pk).update(
        state="parked", attempts=3, error="ValueError: " + "z" * 200
    )
    sent(origin, a_line(event_id="waits"))
    Batch.objects.filter(accepted__gt=0).update(skewed=1_234)
    return parked


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_state_is_drawn_accessible_and_fits(at_work, leo, trouble, theme):
    his = at_work(leo, color_scheme=theme)
    line = QuarantinedLine.objects.earliest("pk")
    run = replay_runs.start(
        Matching(code="missing_field"),
        Fix("rename", "engine", "model"),
        asked_by="leo",
        reason=WHY,
    )
    for path in (
        "/ingest/",
        "/ingest/?key=none",
        f"/ingest/batches/{trouble.batch_id}/",
        "/ingest/quarantine/",
        "/ingest/quarantine/?code=missing_field",
        f"/ingest/quarantine/{line.pk}/",
        "/ingest/quarantine/replay/?code=missing_field&kind=rename&name=engine&value=model",
        f"/ingest/quarantine/replays/{run.pk}/",
    ):
        his.page.goto(path)
        for width, height in SIZES:
            his.page.set_viewport_size({"width": width, "height": height})
            assert fits(his.page), f"{path} is wider than {width} pixels"
        looked_through(his.page)
        assert (path, his.rules_broken(), his.complaints) == (path, [], [])


def test_leo_mends_many_lines_and_watches_them_being_stored(at_work, leo, trouble):
    his = at_work(leo)
    page = his.page
    page.goto("/ingest/")
    page.get_by_role("link", name="missing_field").first.click()
    page.get_by_role("link", name="Mend and replay these").click()
    expect(page.get_by_text("Not one of them would be accepted")).to_be_visible()
    page.get_by_label("Change", exact=True).select_option("rename")
    page.get_by_label("Field", exact=True).fill("engine")
    page.get_by_label("Value, or new name").fill("model")
    page.get_by_role("button", name="See what it would do").click()
    now = page.get_by_role("region", name="What it would do now")
    now.get_by_label("Reason", exact=True).fill(WHY)
    page.get_by_role("button", name="Replay them").click()
    expect(page.get_by_text("0 of 60 lines looked at")).to_be_visible()
    replay_runs.go_on()
    store_pending()
    # The page hears of it by itself.
    expect(page.get_by_text("Done.")).to_be_visible()
    assert Event.objects.filter(event_id__startswith="n").count() == 60
    assert his.rules_broken() == his.complaints == []


def test_the_page_keeps_up_by_itself(at_work, leo, trouble):
    his = at_work(leo)
    page = his.page
    page.goto("/ingest/")
    expect(page.locator("#day-title ~ .count, #fates")).not_to_have_count(0)
    button = page.get_by_role("button", name="Try again")
    expect(button).to_be_visible()
    Batch.objects.filter(pk=trouble.pk).update(state="pending", attempts=0)
    store_pending()
    expect(page.get_by_role("button", name="Try again")).to_have_count(
        0, timeout=15_000
    )
    expect(page.locator("#fates")).to_contain_text(re.compile("gateway"))
    assert his.complaints == []
