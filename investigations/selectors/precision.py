"""How often a detector, or a kind of link, was right where people have judged.

Asked of accounts whose last word is confirmed or found innocent, with what spoke about
them when it was given. This is precision on decided cases, not in the field: people
mostly judge what the machine thought suspect.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from django.db import connection

JUDGED = """
WITH newest AS (
    SELECT DISTINCT ON (account_id) account_id, kind, given_by FROM detection_label
    WHERE kind IN ('confirmed', 'benign')
    ORDER BY account_id, given_at DESC, id DESC
), spoke AS (
    SELECT DISTINCT ON (account_id) account_id, {column} AS keys FROM detection_label
    WHERE {column} <> '{{}}' ORDER BY account_id, given_at DESC, id DESC
)
SELECT key, d.case_id, count(*) FILTER (WHERE n.kind = 'confirmed'), count(*)
FROM newest n
JOIN spoke s USING (account_id)
JOIN investigations_decision d ON n.given_by = 'D-' || d.id
CROSS JOIN unnest(s.keys) AS key
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Precision:
    """`confirmed` of `accounts` in `cases`. `effective` is how many independent words
    these are worth, if the accounts of one case are judged as one: Kish's
    (Σn)² / Σn² (Survey Sampling, 1965)."""

    confirmed: int
    accounts: int
    cases: int
    effective: float

    @classmethod
    def of(cls, cases: Collection[tuple[int, int]]) -> Self:
        """Of (confirmed, judged) accounts, case by case."""
        return cls(
            confirmed=sum(confirmed for confirmed, _ in cases),
            accounts=sum(judged for _, judged in cases),
            cases=len(cases),
            effective=sum(n for _, n in cases) ** 2 / sum(n * n for _, n in cases),
        )

    @property
    def share(self) -> float:
        return self.confirmed / self.accounts


def precision_of_detectors() -> dict[str, Precision]:
    """By key; a detector that spoke in no decided case is not there."""
    return _precision(JUDGED.format(column="detectors"))


def precision_of_links() -> dict[str, Precision]:
    """By kind of shared value."""
    return _precision(JUDGED.format(column="link_kinds"))


def _precision(sql: str) -> dict[str, Precision]:
    counts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for key, _, confirmed, judged in cursor.fetchall():
            counts[key].append((confirmed, judged))
    return {key: Precision.of(cases) for key, cases in counts.items()}
