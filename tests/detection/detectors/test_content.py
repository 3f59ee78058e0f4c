"""Templates (B1), harness (B3), what is asked for often (B6 to B8), sweeps."""

import pytest

from investigations.detection.detectors.private_template import pooled_templates
from investigations.detection.detectors.prompt_sweep import pooled_sweep, sweeps
from investigations.detection.detectors.reasoning_elicitation import (
    reasoning_elicitation,
)
from investigations.detection.detectors.rubric_grading import rubric_grading
from investigations.detection.detectors.sensitive_rewrite import sensitive_rewrite
from investigations.detection.detectors.tool_schema import pooled_harness
from investigations.detection.shapes import ClusterFeatures, Evidence, Norm
from tests.detection.worlds import alone, common, member, placed, pooled

INTENTS = (reasoning_elicitation, rubric_grading, sensitive_rewrite)
NORMS = {each.key: Norm(high=0.1, exceed=0.05) for each in INTENTS}


def test_a_template_that_only_the_cluster_uses_is_private():
    templates = (common("skeleton", range(10), member_requests=600, requests=620),)
    seen = pooled_templates(
        pooled(
            map(member, range(10)),
            common={"skeleton": templates},
            template_requests=1000,
        )
    )

    assert seen is not None
    assert seen.value == 0.6
    assert seen.strength == 1


def test_a_template_that_others_use_as_much_is_not():
    templates = (common("skeleton", range(10), member_requests=600, requests=1200),)

    assert (
        pooled_templates(
            pooled(
                map(member, range(10)),
                common={"skeleton": templates},
                template_requests=1000,
            )
        )
        is None
    )


def test_tools_that_only_the_cluster_offers_are_a_private_harness():
    tools = (common("tools", range(10)),)
    seen = pooled_harness(pooled(map(member, range(10)), common={"tools": tools}))

    assert seen is not None
    assert seen.strength == 1
    assert "of 990 other customers none does" in seen.sentence


def test_an_open_tool_is_no_harness():
    tools = (common("tools", range(10), accounts=120),)

    assert (
        pooled_harness(pooled(map(member, range(10)), common={"tools": tools})) is None
    )


def asking(intent: str, often: int = 12, of: int = 12, **known: object):
    """`often` of the members ask for it in most requests, the others never."""
    return pooled(
        [
            member(n, intents={intent: 80 if n < often else 0}, **known)
            for n in range(of)
        ],
        norms=NORMS,
    )


def looked(detector, seen: ClusterFeatures) -> Evidence | None:
    told: Evidence | None = detector.cluster.see(seen)
    return told


@pytest.mark.parametrize(
    ("detector", "words"),
    [
        (reasoning_elicitation, "ask for worked reasoning"),
        (rubric_grading, "ask for marks against a rubric"),
        (sensitive_rewrite, "ask to reword sensitive questions harmlessly"),
    ],
)
def test_a_cluster_that_asks_for_it_far_more_often_than_others_shows(detector, words):
    seen = looked(detector, asking(detector.key))

    assert seen is not None
    assert seen.sentence == (
        f"12 of 12 accounts {words} more often than 95% of all customers do: "
        "80% of their 1,200 requests."
    )
    assert seen.strength == 1
    assert seen.quantile == pytest.approx(0.05**12)


@pytest.mark.parametrize("detector", INTENTS, ids=lambda detector: detector.key)
@pytest.mark.parametrize(
    "known",
    [
        {"often": 1},  # one teacher among the members
        {"organization": "school"},  # a whole school is one customer
        {"requests": 10},  # a handful of requests is no rate
    ],
)
def test_one_voice_or_a_handful_of_requests_say_nothing(detector, known):
    assert looked(detector, asking(detector.key, **known)) is None


@pytest.mark.parametrize("detector", INTENTS, ids=lambda detector: detector.key)
def test_asking_for_one_thing_is_not_taken_for_asking_for_another(detector):
    for other in INTENTS:
        seen = looked(other, asking(detector.key))
        assert (seen is not None) == (other is detector)


@pytest.mark.parametrize("detector", INTENTS, ids=lambda detector: detector.key)
def test_a_member_is_told_its_own_rate_and_who_asks_otherwise_is_not(detector):
    cluster = asking(detector.key, often=11)
    place = placed(cluster, detector.key, looked(detector, cluster))

    one, other = (
        detector.account.see(alone(cluster.members[n], place=place)) for n in (0, 11)
    )
    assert one is not None and "80% of 100 requests" in one.sentence
    assert one.rows.filters["intents"] == [detector.key]
    assert other is None


def sweeping(number: int, **known: object):
    habit = {"conversations": 100, "single_shots": 98, "distinct_skeletons": 97}
    return member(number, **(habit | known))


@pytest.mark.parametrize(
    "person",
    [
        {"single_shots": 40},  # asks back
        {"distinct_skeletons": 10},  # a product's one template
        {"requests": 10, "distinct_skeletons": 10, "conversations": 10},
        {"conversations": 0, "single_shots": 0},  # the platform tells no conversations
    ],
)
def test_who_asks_back_repeats_or_hardly_asks_does_not_sweep(person):
    assert not sweeps(sweeping(1, **person))


def test_a_cluster_of_sweepers_among_people_who_ask_back_shows():
    seen = pooled_sweep(
        pooled(map(sweeping, range(10)), others_compared=200, others_sweeping=10)
    )

    assert seen is not None
    assert "10 of 10 accounts send one new prompt after another" in seen.sentence


def test_where_everybody_sweeps_a_cluster_of_sweepers_is_ordinary():
    assert (
        pooled_sweep(
            pooled(map(sweeping, range(10)), others_compared=200, others_sweeping=190)
        )
        is None
    )
