"""What members do with the model beside comparable customers (B4, B5, E2)."""

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest import fingerprints
from ingest.texts import likeness
from investigations.detection.detectors.capability_concentration import (
    own_share,
    pooled_mix,
)
from investigations.detection.detectors.parameter_fixity import (
    own_settings,
    pooled_settings,
)
from investigations.detection.detectors.sameness import own_subject, pooled_subjects
from investigations.detection.features.habits import LENGTH
from investigations.detection.pooling import pool
from investigations.detection.shapes import (
    AccountFeatures,
    ClusterFeatures,
    FoundCluster,
    Member,
)
from investigations.detection.used_settings import UsedSettings
from tests.detection.worlds import alone, member, placed, pooled, population


def cluster_of(
    size: int, people: list[AccountFeatures], **known: object
) -> ClusterFeatures:
    """The first `size` of these people, beside all the others."""
    members = tuple(Member(each.account, 1.0, 2) for each in people[:size])
    return pool(population(people, **known), FoundCluster(members))


def mixed(first: int, count: int = 200, **known: object) -> list[AccountFeatures]:
    """Customers of whom each asks for something else, or nothing with a name."""
    names = ("agentic_coding", "vision", "data_analysis", "tool_use", "")
    return [
        member(n, **({"intents": {names[n % 5]: 70} if n % 5 < 4 else {}} | known))
        for n in range(first, first + count)
    ]


def specialists(count: int = 12, **known: object) -> list[AccountFeatures]:
    habit = {"intents": {"data_analysis": 80}}
    return [member(n, **(habit | known)) for n in range(1, count + 1)]


def test_a_cluster_that_asks_for_one_thing_only_stands_out_among_mixed_customers():
    seen = pooled_mix(cluster_of(12, [*specialists(), *mixed(20)]))

    assert seen is not None
    assert seen.value == pytest.approx(0.8)
    assert seen.baseline == pytest.approx(0.14)
    assert seen.quantile == pytest.approx(1 / 1001)
    assert seen.strength == 1
    assert "80% of their requests are about data analysis" in seen.sentence
    assert seen.rows.count == 12 * 80
    assert seen.rows.filters["intents"] == ["data_analysis"]


def test_a_cluster_as_mixed_as_the_others_says_nothing():
    assert pooled_mix(cluster_of(20, mixed(1, 220))) is None


def test_where_everybody_comparable_asks_the_same_nothing_is_special():
    """Programmers are compared with programmers."""
    agents = specialists(12, tool_requests=90)
    others = specialists(112, tool_requests=90)[12:]

    assert pooled_mix(cluster_of(12, [*agents, *others, *mixed(200)])) is None


def test_customers_who_offer_no_tools_are_no_comparison_for_those_who_do():
    agents = specialists(12, tool_requests=90)

    assert pooled_mix(cluster_of(12, [*agents, *mixed(20)])) is None
    assert pooled_mix(cluster_of(12, [*agents, *mixed(20, tool_requests=90)]))


def test_a_little_more_than_others_says_nothing_however_sure():
    steady = specialists(60, intents={"data_analysis": 22})

    assert pooled_mix(cluster_of(60, [*steady, *mixed(100)])) is None


def test_one_organisation_of_specialists_says_nothing():
    company = specialists(12, organization="acme")

    assert pooled_mix(cluster_of(12, [*company, *mixed(20)])) is None


def test_a_member_is_told_its_share_and_who_does_something_else_is_not():
    odd = [member(13, intents={"vision": 90})]
    cluster = cluster_of(13, [*specialists(), *odd, *mixed(20)])
    place = placed(cluster, "capability_concentration", pooled_mix(cluster))

    one, other = (own_share(alone(cluster.members[n], place=place)) for n in (0, 12))
    assert one is not None and one.sentence.startswith("80% of 100 requests")
    assert other is None


def test_nothing_is_said_of_a_cluster_that_nobody_is_comparable_with():
    assert pooled_mix(pooled(specialists())) is None


# --- Settings ---------------------------------------------------------------------

HOUSE = {"0.3|1536": 95, "1|1536": 5}  # what the cluster's program sends


