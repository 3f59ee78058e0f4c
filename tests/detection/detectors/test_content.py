"""Templates (B1), harness (B3), reasoning and rubrics (B6, B7), sweeps."""

import pytest

from investigations.detection.detectors.private_template import pooled_templates
from investigations.detection.detectors.prompt_sweep import pooled_sweep, sweeps
from investigations.detection.detectors.reasoning_elicitation import pooled_rates
from investigations.detection.detectors.tool_schema import pooled_harness
from investigations.detection.shapes import Norm
from tests.detection.worlds import common, member, pooled

NORMS = {
    "reasoning_elicitation": Norm(high=0.1, exceed=0.05),
    "rubric_grading": Norm(high=0.1, exceed=0.05),
}


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


def asking(often: int, of: int = 12, **known: object):
    """`often` of the members ask for reasoning in most requests, the others never."""
    return pooled(
        [
            member(
                n, intents={"reasoning_elicitation": 80 if n < often else 0}, **known
            )
            for n in range(of)
        ],
        norms=NORMS,
    )


def test_a_cluster_that_asks_for_reasoning_far_more_often_than_others_shows():
    seen = pooled_rates(asking(12))

    assert seen is not None
    assert seen.sentence == (
        "12 of 12 accounts ask for worked reasoning more often than 95% of all "
        "customers do: 80% of their 1,200 requests."
    )
    # One intent of two, so at most half.
    assert seen.strength == pytest.approx(0.5)


def test_one_teacher_among_the_members_says_nothing():
    assert pooled_rates(asking(1)) is None


def test_a_whole_school_that_is_one_organisation_says_nothing():
    assert pooled_rates(asking(12, organization="school")) is None


def test_accounts_with_a_handful_of_requests_have_no_rate():
    assert pooled_rates(asking(12, requests=10)) is None


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
