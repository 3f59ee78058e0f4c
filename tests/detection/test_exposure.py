"""What left through a cluster is the sum of what left through its members."""

from collections import Counter

import pytest

from ingest.fingerprints import INTENT_BITS
from ingest.models import Account, Event
from investigations.detection import features
from investigations.detection.features import Clock
from investigations.detection.features.clock import open_day
from tests.detection.facts import ATTACKERS, NOW, exchange, take_in, telemetry

pytestmark = pytest.mark.django_db

SOME, OTHERS = 7, 8  # numbers of clusters


def members(names: list[str], cluster: int) -> list[tuple[int, int]]:
    found = Account.objects.filter(external_id__in=names)
    return [(pk, cluster) for pk in found.values_list("pk", flat=True)]


@pytest.fixture
def town() -> None:
    other = exchange("other-model", ATTACKERS[0], NOW, "DE") | {"model": "nova-1"}
    take_in([*telemetry(), other])
    open_day(Clock(NOW))


def test_exchanges_tokens_models_intents_and_days_add_up(town):
    theirs = Event.objects.filter(account__external_id__in=ATTACKERS, kind="request")
    told = list(theirs.values_list("occurred_at", "model", "intents", "output_tokens"))

    left = features.totals(members(ATTACKERS, SOME), Clock(NOW))[SOME]

    assert left.exchanges == len(told)
    assert left.output_tokens == sum(tokens or 0 for *_, tokens in told)
    assert (left.since, left.until) == (min(told)[0], max(told)[0])
    assert left.days == len({at.date() for at, *_ in told})
    assert left.by_model == Counter(model for _, model, *_ in told)
    assert len(left.by_model) == 2
    assert left.by_intent == Counter(
        name
        for _, _, bits, _ in told
        for name, bit in INTENT_BITS.items()
        if (bits or 0) & bit
    )
    assert left.by_intent


def test_each_cluster_has_its_own_sums(town):
    half, rest = ATTACKERS[:5], ATTACKERS[5:]

    left = features.totals(members(half, SOME) + members(rest, OTHERS), Clock(NOW))

    for cluster, names in ((SOME, half), (OTHERS, rest)):
        theirs = Event.objects.filter(account__external_id__in=names)
        assert left[cluster].exchanges == theirs.count()


def test_a_cluster_that_exchanged_nothing_has_no_sums(town):
    Account.objects.create(external_id="silent", first_seen_at=NOW)

    assert features.totals(members(["silent"], SOME), Clock(NOW)) == {}
