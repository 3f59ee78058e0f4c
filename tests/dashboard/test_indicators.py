"""Shared values: the list of hubs, and the page of one value."""

import re
from typing import Any

import pytest
from django.urls import reverse

from ingest.models import Account, Indicator, Sighting
from investigations.detection.models import IndicatorProfile
from investigations.detection.profiles import Measure, Profile
from investigations.models import AuditEntry
from tests.dashboard.case_scenes import campaign
from tests.dashboard.reading import has, the

LIST = reverse("indicators:list")
WHY = "Checking whether this address is the campus of the university."

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


def url(indicator: Indicator) -> str:
    return reverse("indicators:detail", args=[indicator.pk])


def crowd(alike: float, *, norm: float = 0.02, customers: int = 80) -> Profile:
    facets = ("payment", "device", "tools", "client_stack", "signup_day", "hours")
    return Profile(
        customers=customers,
        looked_at=customers,
        young=0.61,
        verified=0.25,
        others=7,
        measures=tuple(Measure(facet, alike, norm) for facet in facets),
    )


def value(
    text: str = "203.0.113.9",
    *,
    kind: str = Indicator.Kind.ADDRESS,
    shown_by: int = 3,
    crowd: Profile | None = None,
    **known: object,
) -> Indicator:
    """A value that so many accounts show; with a crowd, one that was looked at."""
    indicator = Indicator.objects.create(kind=kind, value=text)
    accounts = Account.objects.bulk_create(
        Account(
            external_id=f"acct-{indicator.pk}-{n}",
            first_seen_at="2026-11-01T00:00Z",
            updated_at="2026-11-01T00:00Z",
        )
        for n in range(shown_by)
    )
    Sighting.objects.bulk_create(
        Sighting(
            account=account,
            indicator=indicator,
            first_seen_on="2026-11-02",
            last_seen_on="2026-11-20",
            count=4,
        )
        for account in accounts
    )
    IndicatorProfile.objects.create(
        indicator=indicator,
        **{"accounts": shown_by, "organizations": shown_by} | known,
        crowd=crowd.as_json() if crowd else None,
        likeness=crowd.likeness if crowd else None,
        reading=crowd.reading if crowd else "",
    )
    return indicator


def hub(text: str, alike: float, **known: Any) -> Indicator:
    return value(text, crowd=crowd(alike), **{"hub": True, "organizations": 80} | known)


def listed(response) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="value-(\d+)"', response.text)]


# --- The list ------------------------------------------------------------------------


def test_an_empty_list_says_what_makes_a_hub(reader):
    assert "No hub yet" in reader.get(LIST).text


def test_the_hub_that_reads_most_like_a_pool_stands_first(reader):
    campus, pool = hub("203.0.113.1", 0.03), hub("203.0.113.2", 0.9)
    shown = reader.get(LIST)

    assert listed(shown) == [pool.pk, campus.pk]
    assert "reads like one pool" in shown.text
    assert "reads like unrelated people" in shown.text


def test_others_that_many_share_are_listed_when_asked_for(reader):
    one, other = hub("203.0.113.1", 0.5), hub("203.0.113.2", 0.4, hub=False)
    value("203.0.113.3")  # too few show it to be looked at

    assert listed(reader.get(LIST)) == [one.pk]
    assert listed(reader.get(LIST, {"hub": "all"})) == [one.pk, other.pk]
    assert listed(reader.get(LIST, {"hub": "no"})) == [other.pk]
    assert listed(reader.get(LIST, {"kind": "payment"})) == []
    assert listed(reader.get(LIST, {"reading": "pool"})) == [one.pk]


@pytest.mark.parametrize(
    "asked",
    ["kind=secret", "reading=guilty", "hub=yes", "sort=value", "after=x", "q=1"],
)
def test_what_is_not_understood_is_named_and_refused(reader, asked):
    response = reader.get(f"{LIST}?{asked}")
    assert response.status_code == 400
    assert f'href="{LIST}">This page without filters' in response.text


def test_the_list_costs_the_same_for_one_hub_as_for_fifty(
    reader, django_assert_max_num_queries
):
    for n in range(50):
        hub(f"203.0.113.{n}", n / 60, shown_by=1)
    reader.get(LIST)
    with django_assert_max_num_queries(11):
        reader.get(LIST)


# --- One value -----------------------------------------------------------------------


def test_the_page_of_a_hub_says_that_and_why_it_ties_nobody(reader):
    shown = reader.get(url(hub("203.0.113.1", 0.9)))

    assert "hub: makes no links" in shown.text
    assert "80 customers show it" in shown.text
    assert "ties nobody above 50" in shown.text
    assert "2 Nov 2026" in shown.text
    assert "20 Nov 2026" in shown.text


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "makes links"),
        ({"crowded": True}, "crowded place: hardly links"),
        ({"listed": True}, "public program: makes no links"),
        ({"organizations": 1}, "ties nobody"),
    ],
)
def test_every_value_says_whether_it_makes_links(reader, known, words):
    assert words in reader.get(url(value(**known))).text


