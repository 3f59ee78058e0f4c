"""Invented telemetry of a new sender gets nobody banned."""

from datetime import timedelta

import pytest

from ingest.models import Account, Source
from investigations.detection import pipeline, selectors
from tests.detection.facts import ATTACKERS, NOW, PEOPLE, framing, take_in, telemetry

pytestmark = pytest.mark.django_db
VICTIM = PEOPLE[0]


def run():
    pipeline.run(as_of=NOW)
    return selectors.hot_clusters().get()


def names(pks):
    found = Account.objects.filter(pk__in=pks).values_list("external_id", flat=True)
    return sorted(found)


def grown_old(source_name, days):
    Source.objects.filter(name=source_name).update(
        created_at=NOW - timedelta(days=days)
    )


@pytest.fixture
def framed():
    take_in(telemetry())
    grown_old("gateway", 300)
    take_in(framing(VICTIM), "side door")
    grown_old("side door", 0)


def test_who_is_accused_by_a_new_source_alone_is_not_proposed(framed):
    cluster = run()

    assert VICTIM in names(cluster.last_members)
    assert names(cluster.proposed_ban) == ATTACKERS
    assert names(cluster.withheld) == [VICTIM]


def test_the_cluster_says_who_told_it_and_that_nobody_else_does(framed):
    told = run().withheld_because

    assert told.startswith("1 account is not proposed for a ban")
    assert "(side door)" in told


def test_a_main_gateway_is_believed_from_its_first_day(framed):
    grown_old("gateway", 0)

    cluster = run()

    assert names(cluster.proposed_ban) == ATTACKERS
    assert names(cluster.withheld) == [VICTIM]


def test_a_source_of_long_standing_is_believed(framed):
    grown_old("side door", 30)

    assert VICTIM in names(run().proposed_ban)


def test_with_a_single_source_there_is_nobody_else_to_ask():
    take_in(telemetry())
    take_in(framing(VICTIM))

    cluster = run()

    assert VICTIM in names(cluster.proposed_ban)
    assert cluster.withheld_because == ""
