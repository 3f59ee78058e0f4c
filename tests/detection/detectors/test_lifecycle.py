"""What speaks of an operator who was here before."""

from dataclasses import replace

from investigations.detection.detectors.re_emergence import (
    pooled_likeness,
    shows_what_the_past_one_did,
)
from investigations.detection.scoring import score_cluster
from investigations.detection.shapes import Agreement, Resemblance
from tests.detection.worlds import NOW, alone, member, placed, pooled

FOUND = Resemblance(
    cluster=17,
    guilty=True,
    decided_at=NOW,
    likeness=0.42,
    quantile=0.001,
    compared=812,
    agreements=(
        Agreement("tools", 1.0, 0.001),
        Agreement("cards", 0.5, 0.001),
        Agreement("subjects", 0.9, 0.004),
    ),
    indicators=(5, 6),
    showing={1: 2, 2: 1},
)
MEMBERS = [member(n) for n in range(1, 9)]


def like(found: Resemblance | None):
    return pooled(MEMBERS, resembles=found)


def test_the_sentence_names_the_past_cluster_and_the_ways():
    seen = pooled_likeness(like(FOUND))

    assert seen is not None
    assert seen.sentence.startswith(
        "Resembles CL-17 (confirmed on 18 November 2026) in 3 ways: its tool schema, "
        "its cards and what it asks about."
    )
    assert (seen.strength, seen.quantile) == (1.0, 0.001)
    assert (seen.rows.table, seen.rows.count) == ("sighting", 3)


def test_what_people_found_innocent_adds_nothing():
    assert pooled_likeness(like(replace(FOUND, guilty=False))) is None
    assert pooled_likeness(like(None)) is None


def test_two_ways_and_a_common_likeness_add_less():
    two = replace(FOUND, agreements=FOUND.agreements[:2])
    common = replace(FOUND, quantile=0.01)
    told = [pooled_likeness(like(each)) for each in (FOUND, two, common)]
    strengths = [seen.strength for seen in told if seen is not None]

    assert len(strengths) == 3
    assert strengths[0] > strengths[1] > strengths[2] > 0


def test_without_shared_values_the_requests_are_shown():
    seen = pooled_likeness(like(replace(FOUND, indicators=(), showing={})))

    assert seen is not None
    assert (seen.rows.table, seen.rows.count) == ("event", 800)


def test_likeness_alone_is_far_from_a_ban():
    cluster = like(FOUND)
    seen = pooled_likeness(cluster)
    assert seen is not None
    scored, _ = score_cluster(cluster, {"re_emergence": seen})

    assert scored.score < 5


def test_only_a_member_that_shows_a_shared_value_itself_is_told_so():
    place = placed(like(FOUND), "re_emergence", pooled_likeness(like(FOUND)))
    shows = shows_what_the_past_one_did(alone(member(1), place=place))

    assert shows is not None
    assert shows.rows.filters == {"accounts": [1], "indicators": [5, 6]}
    assert shows.rows.count == 2
    assert shows_what_the_past_one_did(alone(member(3), place=place)) is None
