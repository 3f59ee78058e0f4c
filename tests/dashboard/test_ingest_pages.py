"""What arrives, as Leo watches it: counts, keys, and lines that were not stored."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from ingest.doors.inbox import Origin, accept
from ingest.drain.writers import store_pending
from ingest.models import Batch, QuarantinedLine, Source
from ingest.senders.keys import issue_key
from investigations.models import AuditEntry
from tests.conftest import NOW
from tests.dashboard.reading import has, the
from tests.ingest.records import a_request, ndjson, requests
from tests.investigations.scenes import WHY

OVERVIEW = reverse("ingest:overview")
QUARANTINE = reverse("ingest:quarantine")
SECRET = "my private question"
# What a line says that a person may want to read, and few may.
PRIVATE = "Northwind Secret Works"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
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


def sent(origin: Origin, *records: object, stored: bool = True) -> Batch:
    batch = accept([ndjson(records)], origin)  # type: ignore[arg-type]  # bad on purpose
    if stored:
        store_pending()
    return batch


@pytest.fixture
def bad_line(origin) -> QuarantinedLine:
    """One line without a proper model; its prompt and its words are a customer's."""
    bad = {**a_request(event_id="e2", prompt=SECRET), "model": 7, "team": PRIVATE}
    sent(origin, a_request(), bad)
    return QuarantinedLine.objects.get()


def stat(label: str, response) -> str:
    return the(rf'>{label}</dt><dd class="stat-value">(?:<a[^>]*>)?([^<]*)<', response)


def cells(section: str, response) -> list[str]:
    """The first row of a section's table."""
    table = the(rf'id="{section}-title".*?<tbody>(.*?)</tr>', response)
    return re.findall(r"<t[hd][^>]*>(?:<bdi[^>]*>)?([^<]*)<", table)


# --- The overview ------------------------------------------------------------------


def test_an_empty_installation_says_where_to_send(watcher):
    text = watcher.get(OVERVIEW).text
    assert "A gateway sends telemetry to /api/v1/telemetry with an ingest key." in text
    assert "No machine can send yet." in text
    assert "data-chart" not in text
    assert "Every line was stored." in text


def test_every_line_of_a_source_is_accounted_for(watcher, origin):
    same = a_request(event_id="same")
    sent(origin, *requests(5), same)
    sent(origin, same, {**same, "model": "other"}, '{"type": "request"', "{}")
    sent(origin, *requests(3, account_id="acct-2"), stored=False)
    row = cells("day", watcher.get(OVERVIEW))
    names = "source received stored duplicates conflicts quarantined refused waiting"
    shown = dict(zip(names.split(), row, strict=True))
    assert shown["source"] == "gateway"
    counts = {name: int(shown[name]) for name in names.split()[1:]}
    received = counts.pop("received")
    assert received == sum(counts.values()) == 13
    assert counts == {
        "stored": 6,
        "duplicates": 1,
        "conflicts": 1,
        "quarantined": 0,
        "refused": 2,
        "waiting": 3,
    }


def test_what_came_on_another_day_is_a_filter_away(signed_in, leo, origin, clock):
    sent(origin, *requests(4))
    clock.shift(timedelta(hours=25))
    client = signed_in(leo)
    assert "Nothing was received." in client.get(OVERVIEW).text
    page = client.get(OVERVIEW, {"day": "2026-11-18"})
    assert cells("day", page)[:3] == ["gateway", "4", "4"]


def test_what_waits_and_for_how_long_stands_on_top(watcher, origin, clock):
    sent(origin, *requests(20), stored=False)
    clock.shift(timedelta(minutes=4))
    page = watcher.get(OVERVIEW)
    assert stat("To be stored", page) == "20"
    assert "the oldest for 4m" in page.text
    assert "storing is behind" in page.text
    assert "Is a worker running?" in page.text
    assert stat("Records a second", page) == "0.067"


def test_the_chart_tells_stored_from_not_stored_by_hour(watcher, origin, bad_line):
    figure = watcher.get(reverse("ingest:hours")).json()
    bars = {bar["name"]: bar["y"] for bar in figure["data"]}
    assert bars["stored"][-1] == 1
    assert bars["not stored"][-1] == 1
    assert len(bars["stored"]) == 24


def test_each_key_has_its_state_and_its_last_use_and_never_its_secret(watcher, origin):
    _, secret = issue_key(source=origin.source, name="edge-2", scopes=["read"])
    text = watcher.get(OVERVIEW).text
    assert "edge-1" in text
    assert "edge-2" in text
    assert secret not in text


def test_rejects_are_counted_by_code_and_lead_to_their_lines(watcher, bad_line):
    page = watcher.get(OVERVIEW)
    link = the(r'id="codes-title".*?href="(/ingest/quarantine/\?code=[^"]+)"', page)
    assert bad_line.code in link
    assert f"/ingest/quarantine/{bad_line.pk}/" in watcher.get(link).text


def test_the_overview_costs_the_same_however_much_arrives(
    watcher, origin, django_assert_max_num_queries
):
    for n in range(30):
        sent(origin, a_request(event_id=f"e{n}"), "{}", stored=False)
    watcher.get(OVERVIEW)
    with django_assert_max_num_queries(27):
        watcher.get(OVERVIEW)


