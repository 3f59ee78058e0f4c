"""The measures, on cases small enough to do by hand."""

import pytest

from dashboard.evaluation import (
    Export,
    answer_of,
    average_precision,
    b_cubed,
    bystanders,
    calibration_error,
    cohorts_in_bans,
    large_pools,
    rates,
    reliability,
    wilson,
)
from dashboard.evaluation_report import as_text, judge


def truth_row(account_id, population="hobbyist", campaign=None, pool=None):
    return {
        "account_id": account_id,
        "population": population,
        "campaign": campaign,
        "pool": pool,
    }


def test_rates_count_the_right_among_the_named_and_the_guilty():
    found = rates({"a", "b", "x"}, {"a", "b", "c", "d"})
    assert (found.precision, found.recall) == (2 / 3, 0.5)


def test_rates_of_nothing_are_unknown():
    assert rates(set(), set()).precision is None
    assert rates(set(), set()).recall is None


def test_average_precision_of_a_perfect_order_is_one():
    assert average_precision({"a": 90, "b": 80, "x": 10}, {"a", "b"}) == 1.0


def test_average_precision_by_hand():
    # Right, wrong, right: 1/2 × 1/1 + 1/2 × 2/3.
    scores = {"a": 90, "x": 80, "b": 70}
    assert average_precision(scores, {"a", "b"}) == pytest.approx(5 / 6)


def test_equal_scores_stand_together_in_average_precision():
    assert average_precision({"a": 50, "x": 50}, {"a"}) == 0.5


def test_a_guilty_account_without_a_score_counts_as_missed():
    assert average_precision({"x": 0, "a": 0}, {"a", "b"}) == pytest.approx(2 / 3)


def test_scores_that_are_shares_have_no_calibration_error():
    scores = {"a": 75.0, "b": 75.0, "c": 75.0, "x": 75.0} | {
        f"y{n}": 0 for n in range(9)
    }
    bins = reliability(scores, {"a", "b", "c"})

    assert [(each.accounts, each.guilty) for each in bins] == [(9, 0.0), (4, 0.75)]
    assert calibration_error(bins) == 0


def test_calibration_error_by_hand():
    # One at 90 who is guilty, three at 20 of whom one is.
    bins = reliability({"a": 90, "b": 20, "x": 20, "y": 20}, {"a", "b"})

    assert calibration_error(bins) == pytest.approx((0.1 + 3 * (1 / 3 - 0.2)) / 4)


def test_of_nobody_there_is_no_calibration_error():
    assert calibration_error([]) is None


def test_b_cubed_of_the_true_clustering_is_one():
    truth = {"a": "1", "b": "1", "c": "2"}
    assert b_cubed(truth, truth) == (1.0, 1.0)


def test_b_cubed_by_hand():
    # One cluster of all: precision (2/3 + 2/3 + 1/3) / 3, recall 1.
    found = dict.fromkeys("abc", "one")
    precision, recall = b_cubed(found, {"a": "1", "b": "1", "c": "2"})
    assert precision == pytest.approx(5 / 9)
    assert recall == 1.0


def test_what_is_in_no_cluster_stands_alone():
    assert b_cubed({}, {"a": "1", "b": "1"}) == (1.0, 0.5)


def test_wilson_by_the_book():
    # Newcombe, Statistics in Medicine 1998, table I: 81 of 263.
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_wilson_of_no_hits_still_leaves_room():
    low, high = wilson(0, 100)
    assert low == 0.0
    assert high == pytest.approx(0.037, abs=0.0005)
    assert wilson(0, 0) == (0.0, 1.0)


def test_bystanders_are_counted_by_population_and_grey_ones_are_not():
    answer = answer_of(
        [
            truth_row("a", "campus"),
            truth_row("b", "campus"),
            truth_row("c", "hydra", campaign="hydra"),
            truth_row("d", "relay_resale"),
        ]
    )
    rows = bystanders(answer, hot={"a", "c", "d"}, banned={"b", "d"})
    assert [(r.population, r.accounts) for r in rows] == [
        ("campus", 2),
        ("all innocents", 2),
    ]
    assert (rows[0].in_hot_clusters, rows[0].in_proposed_bans) == (1, 1)


def test_a_cohort_counts_as_banned_from_half_of_it_on():
    answer = answer_of(
        [truth_row(f"f{n}", "family", pool="family-1") for n in range(4)]
        + [truth_row(f"h{n}", "hydra", campaign="h", pool="h-1") for n in range(4)]
    )
    assert cohorts_in_bans(answer, [{"f1", "h1"}]) == []
    assert cohorts_in_bans(answer, [{"f1", "f2", "h1"}]) == ["family-1"]


