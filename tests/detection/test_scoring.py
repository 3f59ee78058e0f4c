"""Evidence in decibans → scores, verdicts and proposals."""

from dataclasses import replace

import pytest

from investigations.detection import ruleset, scoring, verdicts
from investigations.detection.detectors import CATALOGUE
from investigations.detection.ruleset import RULESET, Ruleset
from investigations.detection.scoring import score_account
from investigations.detection.shapes import (
    AccountFeatures,
    Evidence,
    Place,
    Rows,
    Scored,
)
from tests.detection.worlds import alone, member, pooled

FAMILY = {detector.key: detector.family for detector in CATALOGUE}


def seen(strength: float = 1.0) -> Evidence:
    rows = Rows("account", {"accounts": [1]}, 1)
    return Evidence(strength, 1.0, None, "It was seen.", "It may be innocent.", rows)


def evidence(*keys: str, strength: float = 1.0) -> dict[str, Evidence]:
    assert all(key in FAMILY for key in keys)
    return {key: seen(strength) for key in keys}


def account_score(*keys: str, account: AccountFeatures | None = None) -> Scored:
    return score_account(alone(account or member(1)), evidence(*keys))


def cluster_score(*keys: str, rules: Ruleset = RULESET, **known):
    members = known.pop("members", [member(n) for n in range(20)])
    return scoring.score_cluster(pooled(members, **known), evidence(*keys), rules)


EVERYTHING = tuple(FAMILY)


def test_an_account_about_which_nothing_was_seen_stands_at_the_prior():
    scored = account_score()

    assert scored.decibans == -30
    assert scored.score == pytest.approx(0.1)
    assert scored.band == "none"


def test_the_points_of_the_reasons_and_the_prior_add_up_to_the_score():
    scored = account_score(*EVERYTHING)

    points = sum(reason.points for reason in scored.reasons)
    assert scored.decibans == pytest.approx(RULESET.prior_account + points)


@pytest.mark.parametrize("family", set(FAMILY.values()))
def test_no_family_adds_more_than_its_cap(family):
    scored = account_score(*(key for key in FAMILY if FAMILY[key] == family))

    added = sum(r.points for r in scored.reasons if r.family == family)
    assert added <= RULESET.family_caps[family]


def test_a_reason_beyond_its_familys_cap_stays_visible_with_what_it_still_adds():
    scored = account_score("private_template", "tool_schema", "reasoning_elicitation")

    assert [(r.signal, r.points) for r in scored.reasons] == [
        ("private_template", 10),
        ("tool_schema", 8),
        ("reasoning_elicitation", 0),
    ]


ASKING = ("reasoning_elicitation", "rubric_grading", "sensitive_rewrite")


def test_asking_for_reasoning_marks_and_rewording_add_six_together():
    alike, pooled_alike = account_score(*ASKING), cluster_score(*ASKING)[0]

    assert [(r.signal, r.points) for r in alike.reasons] == [
        ("reasoning_elicitation", 3),
        ("rubric_grading", 3),
        ("sensitive_rewrite", 0),
    ]
    assert sum(r.points for r in pooled_alike.reasons if r.signal in ASKING) == 6


@pytest.mark.parametrize(
    ("keys", "most"),
    [
        (("continuation",), 59),
        (("continuation", "shared_payment"), 84),
        (("continuation", "shared_payment", "private_template"), 100),
    ],
)
def test_fewer_families_show_less_however_strong_they_are(keys, most):
    rules = replace(RULESET, prior_account=60.0)

    assert score_account(alone(member(1)), evidence(*keys), rules).score == most


def test_a_family_below_three_decibans_does_not_count_as_one():
    weak = evidence("continuation", "shared_payment") | evidence(
        "egress_concentration", strength=0.5
    )
    rules = replace(RULESET, prior_account=60.0)

    assert score_account(alone(member(1)), weak, rules).score == 84


@pytest.mark.parametrize(
    ("known", "signal"),
    [
        (
            {"verification": "organization", "organization": "acme"},
            "verified_organization",
        ),
        ({"contract": "reseller"}, "reseller"),
        ({"contract": "distillation_licensed"}, "distillation_licensed"),
        ({"contract": "evaluation"}, "evaluation"),
        ({"label": "benign"}, "benign"),
    ],
)
def test_what_people_checked_lowers_the_score_and_says_so(known, signal):
    plain = account_score("continuation")
    checked = account_score("continuation", account=member(1, **known))

    assert checked.decibans < plain.decibans
    assert signal in {reason.signal for reason in checked.reasons if reason.points < 0}


