"""Whether scores are shares: of accounts that were scored so, how many were confirmed.

Asked of accounts that people judged, with the score each had when the first judged it:
what people said then moves the score itself. That they mostly judge high scores does
not bend this, since it is asked score by score; what else made them look does.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from investigations.detection.ruleset import probability
from investigations.selectors.precision import Precision

JUDGED = """
WITH newest AS (
    SELECT DISTINCT ON (account_id) account_id, kind, given_by FROM detection_label
    WHERE kind IN ('confirmed', 'benign')
    ORDER BY account_id, given_at DESC, id DESC
), said AS (
    SELECT DISTINCT ON (account_id) account_id, score, decibans FROM detection_label
    WHERE kind IN ('confirmed', 'benign') AND score IS NOT NULL
    ORDER BY account_id, given_at, id
)
SELECT least(9, floor(s.score / 10))::int, d.case_id, round(s.decibans)::int,
       count(*) FILTER (WHERE n.kind = 'confirmed'), count(*), sum(s.score)
FROM newest n
JOIN said s USING (account_id)
JOIN investigations_decision d ON n.given_by = 'D-' || d.id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# A start that fits fewer would follow one case.
FEWEST_CASES = 5
FURTHEST = 60.0  # dB; ten to the sixth in odds


@dataclass(frozen=True, slots=True)
class Tenth:
    """Judged accounts whose scores lay in one tenth of the scale, from `lowest` on;
    `said` is their mean score as a share."""

    lowest: int
    said: float
    found: Precision


@dataclass(frozen=True, slots=True)
class Calibration:
    """`enough`: whether there are cases enough to say more of scores as a whole.
    `shift`: by how many decibans the start of all accounts would have to move for
    these scores to fit these verdicts; None where they are too few, or all alike."""

    tenths: list[Tenth]
    enough: bool
    shift: float | None


def calibration() -> Calibration:
    with connection.cursor() as cursor:
        cursor.execute(JUDGED)
        told = cursor.fetchall()
    tenths: dict[int, Counter[int]] = defaultdict(Counter)
    right: dict[int, Counter[int]] = defaultdict(Counter)
    sums: dict[int, float] = defaultdict(float)
    for tenth, case, _, confirmed, judged, scores in told:
        right[tenth][case] += confirmed
        tenths[tenth][case] += judged
        sums[tenth] += scores
    held = []
    for tenth, cases in tenths.items():
        found = Precision.of([(right[tenth][case], n) for case, n in cases.items()])
        held.append(Tenth(10 * tenth, sums[tenth] / 100 / found.accounts, found))
    enough = len({case for _, case, *_ in told}) >= FEWEST_CASES
    weighed = [(float(at), yes, judged) for _, _, at, yes, judged, _ in told]
    return Calibration(held, enough, fitted_shift(weighed) if enough else None)


def fitted_shift(weighed: Collection[tuple[float, int, int]]) -> float | None:
    """The shift of greatest likelihood, by (decibans, confirmed, judged).

    Platt scaling ("Probabilistic Outputs for Support Vector Machines", 1999) with the
    slope held at 1: evidence keeps its weight, and only the start moves. The expected
    number of confirmed accounts rises with the shift, so halving finds it.
    """
    confirmed = sum(yes for _, yes, _ in weighed)
    if confirmed in (0, sum(judged for _, _, judged in weighed)):
        return None
    low, high = -FURTHEST, FURTHEST
    while high - low > 0.01:
        middle = (low + high) / 2
        expected = math.fsum(n * probability(at + middle) for at, _, n in weighed)
        low, high = (middle, high) if expected < confirmed else (low, middle)
    return round((low + high) / 2, 1)