# --- Lines that were not stored ----------------------------------------------------


def test_a_line_says_where_it_stood_and_what_to_change(watcher, bad_line):
    for path in (OVERVIEW, QUARANTINE):
        page = watcher.get(path)
        assert has(rf'/ingest/quarantine/{bad_line.pk}/">2<', page)
        assert "model" in page.text
    page = watcher.get(reverse("ingest:line", args=[bad_line.pk]))
    assert str(bad_line.batch.batch_id) in page.text
    assert f"{len(bytes(bad_line.raw))} bytes" in page.text


@pytest.mark.parametrize("name", ["leo", "aud", "ada"])
def test_what_it_says_is_hidden_from_everyone(request, signed_in, name, bad_line):
    client = signed_in(request.getfixturevalue(name))
    line = reverse("ingest:line", args=[bad_line.pk])
    for path in (OVERVIEW, QUARANTINE, line):
        assert PRIVATE not in client.get(path).text


def test_leo_reads_it_with_a_reason_and_the_audit_log_has_it(watcher, leo, bad_line):
    path = reverse("ingest:line", args=[bad_line.pk])
    shown = watcher.post(path, {"reason": WHY})
    assert PRIVATE in shown.text
    assert SECRET not in shown.text
    entry = AuditEntry.objects.get(verb="line.revealed")
    assert (entry.actor, entry.reason) == (leo, WHY)
    assert entry.detail["batch"] == str(bad_line.batch.batch_id)
    assert PRIVATE not in watcher.get(path).text


@pytest.mark.parametrize("reason", ["", "asdf"])
def test_a_reason_that_says_nothing_shows_nothing(watcher, bad_line, reason):
    path = reverse("ingest:line", args=[bad_line.pk])
    response = watcher.post(path, {"reason": reason})
    assert response.status_code == 422
    assert PRIVATE not in response.text
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", ["aud", "ada"])
def test_who_may_watch_but_not_reveal_is_not_offered_to(
    request, signed_in, name, bad_line
):
    client = signed_in(request.getfixturevalue(name))
    path = reverse("ingest:line", args=[bad_line.pk])
    assert "Show and record it" not in client.get(path).text
    assert client.post(path, {"reason": WHY}).status_code == 403


def test_what_was_sent_is_shown_and_never_run(watcher, origin):
    sent(origin, a_request(), b"\xff\x00<script>alert(1)</script> \xe2\x80\xae{{ 7 }}")
    line = QuarantinedLine.objects.get()
    path = reverse("ingest:line", args=[line.pk])
    text = watcher.post(path, {"reason": WHY}).text
    assert "<script>alert" not in text
    assert "\\xff" in text
    assert "U+0000" in text
    assert "U+202E" in text
    assert "{{ 7 }}" in text


def test_a_huge_line_is_shown_in_part_and_the_rest_is_counted(watcher, bad_line):
    bad_line.raw = b"a" * 100_000
    bad_line.save()
    path = reverse("ingest:line", args=[bad_line.pk])
    text = watcher.post(path, {"reason": WHY}).text
    assert "34,464 more bytes" in text
    assert "a" * 65_537 not in text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"code": "missing_id"}, 2),
        ({"fate": "conflict"}, 1),
        ({"code": "missing_id", "fate": "conflict"}, 0),
        ({"code": "%"}, 0),
    ],
)
def test_filters_narrow_the_lines(watcher, origin, asked, found):
    same = a_request(event_id="same")
    unnamed = {key: value for key, value in same.items() if key != "event_id"}
    sent(origin, same, {**same, "model": "other"}, unnamed, unnamed)
    page = watcher.get(QUARANTINE, asked)
    assert len(re.findall(r'id="line-\d+"', page.text)) == found
    assert found or "No line matches these filters" in page.text


@pytest.mark.parametrize(
    "asked", ["fate=lost", "before=x", "before=-1", "page=2", "code=" + "a" * 49]
)
def test_what_is_not_understood_is_named_and_refused(watcher, asked):
    assert watcher.get(f"{QUARANTINE}?{asked}").status_code == 400


def test_older_lines_are_a_page_away_and_none_is_missed(watcher, origin):
    sent(origin, a_request(), *["{}"] * 120)
    page = watcher.get(QUARANTINE)
    seen = re.findall(r'id="line-(\d+)"', page.text)
    while has('rel="next"', page):
        page = watcher.get(the(r'rel="next" href="([^"]+)', page))
        seen += re.findall(r'id="line-(\d+)"', page.text)
    assert len(seen) == len(set(seen)) == 120


def test_a_line_that_was_replayed_waits_no_longer(watcher, bad_line):
    bad_line.replayed_at = NOW
    bad_line.save()
    assert "Every line was stored" in watcher.get(QUARANTINE).text


@pytest.mark.parametrize("pk", ["0", "404", "9" * 25])
def test_a_line_that_is_not_there_is_not_found(watcher, pk):
    assert watcher.get(f"/ingest/quarantine/{pk}/").status_code == 404


def test_the_list_costs_the_same_for_one_line_as_for_fifty(
    watcher, origin, django_assert_max_num_queries
):
    sent(origin, a_request(), *["{}"] * 60)
    watcher.get(QUARANTINE)
    with django_assert_max_num_queries(14):
        watcher.get(QUARANTINE)
