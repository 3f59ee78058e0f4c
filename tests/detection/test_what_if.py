"""A cluster without one thing or another: what is left of it."""

import pytest

from ingest.models import Indicator
from investigations.detection import pipeline, selectors
from investigations.detection.accusing import Outcome
from investigations.detection.leaving_out import NOTHING, Dropped, Known
from investigations.detection.models import Cluster
from investigations.detection.recalling import known_cluster
from investigations.detection.ruleset import RULESET
from investigations.detection.what_if import (
    fallen,
    one_at_a_time,
    outcome,
)
from tests.detection.facts import NOW, take_in, telemetry

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster() -> Cluster:
    take_in(telemetry())
    pipeline.run(as_of=NOW)
    return selectors.hot_clusters().get()


@pytest.fixture
def known(cluster) -> Known:
    return known_cluster(cluster, RULESET)


@pytest.fixture
def before(known) -> Outcome:
    return outcome(known, NOTHING, RULESET)


def value(kind: str, text: str) -> int:
    return Indicator.objects.get(kind=kind, value=text).pk


def shared(known: Known) -> list[int]:
    assert known.circle
    return [v.indicator for v in known.circle.world.values if v.indicator]


def without(known: Known, before: Outcome, *signals: str, values: object = ()):
    dropped = Dropped(frozenset(signals), frozenset(values))  # type: ignore[call-overload]
    return outcome(known, dropped, RULESET, before=before)


def test_with_nothing_dropped_it_stands_as_the_pass_left_it(cluster, before):
    assert before.scored.score == pytest.approx(cluster.score, abs=0.01)
    assert before.scored.band == cluster.band
    assert before.verdict == cluster.verdict
    assert sorted(before.proposed) == cluster.proposed_ban
    assert sorted(before.held) == cluster.last_members


def test_each_signals_own_reason_says_the_same_as_the_what_if(cluster, known, before):
    told = {r["signal"]: r["without"] for r in cluster.reasons}
    for key in known.evidence:
        found = without(known, before, key).scored.score
        expected = cluster.score if told[key] is None else told[key]
        assert found == pytest.approx(expected, abs=1)


def test_without_all_its_signals_nothing_is_left_to_propose(known, before):
    bare = without(known, before, *known.evidence)

    assert bare.verdict == "insufficient_evidence"
    assert not bare.proposed
    assert bare.held == before.held  # signals tie nobody


def test_without_all_cards_the_payment_signal_is_gone_too(known, before):
    cards = [value("payment", f"card-{n}") for n in range(3)]
    bare = without(known, before, values=cards)

    assert "shared_payment" in known.evidence
    assert "shared_payment" not in {r.signal for r in bare.scored.reasons}
    assert bare.scored.decibans < before.scored.decibans


def test_without_one_card_of_three_the_signal_is_weaker_and_not_gone(known, before):
    less = without(known, before, values=[value("payment", "card-0")])
    points = {r.signal: r.points for r in less.scored.reasons}
    full = {r.signal: r.points for r in before.scored.reasons}

    assert 0 < points["shared_payment"] < full["shared_payment"]


def test_without_any_shared_value_only_what_is_none_holds_them(known, before):
    """The relay hands conversations over, and they signed up together."""
    bare = without(known, before, values=shared(known))
    support = [m.support for part in bare.parts or () for m in part.members]

    assert max(support) <= 2
    assert bare.scored.band != before.scored.band
    assert not bare.proposed
    assert not fallen(before, bare)


def test_a_what_if_never_accuses_anybody_anew(known, before):
    for key in known.evidence:
        assert without(known, before, key).proposed <= before.proposed


def test_the_thing_that_costs_most_comes_first(known, before):
    found = one_at_a_time(known, known.evidence, [], RULESET, before)

    scores = [single.outcome.scored.score for single in found]
    assert scores == sorted(scores)


def test_a_crowd_too_large_to_group_while_one_waits_is_weighed_all_the_same(
    cluster, monkeypatch
):
    monkeypatch.setattr("investigations.detection.recalling.MOST_MEMBERS", 3)
    known = known_cluster(cluster, RULESET)

    assert known.circle is None
    found = outcome(known, Dropped(frozenset(known.evidence)), RULESET)
    assert found.parts is None
    assert found.scored.score < cluster.score