def sending(*settings: dict[str, int], strangers: int = 100, **known: object):
    """A cluster whose members send these settings, among strangers who each have a
    product or leave the settings alone."""
    size = len(settings)
    people = [member(n, **known) for n in range(1, size + 1)]
    people += [member(n) for n in range(size + 1, size + strangers + 1)]
    told = dict(enumerate(settings, 1))
    for own in people[size:]:
        n = own.account
        told[n] = {f"0.7|{n}": 100} if n % 2 else {"-|-": 100}
    return cluster_of(size, people, settings=told)


def test_strangers_who_fix_the_same_settings_show():
    seen = pooled_settings(sending(*[HOUSE] * 9, {"1|64": 40, "0|9": 40}))

    assert seen is not None
    assert seen.strength == 0.9
    assert seen.sentence.startswith(
        "9 of 10 accounts send nine in ten requests with the same settings "
        "(temperature 0.3, token limit 1536), of other customers under 1%"
    )
    assert seen.rows.filters["accounts"] == list(range(1, 10))
    assert seen.rows.count == 900


@pytest.mark.parametrize(
    "settings",
    [
        {"-|-": 100},  # nobody set anything
        {"0.3|1536": 60, "1|1536": 40},  # tries some
        {"0.3|1536": 10},  # a handful of requests
    ],
)
def test_settings_left_alone_tried_out_or_hardly_used_are_not_fixed(settings):
    assert pooled_settings(sending(*[settings] * 10)) is None


def test_a_default_that_most_of_the_world_sends_says_nothing():
    popular = sending(*[HOUSE] * 10)
    others = UsedSettings.of([HOUSE] * 85 + [{"-|-": 100}] * 15)
    crowd = replace(popular, habits=replace(popular.habits, others_settings=others))

    assert pooled_settings(crowd) is None
    assert pooled_settings(popular) is not None


def test_the_settings_of_one_organisation_say_nothing():
    assert pooled_settings(sending(*[HOUSE] * 10, organization="acme")) is None


def test_too_few_others_are_no_comparison():
    assert pooled_settings(sending(*[HOUSE] * 10, strangers=20)) is None


def test_the_variety_of_settings_is_told_in_bits():
    even = {"0.3|1536": 50, "1|1536": 50}
    seen = pooled_settings(sending(*[{"0.3|1536": 100}] * 5, even, even))

    assert seen is not None
    assert seen.value == pytest.approx(0.592, abs=1e-3)  # of 600 to 100


def test_a_member_with_the_clusters_settings_is_told_so_and_others_are_not():
    cluster = sending(*[HOUSE] * 9, {"-|-": 90})
    place = placed(cluster, "parameter_fixity", pooled_settings(cluster))

    one, other = (own_settings(alone(cluster.members[n], place=place)) for n in (0, 9))
    assert one is not None and one.sentence.startswith("Sends 95% of 100 requests")
    assert other is None


def test_a_world_in_which_hardly_anybody_asks_anything_has_no_habits():
    quiet = [member(n, requests=3) for n in range(1, 30)]

    assert pooled_mix(cluster_of(10, quiet)) is None


# --- Subjects ---------------------------------------------------------------------


WIDTH = 96
DIRECTIONS = np.linalg.qr(np.random.default_rng(7).normal(size=(WIDTH, WIDTH)))[0]


def about(*subjects: float) -> np.ndarray:
    """A mean embedding: how much of each subject, in fixed directions."""
    rest = [0.0] * (WIDTH - 1 - len(subjects))
    mean: np.ndarray = np.sqrt(np.array([0.6, *subjects, *rest])) @ DIRECTIONS
    return mean


def asking(inside: list[np.ndarray], **known: object) -> ClusterFeatures:
    """Members who ask about these, among 120 strangers who ask about one of thirty
    subjects each."""
    size = len(inside)
    people = [member(n, **known) for n in range(1, size + 1)]
    people += [member(n) for n in range(size + 1, size + 121)]
    told = dict(enumerate(inside, 1))
    for own in people[size:]:
        told[own.account] = about(*[0.0] * (1 + own.account % 30), 0.3)
    return cluster_of(size, people, subjects=told)


