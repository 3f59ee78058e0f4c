"""Accounts: Vic reads along masked; Ana looks closer, with a reason."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import resolve, reverse
from django.utils import timezone

from ingest.drain.partitions import ensure_partitions
from ingest.models import Account, AccountDay, AccountRecord, Event, Excerpt, Source
from investigations.actions.cases import open_case
from investigations.detection import labels
from investigations.detection.models import Label
from investigations.models import AuditEntry
from tests.dashboard.case_scenes import campaign
from tests.dashboard.reading import has, the
from tests.factories import ScoreFactory
from tests.investigations.scenes import (
    WHY,
    cluster_of,
    decide,
    new_account,
    new_accounts,
)

LIST = reverse("accounts:list")
MIDNIGHT = datetime(2026, 11, 18, tzinfo=UTC)
ODD = "a/b?c#d %"

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


@pytest.fixture
def maria(db) -> Account:
    """Somebody with something to hide: a name, a company, an address."""
    return new_account(
        external_id="acct-maria",
        display_name="Maria Lindqvist",
        organization="Harbour Analytics",
        email_domain="harbour.example",
        phone_country="SE",
        signup_ip="198.51.100.77",
        signup_user_agent="Mozilla/5.0 (X11; Linux)",
    )


SECRETS = (
    "Maria Lindqvist",
    "Harbour Analytics",
    "harbour.example",
    "198.51.100.77",
    "X11; Linux",
)


def url(name: str, account: Account | str, *more: str) -> str:
    account_id = account if isinstance(account, str) else account.external_id
    return reverse(f"accounts:{name}", args=[account_id, *more])


def ids(response) -> list[str]:
    found = re.findall(r"data-row-link.*?<bdi[^>]*>([^<]*)</bdi>", response.text)
    return [str(each) for each in found]


def asks(account: Account, times: int, **more) -> None:
    """So many requests of the account, a minute apart, all of the same day."""
    source, _ = Source.objects.get_or_create(name="gateway")
    ensure_partitions({MIDNIGHT.date()})
    Event.objects.bulk_create(
        Event(
            source=source,
            event_id=f"ev-{account.pk}-{n}",
            batch_id=1,
            kind="request",
            account=account,
            occurred_at=MIDNIGHT + timedelta(minutes=n),
            received_at=MIDNIGHT,
            **more,
        )
        for n in range(times)
    )


# --- The list ----------------------------------------------------------------------


def test_an_empty_list_says_what_brings_accounts(reader):
    assert "No accounts yet" in reader.get(LIST).text


def test_the_highest_score_stands_first_and_the_unscored_last(reader):
    new_account(external_id="never-scored")
    for name, score in (("mild", 30.0), ("hot", 91.0)):
        ScoreFactory(account__external_id=name, score=score)
    response = reader.get(LIST)
    assert ids(response) == ["hot", "mild", "never-scored"]
    assert "not scored" in response.text


def test_the_newest_can_stand_first(reader):
    for name, day in (("old", 1), ("new", 20), ("middle", 9)):
        new_account(external_id=name, first_seen_at=datetime(2026, 11, day, tzinfo=UTC))
    assert ids(reader.get(LIST, {"sort": "first_seen"})) == ["new", "middle", "old"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"account_id": "b"}, ["b"]),
        ({"account_id": "%"}, []),
        ({"account_id": "_"}, []),
        ({"account_id": "' OR 1=1--"}, []),
        ({"band": "watch"}, ["b"]),
        ({"min_score": "40"}, ["a", "b"]),
        ({"status": "banned"}, ["c"]),
        ({"cluster_id": "CL-404"}, []),
    ],
)
def test_filters_narrow_the_list(reader, asked, found):
    ScoreFactory(account__external_id="a", score=95, band="action")
    ScoreFactory(account__external_id="b", score=45, band="watch")
    new_account(external_id="c", status="banned")
    shown = reader.get(LIST, asked)
    assert ids(shown) == found
    assert found or "No account matches these filters" in shown.text


def test_the_members_of_a_cluster_can_be_listed(reader):
    new_account()
    cluster = cluster_of(3)
    assert len(ids(reader.get(LIST, {"cluster_id": cluster.ref}))) == 3


@pytest.mark.parametrize(
    "asked",
    [
        "band=red",
        "status=gone",
        "sort=password",
        "ordering=-score",
        "min_score=101",
        "after=x",
        "page=2",
        "email__startswith=a",
        "account_id=" + "a" * 129,
    ],
)
def test_what_is_not_understood_is_named_and_refused(reader, asked):
    assert reader.get(f"{LIST}?{asked}").status_code == 400


def test_turning_the_pages_meets_every_account_once(reader):
    new_accounts(120)
    page = reader.get(LIST)
    seen = ids(page)
    while has('rel="next"', page):
        page = reader.get(the(r'rel="next" href="([^"]+)', page))
        seen += ids(page)
    assert len(seen) == len(set(seen)) == 120


def test_the_list_costs_the_same_for_one_account_as_for_fifty(
    reader, django_assert_max_num_queries
):
    cluster_of(50)
    reader.get(LIST)
    with django_assert_max_num_queries(6):
        reader.get(LIST)


# --- What changed ------------------------------------------------------------------


def told(account: Account, day: int, **values: str) -> None:
    AccountRecord.objects.create(
        account=account, updated_at=datetime(2026, 11, day, tzinfo=UTC), told=values
    )


def test_a_new_owner_and_a_new_card_show_with_the_values_masked(reader, maria):
    told(maria, 1, payment_fingerprint="card-4711", plan="free", display_name="Maria")
    told(maria, 5, payment_fingerprint="card-4712", plan="pay_as_you_go")
    told(maria, 9, display_name="Somebody Else", status="restricted")
    page = reader.get(url("detail", maria)).text
    section = page.partition("Changes of the record")[2].partition("</section>")[0]
    rows = [re.sub(r"\s*<[^>]*>\s*", "|", row) for row in section.split("<tr>")[2:]]
    assert [re.findall(r"[^|]+", row)[:3] for row in rows] == [
        ["Display name", "Ma•••", "So•••"],
        ["Plan", "free", "pay as you go"],
        ["Payment instrument", "ca•••", "ca•••"],
    ]
    assert "Somebody" not in page
    assert "4712" not in page


def test_an_account_that_never_changed_has_no_such_section(reader, maria):
    told(maria, 1, plan="free")
    assert "Changes of the record" not in reader.get(url("detail", maria)).text


# --- Whose page it is --------------------------------------------------------------


@pytest.mark.parametrize(
    "account_id",
    [
        ODD,
        "..",
        ".",
        "../../etc/passwd",
        "tilde~2Fhere",
        "100%",
        "Ωmega/søster",
        "new\nline",
        "by-day.json",
        " ",
        "a" * 128,
    ],
)
def test_every_id_has_its_own_page_however_odd(reader, account_id):
    new_account(external_id=account_id)
    path = url("detail", account_id)
    assert re.fullmatch(r"/accounts/[A-Za-z0-9_.~-]+/", path)
    assert resolve(path).kwargs == {"account_id": account_id}
    assert reader.get(path).status_code == 200


def test_each_part_of_an_odd_accounts_page_belongs_to_it(reader):
    account = new_account(external_id=ODD)
    a_day_of(account)
    ScoreFactory(account=account, score=77, reasons=[paid_together(account)])
    page = reader.get(url("detail", account))
    found = re.findall(r'(?:href|data-src)="(/accounts/a~2Fb[^"]*)"', page.text)
    assert len(set(found)) == 3
    assert {reader.get(each).status_code for each in found} == {200}


def a_day_of(account: Account, *, requests: int = 5, days_ago: int = 0) -> None:
    AccountDay.objects.create(
        account=account,
        day=timezone.now().date() - timedelta(days=days_ago),
        requests=requests,
        hours=[requests] + [0] * 23,
        session_hours=[0] * 24,
        by_model={"nova-2": requests},
    )


def paid_together(account: Account) -> dict[str, object]:
    return {
        "signal": "shared_payment",
        "title": "Shared payment",
        "family": "money",
        "points": 9.4,
        "value": 2,
        "baseline": None,
        "sentence": "Pays with an instrument that 11 other customers use too.",
        "innocent": "A family pays with one card.",
        "rows": {
            "table": "account",
            "filters": {"accounts": [account.pk]},
            "count": 1,
        },
    }


@pytest.mark.parametrize(
    "segment", ["nobody", "no~00where", "no~zz", "no~", "no~2f", "no~FF", "~C3"]
)
def test_unknown_and_unreadable_ids_are_answered_alike(reader, segment):
    for part in ("", "by-day.json", "by-hour.json", "evidence/size/"):
        response = reader.get(f"/accounts/{segment}/{part}")
        assert response.status_code == 404
        assert "There is nothing at this address" in response.text


# --- What it shows -----------------------------------------------------------------


def test_the_page_says_why_the_account_scores_as_it_does(reader):
    account = new_account()
    ScoreFactory(account=account, score=81, reasons=[paid_together(account)])
    page = reader.get(url("detail", account))
    assert "Pays with an instrument that 11 other customers use too." in page.text
    assert "Innocent if: A family pays with one card." in page.text
    rows = reader.get(the(r'href="(/accounts/[^"]+/evidence/[^"]+)"', page))
    assert account.external_id in rows.text


def test_an_account_that_nothing_is_known_of_has_a_page(reader):
    text = reader.get(url("detail", new_account())).text
    assert "not scored" in text
    assert "No detector has anything to say about this account by itself." in text
    assert "Nothing that another account showed." in text
    assert "Nobody has decided anything about it." in text


def test_the_last_events_say_what_without_the_address(reader, maria):
    asks(
        maria,
        60,
        model="nova-2",
        client_ip="203.0.113.9",
        user_agent="OpenAI/Python 1.52.0 (maria's laptop)",
        client_stack="t13d|openai/python/1",
        input_tokens=1234,
    )
    text = reader.get(url("detail", maria)).text
    assert "the newest 50, UTC" in text
    assert "1,234" in text
    assert "openai/python/1" in text
    assert "203.0.113.9" not in text
    assert "laptop" not in text


def test_the_charts_count_days_and_hours(reader, maria):
    a_day_of(maria, requests=6)
    a_day_of(maria, requests=4, days_ago=3)
    days = reader.get(url("days", maria)).json()["data"][0]
    assert days["y"] == [4, 0, 0, 6]
    hours = reader.get(url("hours", maria)).json()["data"][0]
    assert hours["y"][0] == 1.0


def test_decisions_and_labels_stand_beside_it(signed_in, ana):
    cluster = cluster_of(3)
    decide(open_case(cluster=cluster, by=ana), ana)
    account = cluster.memberships.all()[0].account
    labels.record(
        account_ids=[account.pk],
        kind=Label.Kind.CONFIRMED,
        reason=WHY,
        given_by="D-1",
        at=timezone.now(),
    )
    text = signed_in(ana).get(url("detail", account)).text
    assert "Ban, C-" in text
    assert "Confirmed abuse" in text
    assert has(r'data-tone="danger">.{,200}banned', signed_in(ana).get(LIST))


def test_a_name_that_hides_something_is_spelled_out(signed_in, ana):
    account = new_account(external_id="ab\u202edc")
    text = signed_in(ana).get(url("detail", account)).text
    assert "U+202E" in text


# --- Private values ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["vic", "ana", "leo", "mia", "aud", "ada"])
def test_private_values_are_masked_for_everyone(request, signed_in, name, maria):
    client = signed_in(request.getfixturevalue(name))
    for path in (url("detail", maria), LIST, f"{LIST}?account_id=acct-maria"):
        text = client.get(path).text
        assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("name", ["vic", "mia", "aud", "ada"])
def test_who_may_not_reveal_is_not_offered_to(request, signed_in, name, maria):
    client = signed_in(request.getfixturevalue(name))
    assert "Show private values" not in client.get(url("detail", maria)).text
    refused = client.post(url("reveal", maria), {"reason": WHY})
    assert refused.status_code == 403
    assert not AuditEntry.objects.exists()


def test_ana_reveals_them_with_a_reason_and_the_audit_log_has_it(
    signed_in, ana, aud, maria
):
    client = signed_in(ana)
    assert "Show private values" in client.get(url("detail", maria)).text
    shown = client.post(url("reveal", maria), {"reason": WHY})
    assert [secret for secret in SECRETS if secret not in shown.text] == []
    entry = AuditEntry.objects.get(verb="account.revealed")
    assert (entry.actor, entry.object_ref, entry.reason) == (ana, "acct-maria", WHY)
    log = signed_in(aud).get(reverse("audit:list")).text
    assert "account.revealed" in log
    assert WHY in log


def test_they_are_shown_once(signed_in, ana, maria):
    client = signed_in(ana)
    shown = client.post(url("reveal", maria), {"reason": WHY})
    assert "no-store" in shown["Cache-Control"]
    assert client.get(url("reveal", maria)).status_code == 405
    assert "Maria Lindqvist" not in client.get(url("detail", maria)).text


@pytest.mark.parametrize("reason", ["", "   ", "asdf", "x" * 40, "a" * 20_000])
def test_a_reason_that_says_nothing_shows_nothing(signed_in, ana, maria, reason):
    response = signed_in(ana).post(url("reveal", maria), {"reason": reason})
    assert response.status_code == 422
    assert "Maria Lindqvist" not in response.text
    assert not AuditEntry.objects.exists()


def test_the_page_costs_the_same_however_much_there_is(
    reader, django_assert_max_num_queries
):
    account = campaign(30).memberships.all()[0].account
    asks(account, 70)
    reader.get(url("detail", account))
    with django_assert_max_num_queries(13):
        reader.get(url("detail", account))


# --- Excerpts ----------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script> {{7*7}} \u202egnp.exe\u200b of Maria"


@pytest.fixture
def quoted(maria) -> Excerpt:
    """One prompt of hers was drawn; whoever wrote it meant no good."""
    return Excerpt.objects.create(
        source=Source.objects.create(name="gateway"),
        event_id="ev-7",
        account=maria,
        occurred_at=MIDNIGHT,
        day=MIDNIGHT.date(),
        skeleton_hash=1,
        rank=-1,
        text=HOSTILE,
    )


@pytest.mark.parametrize("name", ["vic", "ana", "aud"])
def test_excerpts_are_masked_for_everyone(request, signed_in, name, maria, quoted):
    client = signed_in(request.getfixturevalue(name))
    text = client.get(url("detail", maria)).text
    assert "of Maria" not in text
    assert f"{len(HOSTILE)} characters" in text


def test_ana_reads_excerpts_with_a_reason_and_the_audit_log_has_it(
    signed_in, ana, maria, quoted
):
    shown = signed_in(ana).post(url("excerpts", maria), {"reason": WHY})
    assert "of Maria" in shown.text
    entry = AuditEntry.objects.get(verb="account.excerpts_revealed")
    assert (entry.object_ref, entry.reason) == ("acct-maria", WHY)
    assert entry.detail["events"] == ["ev-7"]


def test_what_an_excerpt_hides_is_spelled_out_and_nothing_in_it_runs(
    signed_in, ana, maria, quoted
):
    text = signed_in(ana).post(url("excerpts", maria), {"reason": WHY}).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert "{{7*7}}" in text
    assert "U+202E" in text
    assert "U+200B" in text
    assert "\u202e" not in text


def test_a_poor_reason_shows_no_excerpt(signed_in, ana, maria, quoted):
    refused = signed_in(ana).post(url("excerpts", maria), {"reason": "curious"})
    assert refused.status_code == 422
    assert "of Maria" not in refused.text
    assert not AuditEntry.objects.exists()


def test_vic_is_neither_offered_nor_given_excerpts(signed_in, vic, maria, quoted):
    client = signed_in(vic)
    assert "Read the excerpts" not in client.get(url("detail", maria)).text
    assert client.post(url("excerpts", maria), {"reason": WHY}).status_code == 403
