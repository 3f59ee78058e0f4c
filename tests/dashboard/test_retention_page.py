"""Leo and Ada see how long things are kept, and keep what a court asks for."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ingest.keeping import retention
from ingest.models import Batch, LegalHold, QuarantinedLine, RetentionRun, Source
from investigations.models import AuditEntry
from tests.dashboard.reading import the
from tests.investigations.scenes import case_of, new_account

PAGE = reverse("settings:retention")
PLACE = reverse("settings:place_hold")
WHY = "Preservation request 2026-118 of the district court."

pytestmark = pytest.mark.django_db


def placed(client, **told) -> LegalHold:
    response = client.post(PLACE, {"reason": WHY, **told})
    assert response.status_code == 302, response.text
    return LegalHold.objects.latest("pk")


def refused(client, **told) -> str:
    response = client.post(PLACE, {"reason": WHY, **told})
    assert response.status_code == 422
    assert not LegalHold.objects.exists()
    return str(response.text)


def test_every_kind_says_how_long_it_is_kept_and_what_the_last_run_did(
    signed_in, aud, settings
):
    settings.RETENTION_EVENTS_DAYS = 123
    RetentionRun.objects.create(
        kind="events",
        started_at=timezone.now(),
        finished_at=timezone.now(),
        before=timezone.now().date(),
        dropped=4711,
    )
    response = signed_in(aud).get(PAGE)
    page = response.text
    row = the(r"<tr>\s*<th[^>]*>Events<br>(.*?)</tr>", response)
    assert ">123<" in row
    assert ">4,711<" in row
    assert "Nothing is held" in page
    assert "Place the hold" not in page


def test_what_is_past_its_day_is_said_and_what_a_hold_kept_of_it(signed_in, leo, batch):
    for age in (1, 40, 50):
        line = QuarantinedLine.objects.create(
            batch=batch, fate="refused", line=age, code="bad_json", raw=b"{"
        )
        QuarantinedLine.objects.filter(pk=line.pk).update(
            created_at=timezone.now() - timedelta(days=age)
        )
    client = signed_in(leo)
    assert "past its day" in kept_lines(client)[1]
    placed(client, scope="source", source=batch.source.name)
    retention.apply()
    cells = kept_lines(client)
    assert "past its day" in cells[1]
    assert cells[3:] == ["0", "2"]


def kept_lines(client) -> list[str]:
    row = the(r"<tr>\s*<th[^>]*>Kept lines<br>(.*?)</tr>", client.get(PAGE))
    return [
        re.sub(r"<[^>]*>", "", cell).strip()
        for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
    ]


@pytest.fixture
def batch(db):
    return Batch.objects.create(
        source=Source.objects.create(name="gateway"),
        body_sha256=b"",
        received_at=timezone.now(),
        state="stored",
        received=3,
        accepted=0,
        rejected=3,
        refused=3,
    )


def test_leo_holds_accounts_and_releases_them_with_a_reason(signed_in, leo):
    new_account(external_id="acct-a")
    new_account(external_id="acct-b")
    client = signed_in(leo)
    hold = placed(client, scope="accounts", accounts="acct-a\r\n acct-b \r\n\r\nacct-a")
    assert hold.accounts.count() == 2
    assert hold.placed_by == "leo"
    assert "accounts: 2" in client.get(PAGE).text.lower()
    release = reverse("settings:release_hold", args=[hold.pk])
    client.post(release, {"reason": "no"})
    hold.refresh_from_db()
    assert hold.released_at is None
    client.post(release, {"reason": "The proceedings were closed on Monday."})
    hold.refresh_from_db()
    assert hold.released_by == "leo"
    entries = AuditEntry.objects.filter(object_type="hold").order_by("sequence")
    assert [(each.verb, each.object_ref) for each in entries] == [
        ("hold.placed", str(hold)),
        ("hold.released", str(hold)),
    ]
    assert client.post(release, {"reason": WHY}).status_code == 400


def test_a_case_is_held_with_the_accounts_it_has(signed_in, leo, ana):
    case = case_of(3, ana)
    hold = placed(signed_in(leo), scope="case", case_ref=case.ref.lower())
    assert (hold.case_ref, hold.accounts.count()) == (case.ref, 3)


def test_an_organisation_or_everything_can_be_held_for_some_days(signed_in, ada):
    new_account(external_id="a", organization_id="org-7")
    client = signed_in(ada)
    day = timezone.now().date()
    hold = placed(
        client,
        scope="organization",
        organization_id="org-7",
        from_day="2026-01-01",
        to_day="2026-01-31",
        expires_on=day.isoformat(),
    )
    assert hold.organization_id == "org-7"
    assert hold.expires_at == datetime(
        day.year, day.month, day.day, tzinfo=UTC
    ) + timedelta(days=1)
    page = client.get(PAGE).text
    assert "from 1 Jan 2026 to 31 Jan 2026" in page
    placed(client, scope="everything")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"scope": "accounts"}, "Name at least one account."),
        ({"scope": "accounts", "accounts": "nobody"}, "No such account: nobody."),
        ({"scope": "case", "case_ref": "C-404"}, "There is no such case."),
        ({"scope": "case", "case_ref": "'; DROP"}, "There is no such case."),
        (
            {"scope": "organization", "organization_id": "x"},
            "No account belongs to this organisation.",
        ),
        ({"scope": "source", "source": "x"}, "There is no such source."),
        ({"scope": "sky"}, "Select a valid choice"),
        ({"scope": "everything", "reason": "because"}, "too short"),
        ({"scope": "everything", "expires_on": "2020-01-01"}, "over already"),
        (
            {"scope": "everything", "from_day": "2026-02-01", "to_day": "2026-01-01"},
            "lies before the first",
        ),
        ({"scope": "everything", "from_day": "soon"}, "Enter a valid date"),
    ],
)
def test_what_cannot_be_held_is_said_and_the_form_keeps_its_text(
    signed_in, leo, told, sentence
):
    assert sentence in refused(signed_in(leo), **told)


def test_a_reason_with_markup_is_shown_as_text(signed_in, leo):
    client = signed_in(leo)
    placed(client, scope="everything", reason="<script>alert(1)</script> court order 9")
    page = client.get(PAGE).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_many_holds_cost_no_more_queries(signed_in, leo, django_assert_max_num_queries):
    client = signed_in(leo)
    client.get(PAGE)
    for _ in range(20):
        placed(client, scope="everything")
    # Each kind is counted in a transaction of its own, due and held.
    with django_assert_max_num_queries(220):
        client.get(PAGE)
