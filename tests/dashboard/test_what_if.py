"""What-if: a cluster without some of what speaks against it, on its pages."""

import re

import pytest
from django.urls import reverse

from ingest.models import Indicator
from investigations.actions.cases import open_case
from investigations.detection.models import Cluster, Score, Signal
from tests.dashboard.case_scenes import campaign
from tests.investigations.scenes import cluster_of

pytestmark = pytest.mark.django_db

SEEN = {
    "shared_payment": ("money", 0.9),
    "private_template": ("content", 1.0),
    "balanced_starts": ("time", 1.0),
    "continuation": ("content_proof", 1.0),
}


@pytest.fixture
def reader(signed_in, vic):
    return signed_in(vic)


def measured(size: int = 20, *, decibans: float = 20.0, **more: object) -> Cluster:
    """A campaign with what its detectors gave."""
    cluster = campaign(size, **more)  # type: ignore[arg-type]
    Signal.objects.bulk_create(
        Signal(
            cluster=cluster,
            detector=key,
            version=1,
            family=family,
            strength=strength,
            decibans=1,
            value=1,
            sentence="Seen.",
            as_of=cluster.updated_at,
        )
        for key, (family, strength) in SEEN.items()
    )
    Cluster.objects.filter(pk=cluster.pk).update(decibans=decibans, score=99)
    Score.objects.filter(account__membership__cluster=cluster).update(decibans=40)
    cluster.refresh_from_db()
    return cluster


def url(cluster: Cluster) -> str:
    return reverse("clusters:what_if", args=[cluster.ref])


def words(response) -> str:
    text = " ".join(re.sub(r"<[^>]+>", " ", response.text).split())
    return re.sub(r" ([,;.)])", r"\1", text)


def test_the_page_tries_each_signal_and_each_value_alone(reader):
    shown = reader.get(url(measured()))

    assert 'name="without" value="shared_payment"' in shown.text
    assert 'name="without_value"' in shown.text
    assert "Without this alone" in shown.text


def test_dropping_signals_shows_what_is_left_beside_what_there_is(reader):
    cluster = measured()
    shown = reader.get(f"{url(cluster)}?without=balanced_starts&without=continuation")

    assert "Without Balanced starts and" in words(shown)
    assert "insufficient evidence" in words(shown)
    assert "checked" in shown.text


def test_a_case_that_rests_on_one_thing_says_so(reader):
    cluster = measured(decibans=11.0)
    told = words(reader.get(url(cluster)))

    assert "It would not be the same without" in told


def test_a_case_that_rests_on_several_things_says_so(reader):
    cluster = measured(decibans=60.0)
    Signal.objects.filter(cluster=cluster, detector="balanced_starts").update(
        detector="release_pivot", family="time"
    )
    told = words(reader.get(url(cluster)))

    assert "It rests on no single thing" in told


def test_nothing_is_stored(reader):
    cluster = measured()
    before = Cluster.objects.values().get(pk=cluster.pk)
    reader.get(f"{url(cluster)}?without=continuation")

    assert Cluster.objects.values().get(pk=cluster.pk) == before


def test_the_same_address_gives_the_same_page(reader):
    cluster = measured()
    address = f"{url(cluster)}?without=shared_payment"
    assert words(reader.get(address)) == words(reader.get(address))


def test_a_value_can_be_dropped_by_its_number(reader):
    cluster = measured()
    card = Indicator.objects.filter(kind="payment").first()
    assert card
    shown = reader.get(f"{url(cluster)}?without_value={card.pk}")

    assert f"Without payment instrument #{card.pk}" in words(shown)
    assert "Hang together" in words(shown)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("without=guilt", "“guilt” is no signal of this cluster."),
        ("without=size", "“size” is no signal of this cluster."),
        ("without_value=9999999", "No two of its accounts share the value #9999999."),
        ("without_value=x", "without_value takes a whole number"),
        ("without_value=-1", "without_value takes a whole number"),
        ("without_value=99999999999999999999", "without_value takes a whole number"),
        ("drop=continuation", "“drop” is no filter of this page."),
    ],
)
def test_what_cannot_be_dropped_is_named_and_refused(reader, asked, named):
    response = reader.get(f"{url(measured())}?{asked}")
    assert response.status_code == 400
    assert named in words(response)


def test_a_cluster_page_opens_it_in_its_place(reader):
    cluster = measured()
    page = reader.get(reverse("clusters:detail", args=[cluster.ref]))
    assert f'hx-get="{url(cluster)}"' in page.text

    part = reader.get(
        url(cluster), headers={"hx-request": "true", "hx-target": "what-if"}
    )
    assert part.text.lstrip().startswith("<section")
    assert "HX-Target" in part["Vary"]


def test_a_case_has_it_too_and_one_picked_by_hand_has_none(reader, leo):
    cluster = measured()
    case = open_case(cluster=cluster, by=leo)
    address = reverse("cases:what_if", args=[case.ref])
    assert address in reader.get(reverse("cases:detail", args=[case.ref])).text
    assert f"Does {case.ref} rest on one thing?" in words(reader.get(address))

    member = cluster.memberships.first()
    assert member
    picked = open_case(accounts=[member.account], by=leo)
    none = reverse("cases:what_if", args=[picked.ref])
    assert reader.get(none).status_code == 404
    assert none not in reader.get(reverse("cases:detail", args=[picked.ref])).text


def test_no_private_value_is_on_the_page(reader):
    text = reader.get(url(measured())).text
    for secret in ("fp_9f31c2aa01", "203.0.113.0", "mailbox.example", "Northgate"):
        assert secret not in text


def test_a_cluster_of_which_nothing_was_measured_has_a_page(reader):
    shown = reader.get(url(cluster_of(3)))
    assert "There is nothing that could be dropped." in words(shown)


def test_a_cluster_that_vanished_has_nothing_that_hangs_together(reader):
    cluster = measured(12)
    cluster.memberships.all().delete()
    Cluster.objects.filter(pk=cluster.pk).update(live=False)
    told = words(reader.get(f"{url(cluster)}?without=continuation"))

    assert "Hang together 0 of 0" in told


def test_the_page_costs_the_same_for_ten_accounts_as_for_two_hundred(
    reader, django_assert_max_num_queries
):
    for size in (10, 200):
        cluster = measured(size, seed=size)
        reader.get(url(cluster))
        with django_assert_max_num_queries(18):
            reader.get(f"{url(cluster)}?without=continuation")
