"""What people told the machine about accounts. The newest label of each counts."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from investigations.detection.models import Label, Score

SAID = ("account_id", "score", "decibans")


def record(
    *, account_ids: Iterable[int], kind: str, reason: str, given_by: str, at: datetime
) -> None:
    """Label accounts (primary keys); `given_by` is the decision's reference as text.

    What speaks about each at the time is kept with its label, and its score.
    """
    ids = list(account_ids)
    detectors, ties = grouped(DETECTORS, ids), grouped(TIES, ids)
    scored = Score.objects.filter(account__in=ids)
    said = {pk: both for pk, *both in scored.values_list(*SAID)}
    Label.objects.bulk_create(
        (
            Label(
                account_id=pk,
                kind=kind,
                reason=reason,
                given_by=given_by,
                given_at=at,
                detectors=detectors.get(pk, []),
                link_kinds=ties.get(pk, []),
                score=score,
                decibans=decibans,
            )
            for pk in ids
            for score, decibans in [said.get(pk, (None, None))]
        ),
        batch_size=5_000,
    )


# What an account's own detectors saw, and its cluster's.
DETECTORS = """
SELECT account, array_agg(DISTINCT detector ORDER BY detector) FROM (
    SELECT account_id AS account, detector FROM detection_signal
    WHERE account_id = ANY(%(accounts)s::bigint[]) AND decibans > 0
    UNION ALL
    SELECT m.account_id, s.detector FROM detection_membership m
    JOIN detection_signal s ON s.cluster_id = m.cluster_id
    WHERE m.account_id = ANY(%(accounts)s::bigint[]) AND s.decibans > 0
) AS seen GROUP BY account
"""
# Kinds of values that tie it to other members of its cluster.
TIES = """
SELECT side.account, array_agg(DISTINCT e ->> 'kind' ORDER BY e ->> 'kind')
FROM detection_link l
JOIN detection_membership a ON a.account_id = l.account_a_id
JOIN detection_membership b ON b.account_id = l.account_b_id
                           AND b.cluster_id = a.cluster_id
CROSS JOIN LATERAL (VALUES (l.account_a_id), (l.account_b_id)) AS side (account)
CROSS JOIN LATERAL jsonb_array_elements(l.evidence) AS e
WHERE (l.account_a_id = ANY(%(accounts)s::bigint[])
    OR l.account_b_id = ANY(%(accounts)s::bigint[]))
  AND side.account = ANY(%(accounts)s::bigint[])
GROUP BY 1
"""


def grouped(sql: str, account_ids: list[int]) -> dict[int, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"accounts": account_ids})
        return dict(cursor.fetchall())


def newest(as_of: datetime) -> dict[int, tuple[str, datetime]]:
    """Account → (kind, when), as known at `as_of`; what has run out is left out."""
    given = (
        Label.objects.filter(given_at__lte=as_of)
        .order_by("account", "given_at", "pk")
        .values_list("account", "kind", "given_at", "until")
    )
    latest = {account: (kind, at, until) for account, kind, at, until in given}
    return {
        account: (kind, at)
        for account, (kind, at, until) in latest.items()
        if until is None or until > as_of
    }
