"""What had left by the first flag, the case, the decision and its effect."""

from datetime import timedelta

import pytest
from django.utils import timezone

from investigations import selectors
from investigations.detection.models import ClusterHour, Exposure
from investigations.models import Effect
from tests.investigations.scenes import case_of, decide

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(ana):
    """Ten hours of ten exchanges, half of them agentic; flagged after four of them."""
    case = case_of(6, ana)
    assert case.cluster is not None
    begin = timezone.now().replace(minute=0, second=0, microsecond=0)
    begin -= timedelta(hours=10)
    ClusterHour.objects.bulk_create(
        ClusterHour(
            cluster=case.cluster,
            hour=begin + timedelta(hours=n),
            requests=10,
            output_tokens=1000,
            by_intent={"agentic_coding": 5},
        )
        for n in range(10)
    )
    Exposure.objects.create(
        cluster=case.cluster,
        exchanges=100,
        output_tokens=10_000,
        by_intent={"agentic_coding": 50},
    )
    case.cluster.first_flagged_at = begin + timedelta(hours=4)
    case.cluster.save()
    return case


def steps(case):
    case.cluster.refresh_from_db()
    return {step.name: step for step in selectors.milestones(case)}


def test_before_the_first_flag_two_fifths_had_left(case):
    flag = steps(case)["First flag"]

    assert (flag.exchanges, flag.output_tokens, flag.percent) == (40, 4000, 40)
    assert flag.by_intent == [("agentic_coding", 20)]


def test_by_the_time_the_case_was_opened_all_of_it_had(case):
    assert steps(case)["Case opened"].exchanges == 100


def test_what_has_not_happened_yet_has_no_time(case):
    assert steps(case)["Decision"].at is None
    assert steps(case)["Last effect"].at is None


def test_a_decision_and_its_delivery_are_steps_too(case, leo):
    decision = decide(case, leo)
    Effect.objects.filter(decision=decision).update(
        state=Effect.State.DELIVERED, delivered_at=timezone.now()
    )

    assert steps(case)["Decision"].at == decision.made_at
    assert steps(case)["Last effect"].exchanges == 100


def test_a_case_without_measurements_has_none(ana):
    assert selectors.milestones(case_of(3, ana)) == []