def test_an_old_account_that_hardly_ever_works_gets_no_credit_for_its_age():
    """Aged accounts are for sale."""
    sleeper = member(1, age_days=800.0, active_days=2)

    assert account_score(account=sleeper).decibans == -30


def test_an_old_account_that_works_like_a_person_gets_credit_for_its_age():
    plain = account_score("egress_concentration")
    known = member(1, age_days=800.0, active_days=20)
    checked = account_score("egress_concentration", account=known)

    assert checked.decibans == plain.decibans + RULESET.aged
    assert "aged" in {reason.signal for reason in checked.reasons if reason.points < 0}


def test_an_old_account_that_takes_turns_gets_no_credit_for_its_age():
    bought = member(1, age_days=800.0, active_days=20)

    assert account_score("balanced_starts", account=bought).decibans == (
        account_score("balanced_starts").decibans
    )


@pytest.mark.parametrize(("support", "bonus"), [(0, 0), (1, 5), (2, 15)])
def test_membership_counts_by_what_the_account_shares_itself(support, bonus):
    place = Place(pooled(map(member, range(20))), {}, support, probability=0.95)
    scored = score_account(alone(member(1), place=place), {})

    assert scored.decibans == -30 + bonus
    assert not scored.families


@pytest.mark.parametrize(("support", "bonus"), [(0, 0), (1, 5), (2, 20)])
def test_membership_counts_for_more_with_a_part_in_what_coordinates(support, bonus):
    place = Place(pooled(map(member, range(20))), {}, support, probability=0.95)
    turns = evidence("balanced_starts")
    scored = score_account(alone(member(1), place=place), turns)

    assert scored.decibans == account_score("balanced_starts").decibans + bonus


def test_membership_in_a_doubtful_cluster_adds_nothing():
    place = Place(pooled(map(member, range(20))), {}, 4, probability=0.8)

    assert score_account(alone(member(1), place=place), {}).decibans == -30


@pytest.mark.parametrize(
    ("score", "band"), [(90, "action"), (89.9, "review"), (70, "review"), (40, "watch")]
)
def test_bands_begin_at_ninety_seventy_and_forty(score, band):
    assert ruleset.band(score) == band


# --- Verdicts ---------------------------------------------------------------------

HARVEST = ("private_template", "tool_schema")
POOL = ("shared_payment", "continuation", "balanced_starts")


def test_a_pool_that_harvests_is_a_distillation_campaign():
    scored, verdict = cluster_score(*HARVEST, *POOL)

    assert verdict == "distillation"
    assert scored.score > 90


def test_a_pool_that_harvests_nothing_is_a_resale_pool_and_no_ban_is_near():
    scored, verdict = cluster_score(*POOL, "signup_burst", "rare_client_stack")

    assert verdict == "resale_pool"
    assert scored.score == 84


def test_one_customers_product_under_many_names_is_insufficient_evidence():
    """Card, client, network and templates in common: so looks an agency, too."""
    scored, verdict = cluster_score(
        *HARVEST,
        "shared_payment",
        "rare_client_stack",
        "egress_concentration",
        "signup_burst",
    )

    assert verdict == "insufficient_evidence"
    assert scored.score <= 69


@pytest.mark.parametrize(
    "known",
    [
        {"members": [member(n) for n in range(3)]},
        {"members": [member(n, organization="acme") for n in range(20)]},
        {"members": [member(n, requests=4) for n in range(20)]},
    ],
)
def test_too_few_customers_or_exchanges_are_insufficient_evidence(known):
    scored, verdict = cluster_score(*EVERYTHING, **known)

    assert verdict == "insufficient_evidence"
    assert scored.score <= 39


EARLY = [
    {"members": [member(n) for n in range(4)]},
    {"members": [member(n, requests=10) for n in range(20)]},
]


@pytest.mark.parametrize("known", EARLY)
def test_a_campaign_is_told_early_and_held_below_action(known):
    scored, verdict = cluster_score(*EVERYTHING, **known)

    assert verdict == "distillation"
    assert scored.score == 84


@pytest.mark.parametrize("customers", [4, 9])
def test_what_may_be_a_small_team_with_one_card_is_not_told_early(customers):
    few = [member(n, requests=25) for n in range(customers)]

    scored, verdict = cluster_score(*POOL, "signup_burst", members=few)

    assert verdict == "insufficient_evidence"
    assert scored.score == 39


def test_a_pool_of_more_customers_is_told_early():
    many = [member(n, requests=10) for n in range(10)]

    scored, verdict = cluster_score(*POOL, "signup_burst", members=many)

    assert verdict == "resale_pool"
    assert scored.score == 84