@pytest.mark.parametrize(
    ("alike", "reading"),
    [
        (0.9, "Reads like one pool.</strong> Far more alike than usual in cards"),
        (0.02, "Reads like unrelated people.</strong> No more alike than usual in"),
        (0.18, "Cannot tell.</strong> Somewhat alike, and in nothing"),
    ],
)
def test_the_reading_is_said_with_what_it_rests_on(reader, alike, reading):
    shown = reader.get(url(hub("203.0.113.1", alike)))

    assert reading in shown.text
    assert "the median of 7 other values of this kind" in shown.text
    assert "no score leans on it" in shown.text


def test_a_value_of_few_says_that_it_was_not_looked_at(reader):
    assert "Too few customers show it" in reader.get(url(value())).text


def test_a_value_that_no_pass_has_seen_has_a_page(reader):
    indicator = Indicator.objects.create(kind="device", value="dev-1")
    shown = reader.get(url(indicator))

    assert "Only one account is known to show it." in shown.text
    assert "No account shows it now" in shown.text


def test_its_accounts_and_their_clusters_can_be_opened(reader):
    cluster = campaign(12)
    card = Indicator.objects.filter(kind="payment").first()
    assert card
    shown = reader.get(url(card))
    member = cluster.memberships.filter(account__sightings__indicator=card).first()
    assert member
    account = member.account

    assert f"/clusters/{cluster.ref}/?shares={card.pk}#members" in shown.text
    assert f"/accounts/{account.external_id}/" in shown.text


def test_turning_the_pages_meets_every_account_once(reader):
    page = reader.get(url(value(shown_by=120)))
    seen = re.findall(r'id="account-(\d+)"', page.text)
    while has('rel="next"', page):
        page = reader.get(the(r'rel="next" href="([^"#]+)', page))
        seen += re.findall(r'id="account-(\d+)"', page.text)
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("asked", ["sort=password", "after=1", "shares=3"])
def test_an_address_that_is_not_understood_is_refused(reader, asked):
    assert reader.get(f"{url(value())}?{asked}").status_code == 400


@pytest.mark.parametrize("pk", ["0", "999999999999999999"])
def test_a_value_that_is_not_there_is_not_found(reader, pk):
    assert reader.get(f"/indicators/{pk}/").status_code == 404


def test_the_page_costs_the_same_for_three_accounts_as_for_two_hundred(
    reader, django_assert_max_num_queries
):
    for size in (3, 200):
        indicator = value(f"198.51.100.{size}", shown_by=size, crowd=crowd(0.4))
        reader.get(url(indicator))
        with django_assert_max_num_queries(16):
            reader.get(url(indicator))


# --- What customers typed -------------------------------------------------------------


def test_the_value_itself_is_masked_everywhere(reader):
    indicator = hub("mailbox.example", 0.9, kind="email_domain")

    assert "mailbox.example" not in reader.get(LIST).text
    assert "mailbox.example" not in reader.get(url(indicator)).text


def test_ana_reads_the_value_with_a_reason_that_is_kept(signed_in, ana):
    indicator = value("<b>evil.example</b>\u202e", kind="referrer")
    client = signed_in(ana)
    shown = client.post(f"{url(indicator)}reveal/", {"reason": WHY})

    assert "&lt;b&gt;evil.example&lt;/b&gt;" in shown.text
    assert "<b>evil" not in shown.text
    entry = AuditEntry.objects.get(verb="indicator.revealed")
    assert (entry.object_ref, entry.reason) == (str(indicator.pk), WHY)


def test_without_a_good_reason_nothing_is_shown(signed_in, ana):
    indicator = value("203.0.113.77")
    shown = signed_in(ana).post(f"{url(indicator)}reveal/", {"reason": "because"})

    assert shown.status_code == 422
    assert "203.0.113.77" not in shown.text
    assert not AuditEntry.objects.filter(verb="indicator.revealed").exists()


def test_vic_is_not_offered_to_see_it(reader):
    assert "Show it in clear" not in reader.get(url(value())).text


# --- The ways there -------------------------------------------------------------------


def test_every_page_that_shows_a_shared_value_leads_to_it(reader, leo):
    cluster = campaign(12)
    card = Indicator.objects.filter(kind="payment").first()
    assert card
    member = cluster.memberships.filter(account__sightings__indicator=card).first()
    assert member
    pages = (
        reverse("clusters:detail", args=[cluster.ref]),
        reverse("clusters:evidence", args=[cluster.ref, "shared_payment"]),
        reverse("accounts:detail", args=[member.account.external_id]),
    )
    for page in pages:
        assert f'href="{url(card)}"' in reader.get(page).text, page