def test_a_large_pool_is_found_by_a_cluster_that_is_mostly_its_own():
    answer = answer_of(
        [truth_row(f"h{n}", "hydra", campaign="h", pool="h-1") for n in range(500)]
        + [truth_row(f"m{n}", "mini", campaign="m", pool="m-1") for n in range(499)]
    )
    crowd = {f"x{n}": "CL-2" for n in range(90)}
    hot = {f"h{n}": "CL-1" for n in range(70)} | {
        f"h{n}": "CL-2" for n in range(70, 150)
    }

    assert large_pools(answer, hot | crowd) == {"h-1": (500, 70)}
    assert large_pools(answer, {}) == {"h-1": (500, 0)}


def export_of(members, score=95.0, banned=()):
    accounts = [
        {"account_id": name, "score": 90.0 if name in members else 5.0}
        for name in ("g1", "g2", "i1", "i2", "r1")
    ]
    accounts[0]["first_flagged_at"] = "2026-11-20T00:00:00Z"
    cluster = {
        "cluster_id": "cl-1",
        "score": score,
        "verdict": "distillation",
        "size": len(members),
        "members": sorted(members),
        "proposed_ban": sorted(banned),
    }
    return Export(accounts, [cluster])


@pytest.fixture
def answer():
    return answer_of(
        [
            truth_row("g1", "hydra", campaign="hydra", pool="hydra-1"),
            truth_row("g2", "hydra", campaign="hydra", pool="hydra-1"),
            truth_row("i1", "family", pool="family-1"),
            truth_row("i2", "hobbyist"),
            truth_row("r1", "relay_resale", pool="relay-1"),
        ]
    )


def test_a_perfect_run_is_judged_perfect(answer):
    export = export_of({"g1", "g2"}, banned={"g1", "g2"})
    result = judge(export, answer, {"hydra": (10, 200)})
    assert result["flagged"]["precision"] == result["flagged"]["recall"] == 1.0
    assert result["proposed_bans"]["recall"] == 1.0
    assert result["clusters"] == {"b3_precision": 1.0, "b3_recall": 1.0}
    assert result["campaigns"][0]["served_before_first_flag"] == 0.05
    assert result["bystanders"][-1]["in_clusters_90"] == 0


def test_a_campaign_is_first_flagged_with_a_member_or_a_cluster_mostly_its_own():
    def flagged(name, at):
        return {"account_id": name, "first_flagged_at": at}

    def cluster(at, *members):
        return {"members": members, "first_flagged_at": at}

    export = Export(
        [flagged("g1", "2026-11-20"), flagged("g2", None), flagged("i1", "2026-11-01")],
        [cluster("2026-11-15", "g1", "g2", "i1"), cluster("2026-11-10", "g1", "i1")],
    )
    assert export.first_flag_on({"g1", "g2"}) == "2026-11-15"
    assert export.first_flag_on({"g2"}) is None
    assert Export(export.accounts, []).first_flag_on({"g1", "g2"}) == "2026-11-20"


def test_an_innocent_in_a_ban_shows_everywhere(answer):
    export = export_of({"g1", "g2", "i1"}, banned={"g1", "i1"})
    result = judge(export, answer, {})
    assert result["proposed_bans"]["precision"] == 0.5
    family = result["bystanders"][0]
    assert (family["population"], family["in_proposed_bans"]) == ("family", 1)
    assert result["clusters"]["b3_precision"] < 1.0


def test_a_named_relay_is_neither_right_nor_wrong(answer):
    result = judge(export_of({"g1", "g2", "r1"}), answer, {})
    assert result["flagged"]["precision"] == 1.0


def test_flagging_a_robbed_customer_is_no_error_but_banning_one_is():
    robbed = truth_row("i1", "compromised_customer") | {"robbed_by": "stolen_keys"}
    answer = answer_of([truth_row("g1", "hydra", campaign="hydra"), robbed])
    result = judge(export_of({"g1", "i1"}, banned={"g1", "i1"}), answer, {})
    assert result["flagged"]["precision"] == 1.0
    assert result["proposed_bans"]["precision"] == 0.5


def test_the_text_warns_that_simulated_precision_is_not_field_precision(answer):
    text = as_text(judge(export_of({"g1"}), answer, {"hydra": (0, 0)}))
    assert text.startswith("Simulated precision is not field precision")
    assert "hydra" in text
    assert "whole innocent cohorts in a proposed ban: none" in text