def test_an_early_pool_is_held_at_the_lower_of_both_caps():
    many = [member(n, requests=10) for n in range(10)]
    rules = replace(RULESET, early_cap=75.0)

    scored, _ = cluster_score(*POOL, "signup_burst", members=many, rules=rules)

    assert scored.score == 75


def test_one_family_alone_is_insufficient_evidence():
    assert cluster_score("continuation")[1] == "insufficient_evidence"


def test_a_joint_move_counts_as_harvest_though_balance_filled_its_familys_cap():
    _, verdict = cluster_score("balanced_starts", "shared_payment", "release_pivot")

    assert verdict == "distillation"


@pytest.mark.parametrize(
    "known",
    [
        {"verification": "organization", "organization": "x"},
        {"contract": "reseller"},
        {"label": "benign"},
    ],
)
def test_members_that_people_vouch_for_lower_the_whole_cluster(known):
    plain, _ = cluster_score(*POOL)
    vouched = [member(n, **(known if n < 10 else {})) for n in range(20)]

    assert cluster_score(*POOL, members=vouched)[0].decibans < plain.decibans


def test_the_innocent_explanation_names_what_speaks_against_it():
    scored, _ = cluster_score("shared_payment", "balanced_starts")

    assert verdicts.innocent_explanation(scored) == (
        "It may be innocent. That would not explain: shared payment."
    )


def test_without_a_second_family_nothing_speaks_against_the_innocent_reading():
    scored, _ = cluster_score("shared_payment")

    assert "Nothing independent speaks against it" in verdicts.innocent_explanation(
        scored
    )


# --- Proposals --------------------------------------------------------------------


def proposed(
    account: AccountFeatures | None = None,
    *,
    support: int = 3,
    anew: bool = True,
    verdict: str = "distillation",
    score: float = 99.0,
    own: float = 99.0,
    families: int = 4,
) -> bool:
    found = frozenset(list(RULESET.family_caps)[:families])
    cluster = Scored(score, 20.0, "action", (), found)
    mine = Scored(own, 20.0, "action", (), found)
    one = (account or member(1), support, anew, mine)
    return verdicts.propose_ban(cluster, verdict, [one]) == (1,)


def test_a_member_with_support_of_its_own_is_proposed():
    assert proposed()


@pytest.mark.parametrize(
    "weaker",
    [
        {"support": 1},
        {"verdict": "resale_pool"},
        {"verdict": "insufficient_evidence"},
        {"score": 89.0},
        {"own": 89.0},
        {"families": 2},
    ],
)
def test_nobody_is_proposed_on_less(weaker):
    assert not proposed(**weaker)


@pytest.mark.parametrize(
    "known",
    [
        {"verification": "organization", "organization": "acme"},
        {"contract": "reseller"},
        {"contract": "evaluation"},
        {"contract": "distillation_licensed"},
        {"status": "banned"},
        {"status": "closed"},
        {"label": "exempt"},
    ],
)
def test_who_was_checked_allowed_exempted_or_banned_is_never_proposed(known):
    assert not proposed(member(1, **known))


def test_who_was_found_innocent_is_proposed_again_only_on_something_new():
    cleared = member(1, label="benign")

    assert not proposed(cleared, anew=False)
    assert proposed(cleared, anew=True)


# --- The table of weights ---------------------------------------------------------


def test_every_detector_has_its_weight_in_the_table():
    assert set(RULESET.weights) == {detector.key for detector in CATALOGUE}


def test_every_detector_counts_for_the_pool_or_for_the_harvest():
    assert set(FAMILY) == verdicts.POOL | verdicts.HARVEST
    assert not verdicts.POOL & verdicts.HARVEST


def test_the_rulesets_hash_changes_with_any_weight():
    assert Ruleset().hash == RULESET.hash
    assert replace(RULESET, aged=-9.0).hash != RULESET.hash


def test_a_reason_says_what_the_score_would_be_without_it():
    features = pooled([member(n) for n in range(20)])
    given = evidence("continuation", "shared_payment", "private_template")

    def rescore(less):
        return scoring.score_cluster(features, less)[0].score

    scored, _ = scoring.score_cluster(features, given)
    told = scoring.leaving_one_out(scored, given, rescore).reasons

    without = {reason.signal: reason.without for reason in told}
    less = evidence("shared_payment", "private_template")
    assert without["continuation"] == rescore(less) < scored.score
    assert without["size"] is None
