"""Whether scores are shares, asked of the accounts that people have judged."""

import pytest
from django.urls import reverse
from django.utils import timezone

from investigations import selectors
from investigations.actions.decisions import restore_accounts
from investigations.detection.models import Score
from investigations.detection.ruleset import probability
from investigations.selectors.calibration import fitted_shift
from tests.investigations.scenes import case_of, decide, members

pytestmark = pytest.mark.django_db


def scored(accounts: list[int], score: float, decibans: float = 0.0) -> None:
    Score.objects.bulk_create(
        Score(
            account_id=pk,
            score=score,
            decibans=decibans,
            ruleset_hash="0" * 64,
            as_of=timezone.now(),
        )
        for pk in accounts
    )


def judged(size: int, verdict: str, by, score: float, decibans: float = 0.0):
    case = case_of(size, by)
    scored(members(case), score, decibans)
    return decide(case, by, verdict=verdict)


def told() -> dict[int, tuple[int, int]]:
    """Lowest score of a tenth → confirmed, judged."""
    tenths = selectors.calibration().tenths
    return {each.lowest: (each.found.confirmed, each.found.accounts) for each in tenths}


def test_judged_accounts_stand_in_the_tenth_of_the_score_they_had(ana):
    judged(4, "ban", ana, 97)
    judged(2, "clear", ana, 92)
    judged(3, "clear", ana, 45)

    assert told() == {90: (4, 6), 40: (0, 3)}


def test_a_score_of_100_is_in_the_last_tenth(ana):
    judged(2, "ban", ana, 100)

    assert told() == {90: (2, 2)}


def test_what_the_verdict_did_to_the_score_is_not_asked(ana):
    decision = judged(4, "ban", ana, 97)
    account = decision.target_list.targets.first().account_id
    Score.objects.update(score=12)  # the machine has taken in what people said
    restore_accounts(
        decision=decision,
        account_ids=[account],
        reason="The customer showed that the card is a company's own.",
        by=ana,
    )

    assert told() == {90: (3, 4)}


def test_an_account_that_was_never_scored_says_nothing_of_scores(ana):
    decide(case_of(3, ana), ana, verdict="ban")

    assert told() == {}


def test_a_start_is_fitted_that_makes_the_expected_number_the_confirmed_one():
    weighed = [(-10.0, 5, 10), (0.0, 9, 10), (10.0, 10, 10)]
    shift = fitted_shift(weighed)
    assert shift is not None
    expected = sum(judged * probability(at + shift) for at, _, judged in weighed)
    assert expected == pytest.approx(24, abs=0.05)


def test_scores_that_fit_ask_for_no_other_start():
    assert fitted_shift([(0.0, 50, 100), (10.0, 91, 100)]) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("confirmed", [0, 10])
def test_verdicts_that_are_all_alike_fit_no_start(confirmed):
    assert fitted_shift([(5.0, confirmed, 10)]) is None


def test_no_start_is_told_of_a_few_cases(ana):
    judged(20, "ban", ana, 97, 15)
    judged(20, "clear", ana, 97, 15)

    assert selectors.calibration().shift is None


def test_of_a_few_cases_the_rules_page_says_that_they_are_too_few(signed_in, vic, ana):
    judged(20, "ban", ana, 97, 15)
    page = signed_in(vic).get(reverse("settings:rules"))

    assert "Too few cases to say how far scores are off" in page.text
    assert "100% (21% to 100%)" in page.text


def test_the_rules_page_shows_what_scores_said_beside_what_was_found(
    signed_in, vic, ana
):
    for _ in range(3):
        judged(2, "ban", ana, 90, 10)
    for _ in range(3):
        judged(2, "clear", ana, 90, 10)
    client = signed_in(vic)
    page = client.get(reverse("settings:rules"))
    assert "50% (19% to 81%)" in page.text
    assert "6 cases" in page.text.partition("Accounts confirmed")[2]
    assert "off by 40 points" in page.text
    # Half of them, where 10 dB are ten times the odds.
    assert "a start of accounts of -40" in page.text
    chart = client.get(reverse("settings:calibration")).json()
    assert [trace["y"] for trace in chart["data"]] == [[0.9], [0.5]]


def test_the_rules_page_says_so_while_nobody_judged(signed_in, vic):
    page = signed_in(vic).get(reverse("settings:rules"))

    assert "Nobody has judged an account yet" in page.text
