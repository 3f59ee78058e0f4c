"""How often a detector was right, asked of the accounts that people have judged."""

import pytest
from django.urls import reverse

from investigations import selectors
from investigations.actions.decisions import restore_accounts
from investigations.detection.models import Cluster, Link, Signal
from tests.dashboard.reading import the
from tests.investigations.scenes import case_of, decide

pytestmark = pytest.mark.django_db


def seen(cluster: Cluster, *detectors: str) -> None:
    for detector in detectors:
        Signal.objects.create(
            cluster=cluster,
            detector=detector,
            version=1,
            family="money",
            strength=1,
            decibans=9,
            value=1,
            as_of=cluster.updated_at,
        )


def tied(cluster: Cluster, *kinds: str) -> None:
    members = sorted(cluster.memberships.values_list("account", flat=True))
    for a, b in zip(members, members[1:], strict=False):
        Link.objects.create(
            account_a_id=a,
            account_b_id=b,
            weight=0.9,
            families=2,
            evidence=[{"kind": kind} for kind in kinds],
        )


def decided(size: int, verdict: str, by, *detectors: str, kinds=("payment",)):
    case = case_of(size, by)
    assert case.cluster
    seen(case.cluster, *detectors)
    tied(case.cluster, *kinds)
    return decide(case, by, verdict=verdict)


def test_without_a_decision_there_is_no_precision(ana):
    case = case_of(3, ana)
    assert case.cluster
    seen(case.cluster, "shared_payment")

    assert selectors.precision_of_detectors() == {}


def test_confirmed_and_cleared_accounts_are_counted_by_detector_and_link(ana):
    decided(8, "ban", ana, "shared_payment", "tool_schema")
    decided(2, "clear", ana, "shared_payment", kinds=("address",))

    found = selectors.precision_of_detectors()
    assert (found["shared_payment"].confirmed, found["shared_payment"].accounts) == (
        8,
        10,
    )
    assert found["tool_schema"].share == 1
    links = selectors.precision_of_links()
    assert {kind: each.share for kind, each in links.items()} == {
        "payment": 1,
        "address": 0,
    }


def test_the_accounts_of_one_case_count_as_one_word(ana):
    decided(20, "ban", ana, "shared_payment")

    assert selectors.precision_of_detectors()["shared_payment"].effective == 1


def test_cases_of_equal_size_count_each(ana):
    for _ in range(3):
        decided(4, "ban", ana, "shared_payment")

    assert selectors.precision_of_detectors()["shared_payment"].effective == 3


def test_a_restored_account_counts_against_what_accused_it(ana):
    decision = decided(4, "ban", ana, "shared_payment")
    account = decision.target_list.targets.first().account_id
    Signal.objects.all().delete()  # the machine has long changed its mind
    restore_accounts(
        decision=decision,
        account_ids=[account],
        reason="The customer showed that the card is a company's own.",
        by=ana,
    )

    found = selectors.precision_of_detectors()["shared_payment"]
    assert (found.confirmed, found.accounts) == (3, 4)


def test_what_saw_nothing_is_not_asked(ana):
    case = case_of(3, ana)
    assert case.cluster
    seen(case.cluster, "shared_payment")
    Signal.objects.update(decibans=0)
    decide(case, ana, verdict="ban")

    assert selectors.precision_of_detectors() == {}


def test_the_rules_page_shows_it_with_its_interval_and_says_what_it_is(
    signed_in, vic, ana
):
    decided(8, "ban", ana, "shared_payment")
    decided(8, "clear", ana, "shared_payment")
    response = signed_in(vic).get(reverse("settings:rules"))

    row = the(r"<tr>\s*<th[^>]*>Shared payment.*?</th>(.*?)</tr>", response)
    assert "50% (9% to 91%)" in row
    assert "16 accounts, 2 cases" in row
    other = the(r"<tr>\s*<th[^>]*>Prompt sweep.*?</th>(.*?)</tr>", response)
    assert "no labels yet" in other
    assert "precision on decided cases, not field precision" in response.text


def test_the_page_of_a_reason_says_how_often_its_detector_was_right(
    signed_in, vic, ana
):
    decided(8, "ban", ana, "shared_payment")
    case = case_of(3, ana)
    assert case.cluster
    reasons = [
        {
            "signal": signal,
            "title": signal,
            "points": 9,
            "sentence": "It was seen.",
            "rows": {"table": "account", "filters": {"accounts": []}, "count": 1},
        }
        for signal in ("shared_payment", "size")
    ]
    Cluster.objects.filter(pk=case.cluster.pk).update(reasons=reasons)
    client = signed_in(vic)
    page = client.get(
        reverse("clusters:evidence", args=[case.cluster.pk, "shared_payment"])
    )
    assert "100% (21% to 100%) of 8 accounts, 1 case" in page.text
    size = client.get(reverse("clusters:evidence", args=[case.cluster.pk, "size"]))
    assert "Precision" not in size.text
