"""The demo world through the real ingest: campaigns found, look-alikes left alone.

What the machine believes is compared with the world's truth, which no step reads.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import transaction

from ingest.demo.accounts import Record
from ingest.demo.world import World
from ingest.drain import writers
from ingest.models import Account, Source
from ingest.rolling import rollups
from investigations.detection import pipeline
from investigations.detection.models import Cluster, Membership, Score

pytestmark = pytest.mark.django_db

ENDS_AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
# Account id → (population, campaign).
Truth = dict[str, tuple[str, str | None]]


@pytest.fixture(scope="module")
def truth(django_db_setup, django_db_blocker) -> Iterator[Truth]:
    """A fifth of the demo world, ingested and looked at once for all tests here."""
    world = World(seed=3, ends_at=ENDS_AT, accounts=600, exchanges=30_000)
    with django_db_blocker.unblock(), transaction.atomic():
        take_in(world.records())
        pipeline.run(as_of=ENDS_AT)
        yield {
            row["account_id"]: (row["population"], row["campaign"])
            for row in world.truth()
        }
        transaction.set_rollback(True)


def take_in(records: Iterable[Record]) -> None:
    origin = writers.Origin(Source.objects.create(name="demo"), way_in="file")
    lines = (json.dumps(record).encode() + b"\n" for record in records)
    with time_machine.travel(ENDS_AT, tick=False):
        writers.accept(lines, origin)
        writers.store_pending()
    while rollups.refresh_stale():
        pass


def attackers(truth: Truth, campaign: str | None = None) -> set[str]:
    """Of one campaign or of all, without those the provider had banned by itself."""
    banned = set(
        Account.objects.filter(status="banned").values_list("external_id", flat=True)
    )
    return {
        name
        for name, (_, which) in truth.items()
        if which and (campaign is None or which == campaign)
    } - banned


def proposed() -> set[str]:
    pks = {pk for cluster in Cluster.objects.all() for pk in cluster.proposed_ban}
    accounts = Account.objects.filter(pk__in=pks)
    return set(accounts.values_list("external_id", flat=True))


@pytest.mark.parametrize("campaign", ["hydra", "reasoning"])
def test_both_campaigns_are_found_almost_whole(truth, campaign):
    found = attackers(truth, campaign) & proposed()

    assert len(found) >= 0.95 * len(attackers(truth, campaign))


def test_nobody_innocent_is_proposed_for_a_ban(truth):
    assert proposed() - attackers(truth) == set()


def test_no_innocent_stands_in_a_cluster_that_proposes_a_ban(truth):
    members = Membership.objects.exclude(cluster__proposed_ban=[])
    names = set(members.values_list("account__external_id", flat=True))

    assert {truth[name][0] for name in names if truth[name][1] is None} == set()


def test_the_resale_pool_is_called_one_and_nobody_of_it_is_proposed(truth):
    members = Membership.objects.filter(
        account__external_id__in=[n for n in truth if truth[n][0] == "relay_resale"]
    )

    verdicts = set(members.values_list("cluster__verdict", flat=True))
    assert verdicts <= {"resale_pool", "insufficient_evidence"}


@pytest.mark.parametrize(
    "population",
    [
        "campus",
        "student_lab",
        "hackathon",
        "startup",
        "white_label_agency",
        "round_the_clock_agent",
        "family",
        "reseller",
        "licensed_distiller",
        "evaluator",
        "corporate_vpn",
        "enthusiast",
        "shared_chat",
        "hobbyist",
        "developer",
    ],
)
def test_a_look_alike_never_reaches_the_review_band(truth, population):
    names = [name for name in truth if truth[name][0] == population]
    scores = Score.objects.filter(account__external_id__in=names)

    assert names
    assert scores.order_by("-score")[0].score < 70
