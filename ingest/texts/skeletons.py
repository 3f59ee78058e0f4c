"""Reads: what prompt skeletons are like, and what accounts ask about on average."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Final

from django.db import connection

from ingest.models import TemplateCandidate
from ingest.texts import likeness
from ingest.texts.likeness import Sums


def sketches_of(skeletons: Collection[int]) -> dict[int, bytes]:
    """The MinHash sketch of each skeleton that has one."""
    found = TemplateCandidate.objects.filter(
        skeleton_hash__in=skeletons, sketch__isnull=False
    )
    return {
        skeleton: bytes(sketch or b"")
        for skeleton, sketch in found.values_list("skeleton_hash", "sketch")
    }


def alike(
    skeletons: Collection[int], *, least: float = 0.5
) -> list[tuple[int, int, float]]:
    """Pairs that are one template reworded, with the share they have in common."""
    return list(likeness.alike(sketches_of(skeletons), least=least))


_EMBEDDINGS: Final = """
SELECT used.account_id, known.embedding, used.requests
FROM (
    SELECT account_id, skeleton::bigint AS skeleton, sum(n::bigint)::bigint AS requests
    FROM ingest_accountday, jsonb_each_text(skeletons) AS shown (skeleton, n)
    WHERE account_id = ANY(%s::bigint[]) AND day BETWEEN %s AND %s
    GROUP BY account_id, skeleton
) AS used
JOIN ingest_templatecandidate AS known ON known.skeleton_hash = used.skeleton
WHERE known.embedding IS NOT NULL
"""


def embeddings_of(
    accounts: Collection[int], *, first: date, last: date
) -> dict[int, Sums]:
    """Each account's embeddings added up over its days, both ends included.

    Of a day, the skeletons that its rollup kept count, each as often as it was used:
    all of them for most accounts, a sample for those who never repeat themselves.
    Accounts without prompts are left out. A cluster's sum is the sum of its members'.
    """
    counted: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_EMBEDDINGS, [list(accounts), first, last])
        for account, embedding, requests in cursor.fetchall():
            counted[account].append((bytes(embedding), requests))
    return {account: likeness.add_up(told) for account, told in counted.items()}