def test_strangers_who_ask_about_the_same_stand_out():
    seen = pooled_subjects(asking([about(0.3)] * 8))

    assert seen is not None
    assert seen.value == pytest.approx(0.9)
    assert seen.baseline == pytest.approx(0.61, abs=0.02)
    assert seen.quantile == pytest.approx(1 / 1001)
    assert seen.strength == 1
    assert "alike by 0.90 on average" in seen.sentence
    assert "over 8 customers" in seen.sentence


def test_accounts_that_carry_everybodys_prompts_are_no_more_alike_than_strangers():
    """A relay's accounts: each is near the mean of all, which is no likeness."""
    everybody = np.mean([about(*[0.0] * n, 0.3) for n in range(1, 31)], axis=0)

    assert pooled_subjects(asking([everybody] * 12)) is None


def test_strangers_with_a_subject_each_say_nothing():
    apart = [about(*[0.0] * n, 0.3) for n in range(8)]

    assert pooled_subjects(asking(apart)) is None


def test_being_a_little_more_alike_says_nothing_however_sure():
    close = [about(0.015, *[0.0] * n, 0.3) for n in range(1, 13)]
    seen = asking(close)

    assert pooled_subjects(seen) is None


def test_one_product_under_one_organisation_says_nothing():
    assert pooled_subjects(asking([about(0.3)] * 8, organization="acme")) is None


def test_programmers_are_compared_with_programmers():
    """Nobody else outside offers tools, so there is nothing to compare with."""
    assert pooled_subjects(asking([about(0.3)] * 8, tool_requests=90)) is None


def test_a_member_that_asks_about_something_else_is_not_told_it_does():
    cluster = asking([*[about(0.3)] * 8, about(*[0.0] * 40, 0.3)])
    place = placed(cluster, "sameness", pooled_subjects(cluster))

    one, other = (own_subject(alone(cluster.members[n], place=place)) for n in (0, 8))
    assert one is not None and "among comparable customers it is 0.61" in one.sentence
    assert other is None


# --- Subjects, on prompts of other people -----------------------------------------
CORPORA = Path(__file__).resolve().parents[4] / "shared" / "data" / "prompts"
needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the evaluation corpora are not beside the repository"
)
KEY = fingerprints.subkey("a master key of the installation", "fingerprint")
PEOPLE = ("dolly_3k", "arena_hard_v01", "hh_rlhf_harmless")


def prompts(corpus: str) -> list[str]:
    with gzip.open(CORPORA / f"{corpus}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [str(json.loads(line)["text"]) for line in lines]
    random.Random(corpus).shuffle(texts)
    return texts[:1500]


def shards(texts: list[str], count: int) -> list[np.ndarray]:
    """Mean embeddings of accounts with 25 of these prompts each."""
    made = fingerprints.fingerprint_many(texts[: 25 * count], KEY)
    parts = [made[25 * n : 25 * n + 25] for n in range(count)]
    sums = [likeness.add_up([(p.embedding, 1) for p in part]) for part in parts]
    return [each.total / (each.count * LENGTH) for each in sums]


def among_people(inside: list[np.ndarray]) -> ClusterFeatures:
    outside = [mean for name in PEOPLE for mean in shards(prompts(name), 19)]
    told = dict(enumerate([*inside, *outside], 1))
    return cluster_of(len(inside), [member(n) for n in told], subjects=told)


@needs_corpora
@pytest.mark.parametrize("corpus", ["gsm8k_train", "bbh"])
def test_a_narrow_subject_shows_whether_it_is_harvested_or_a_benchmark(corpus):
    seen = pooled_subjects(among_people(shards(prompts(corpus), 12)))

    assert seen is not None and 0.1 < seen.strength < 0.8


@needs_corpora
@pytest.mark.parametrize("corpus", ["alpaca_5000", "hh_rlhf_harmless"])
def test_a_broad_subject_does_not_show_though_it_may_be_harvested(corpus):
    assert pooled_subjects(among_people(shards(prompts(corpus), 12))) is None


@needs_corpora
def test_a_relay_of_anybodys_prompts_does_not_show():
    mixed = [text for name in PEOPLE for text in prompts(name)]
    random.Random(5).shuffle(mixed)

    assert pooled_subjects(among_people(shards(mixed, 12))) is None
