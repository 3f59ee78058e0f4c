"""What was not stored is mended by Leo, in the open: each step has its reason."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from ingest.doors.hints import bell
from ingest.doors.inbox import Origin, accept
from ingest.doors.refusals import counts
from ingest.drain import writers
from ingest.mending import replay_runs
from ingest.models import Batch, Event, QuarantinedLine, ReplayRun, Source
from ingest.senders.keys import issue_key
from investigations.models import AuditEntry
from tests.conftest import NOW
from tests.dashboard.reading import has, the
from tests.ingest.records import a_request, ndjson, requests
from tests.investigations.scenes import WHY

QUARANTINE = reverse("ingest:quarantine")
REPLAY = reverse("ingest:replay")
OVERVIEW = reverse("ingest:overview")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(bell, "ring", lambda pk: None)
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def watcher(signed_in, leo):
    return signed_in(leo)


@pytest.fixture
def origin(db) -> Origin:
    source = Source.objects.create(name="gateway")
    key, _ = issue_key(source=source, name="edge-1", scopes=["ingest:write"])
    return Origin(source=source, key=key)


def sent(origin: Origin, *records: object) -> Batch:
    batch = accept([ndjson(records)], origin)  # type: ignore[arg-type]  # bad on purpose
    writers.store_pending()
    return batch


def unnamed(count: int) -> list[dict[str, object]]:
    return [
        {**{k: v for k, v in each.items() if k != "model"}, "engine": "nova-2"}
        for each in requests(count)
    ]


@pytest.fixture
def line(origin) -> QuarantinedLine:
    sent(origin, a_request(event_id="good"), {**a_request(), "input_tokens": -7})
    return QuarantinedLine.objects.get()


def entry(verb: str) -> AuditEntry:
    return AuditEntry.objects.get(verb=verb)


# --- One line ----------------------------------------------------------------------


def test_leo_mends_a_line_and_it_is_stored(watcher, leo, line):
    page = watcher.post(reverse("ingest:line", args=[line.pk]), {"reason": WHY})
    typed = the(r"<textarea[^>]*name=\"text\"[^>]*>\s*(.*?)</textarea>", page)
    fixed = typed.replace('"input_tokens": -7', '"input_tokens": 7')
    answer = watcher.post(
        reverse("ingest:mend", args=[line.pk]), {"text": fixed, "reason": WHY}
    )
    assert answer.status_code == 302
    writers.store_pending()
    assert Event.objects.get(event_id="ev-1").input_tokens == 7
    assert "replayed" in watcher.get(answer.url).text
    told = entry("line.replayed")
    assert (told.actor, told.reason, told.detail["mended"]) == (leo, WHY, True)


@pytest.mark.parametrize(
    ("text", "reason", "told"),
    [
        ("{}", WHY, "`type` is required"),
        ("{", WHY, "Not JSON"),
        ("", WHY, "This field is required"),
        ("{}", "short", "20 characters"),
    ],
)
def test_a_correction_that_fails_says_why_and_keeps_what_was_typed(
    watcher, line, text, reason, told
):
    answer = watcher.post(
        reverse("ingest:mend", args=[line.pk]), {"text": text, "reason": reason}
    )
    assert answer.status_code == 422
    assert told in answer.text
    assert not text or has(r"<textarea[^>]*>\s*\{", answer)
    line.refresh_from_db()
    assert line.replayed_at is None
    assert not AuditEntry.objects.filter(verb="line.replayed").exists()


def test_a_line_ahead_of_its_time_is_sent_once_more_later(
    signed_in, leo, origin, clock
):
    sent(
        origin, a_request(), a_request(event_id="e", occurred_at="2026-11-20T00:00:00Z")
    )
    line = QuarantinedLine.objects.get()
    again = reverse("ingest:again", args=[line.pk])
    answer = signed_in(leo).post(again, {"reason": WHY})
    assert (answer.status_code, "would still not" in answer.text) == (422, True)
    clock.shift(timedelta(days=2))
    assert signed_in(leo).post(again, {"reason": WHY}).status_code == 302
    writers.store_pending()
    assert Event.objects.filter(event_id="e").exists()
    assert entry("line.replayed").detail["mended"] is False


def test_a_discarded_line_is_gone_from_the_list_and_not_from_the_counts(watcher, line):
    watcher.post(reverse("ingest:discard", args=[line.pk]), {"reason": WHY})
    assert "Every line was stored" in watcher.get(QUARANTINE).text
    assert "discarded" in watcher.get(reverse("ingest:line", args=[line.pk])).text
    assert entry("line.discarded").reason == WHY
    twice = watcher.post(reverse("ingest:discard", args=[line.pk]), {"reason": WHY})
    assert twice.status_code == 422


def test_ada_mends_in_bulk_and_reads_no_line(signed_in, ada, line):
    client = signed_in(ada)
    page = client.get(reverse("ingest:line", args=[line.pk]))
    assert "Send it once more" in page.text
    assert "Show" not in the(r"<main(.*?)</main>", page)
    mend = reverse("ingest:mend", args=[line.pk])
    assert client.post(mend, {"text": "{}", "reason": WHY}).status_code == 403


def test_aud_looks_and_changes_nothing(signed_in, aud, line):
    client = signed_in(aud)
    page = client.get(reverse("ingest:line", args=[line.pk]))
    assert "Send it once more" not in page.text
    for verb in ("again", "discard", "mend"):
        path = reverse(f"ingest:{verb}", args=[line.pk])
        assert client.post(path, {"reason": WHY}).status_code == 403
    assert client.get(REPLAY, {"code": "bad_json"}).status_code == 403


# --- Many lines --------------------------------------------------------------------


def test_leo_sees_first_what_a_change_would_do_and_then_does_it(watcher, leo, origin):
    sent(origin, *unnamed(40), "{}")
    listed = watcher.get(QUARANTINE, {"code": "missing_field"})
    chosen = the(r'class="button primary" href="([^"]+)"', listed)
    assert "Not one of them" in watcher.get(chosen).text
    wanted = f"{chosen}&kind=rename&name=engine&value=model"
    page = watcher.get(wanted)
    assert the(r"Would be accepted</dt><dd[^>]*>(\d+)", page) == "40"
    assert "engine renamed to model" in page.text
    assert not ReplayRun.objects.exists()
    started = watcher.post(wanted, {"reason": WHY})
    assert "0 of 41 lines" in watcher.get(started.url).text
    replay_runs.go_on()
    assert "wait to be stored" in watcher.get(started.url).text.replace("waits", "wait")
    writers.store_pending()
    done = watcher.get(started.url)
    assert "Done." in done.text
    assert the(r"Stored</dt><dd[^>]*>(\d+)", done) == "40"
    assert Event.objects.count() == 40
    told = entry("lines.replayed")
    assert (told.actor, told.detail["lines"]) == (leo, 41)
    assert told.detail["change"] == "engine renamed to model"


def test_leo_discards_what_is_worth_nothing_all_at_once(watcher, leo, origin):
    sent(origin, *unnamed(40), "{}")
    page = watcher.get(REPLAY, {"code": "missing_field", "field": "model"})
    order = the(r'action="([^"]+discard[^"]+)"', page).replace("&amp;", "&")
    assert watcher.post(order, {"reason": "asdf"}).status_code == 422
    assert not QuarantinedLine.objects.exclude(discarded_at=None).exists()
    assert (
        "40 lines are discarded"
        in watcher.post(order, {"reason": WHY}, follow=True).text
    )
    assert QuarantinedLine.objects.get(discarded_at=None).field == "type"
    told = entry("lines.discarded")
    assert (told.actor, told.detail["lines"]) == (leo, 40)
    assert told.detail["matching"] == {"code": "missing_field", "field": "model"}
    assert Batch.objects.get().refused == 41


def test_all_lines_are_never_discarded_without_choosing_them(watcher, line):
    assert (
        watcher.post(reverse("ingest:discard_all"), {"reason": WHY}).status_code == 400
    )
    assert QuarantinedLine.objects.get().discarded_at is None


def test_a_run_tells_only_its_part_when_it_is_asked_again(watcher, origin):
    run = ReplayRun.objects.create(last_line=0, total=10, replayed=3)
    part = watcher.get(
        reverse("ingest:run", args=[run.pk]), headers={"HX-Request": "true"}
    )
    assert "<html" not in part.text
    assert "3 of 10 lines looked at" in part.text
    assert "every 2s" in part.text


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("", 400, "Choose first which lines"),
        ("?code=x&nonsense=1", 400, "is no filter"),
        ("?code=x&kind=rename&name=a", 422, "is to be called"),
        ("?code=x&name=a", 422, "Choose what is to be changed"),
        ("?code=x&kind=burn", 422, "Select a valid choice"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(watcher, query, status, told):
    answer = watcher.get(REPLAY + query)
    assert answer.status_code == status
    assert told in answer.text


def test_without_a_reason_nothing_is_replayed(watcher, origin):
    sent(origin, *unnamed(2))
    path = f"{REPLAY}?code=missing_field&kind=rename&name=engine&value=model"
    assert watcher.post(path, {"reason": "why not"}).status_code == 422
    assert not ReplayRun.objects.exists()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"key": "none"}, 0),
        ({"source": "gateway"}, 2),
        ({"source": "other"}, 0),
        ({"field": "model"}, 2),
        ({"day": "2026-11-18"}, 2),
        ({"day": "2026-11-17"}, 0),
    ],
)
def test_lines_are_found_by_sender_field_and_day(watcher, origin, asked, found):
    sent(origin, *unnamed(2))
    assert watcher.get(QUARANTINE, asked).text.count('id="line-') == found
    key = watcher.get(QUARANTINE, {"key": origin.key.prefix})
    assert key.text.count('id="line-') == 2


@pytest.mark.parametrize("asked", ["day=yesterday", "day=20261118", "batch=7"])
def test_a_day_or_a_batch_that_is_none_is_refused(watcher, asked):
    assert watcher.get(f"{QUARANTINE}?{asked}").status_code == 400


# --- Parked batches ----------------------------------------------------------------


@pytest.fixture
def parked(origin) -> Batch:
    batch = accept([ndjson(requests(3))], origin)
    Batch.objects.update(state="parked", attempts=3, error="MemoryError: <b>")
    return batch


def test_a_parked_batch_says_why_and_is_tried_again(watcher, leo, parked):
    page = watcher.get(OVERVIEW)
    assert "MemoryError: &lt;b&gt;" in page.text
    assert has(r">Ingest</span><span class=\"count\">1<", page)
    again = the(r'action="([^"]+/try-again/)"', page)
    assert watcher.post(again).status_code == 302
    writers.store_pending()
    parked.refresh_from_db()
    assert (parked.state, parked.stored) == ("stored", 3)
    assert entry("batch.tried_again").detail["error"] == "MemoryError: <b>"
    twice = watcher.post(again, follow=True)
    assert "is not parked" in twice.text


def test_a_parked_batch_whose_body_is_gone_cannot_be_tried(watcher, parked):
    Batch.objects.update(payload=None)
    assert "its body is gone" in watcher.get(OVERVIEW).text
    path = reverse("ingest:batch", args=[parked.batch_id])
    assert "What it brought is gone" in watcher.get(path).text
    again = reverse("ingest:try_again", args=[parked.batch_id])
    assert "Let the sender send it once more" in watcher.post(again, follow=True).text


def test_a_batch_shows_what_became_of_it_and_leads_to_its_lines(watcher, origin):
    batch = sent(origin, a_request(extra=1), *unnamed(2))
    page = watcher.get(reverse("ingest:batch", args=[batch.batch_id]))
    assert "extra" in page.text
    lines = the(r'href="(/ingest/quarantine/\?batch=[^"]+)"', page)
    assert watcher.get(lines).text.count('id="line-') == 2


def test_conflicts_are_counted_where_leo_sees_them(watcher, origin):
    same = a_request()
    sent(origin, same, {**same, "model": "other"})
    page = watcher.get(OVERVIEW)
    assert has(r">Ingest</span><span class=\"count\">1<", page)
    conflicts = the(r'href="([^"]+fate=conflict)"', page)
    assert watcher.get(conflicts).text.count('id="line-') == 1


def test_many_conflicts_are_counted_as_far_as_they_are_told(watcher, origin):
    sent(origin, *requests(1_001))
    sent(origin, *requests(1_001, input_tokens=7))
    page = watcher.get(OVERVIEW)
    assert has(r">Ingest</span><span class=\"count\">999\+<", page)
    assert has(r"Conflicts</dt>.*?>999\+<", page)


# --- The page itself ---------------------------------------------------------------


def test_refused_requests_and_unknown_fields_are_shown_by_key(watcher, origin):
    assert origin.key
    counts.add(origin.key.pk, "quota_exceeded", 429, 2048)
    counts.add(None, "unknown_key", 401, 10)
    sent(origin, a_request(**{"<i>odd": 1}))
    text = watcher.get(OVERVIEW).text
    assert "quota_exceeded" in text
    assert "no known key" in text
    assert "&lt;i&gt;odd" in text


def test_whose_clock_is_ahead_is_shown_by_key(watcher, origin, clock):
    assert origin.key
    clock.shift(timedelta(hours=-3))
    batch = sent(origin, *requests(4))
    clock.shift(timedelta(hours=3))
    told = the(r"Clocks ahead<.*?<tbody>(.*?)</tbody>", watcher.get(OVERVIEW))
    assert origin.key.prefix in told
    assert ">4<" in told
    assert "4 events" in watcher.get(f"/ingest/batches/{batch.batch_id}/").text


def test_who_keeps_time_is_not_told_off(watcher, origin):
    sent(origin, *requests(4))
    assert "Clocks ahead" not in watcher.get(OVERVIEW).text


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, "4"),
        ({"source": "gateway"}, "4"),
        ({"source": "nobody"}, None),
        ({"key": "none"}, None),
        ({"way_in": "http"}, "4"),
        ({"way_in": "file"}, None),
    ],
)
def test_the_page_is_narrowed_to_a_sender(watcher, origin, asked, count):
    sent(origin, *requests(4))
    page = watcher.get(OVERVIEW, asked)
    if count is None:
        assert "Nothing was received." in page.text
    else:
        row = the(r'id="day-title".*?<tbody>(.*?)</tr>', page)
        assert f">{count}<" in row


@pytest.mark.parametrize("asked", ["day=x", "way_in=fax", "page=2"])
def test_what_the_page_does_not_know_is_named(watcher, asked):
    assert watcher.get(f"{OVERVIEW}?{asked}").status_code == 400


def test_the_page_asks_for_its_news_by_itself(watcher, origin):
    page = watcher.get(OVERVIEW, {"source": "gateway"})
    assert has(r'hx-get="/ingest/\?source=gateway" hx-trigger="every 5s', page)
    part = watcher.get(OVERVIEW, headers={"HX-Request": "true", "X-Poll": "1"})
    assert "<html" not in part.text
    assert "2xx to stored" in part.text
    assert 'id="fates" hx-swap-oob="true"' in part.text


def test_the_time_from_2xx_to_stored_is_told(signed_in, leo, origin, clock):
    batch = accept([ndjson(requests(3))], origin)
    clock.shift(timedelta(seconds=4))
    writers.store_batch(batch.pk)
    page = signed_in(leo).get(OVERVIEW)
    assert has(r"2xx to stored</dt><dd[^>]*>4\.0 s<", page)
    assert "95% within 4.0 s" in page.text
