"""Prompt skeletons in words, kept only once three accounts have sent them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db import connection
from django.utils import timezone

from ingest.fingerprints import Fingerprint
from ingest.models import Template

SHARED_BY: Final = 3
TEXT_LIMIT: Final = 500

# Remembers up to three accounts a skeleton; sorted, so that two writers who meet in
# the same skeletons cannot wait for each other in a ring.
_COUNT: Final = """
WITH sent AS (
    SELECT skeleton, array_agg(DISTINCT account) AS accounts
    FROM unnest(%s::bigint[], %s::bigint[]) AS pairs (skeleton, account)
    WHERE NOT EXISTS (
        SELECT FROM ingest_template WHERE skeleton_hash = skeleton
    )
    GROUP BY skeleton ORDER BY skeleton
)
INSERT INTO ingest_templatecandidate AS known (skeleton_hash, account_ids, seen_on)
SELECT skeleton, accounts[1:%s], %s FROM sent
ON CONFLICT (skeleton_hash) DO UPDATE SET
    account_ids = (
        SELECT array_agg(DISTINCT account ORDER BY account)
        FROM unnest(known.account_ids || excluded.account_ids) AS account
    ),
    seen_on = excluded.seen_on
RETURNING skeleton_hash, cardinality(account_ids)
"""


@dataclass(slots=True)
class Wording:
    """A skeleton in words and who sent it just now; empty where no text came."""

    text: str = ""
    accounts: set[int] = field(default_factory=set)


def note(wordings: dict[int, Wording], prompt: Fingerprint, account: int) -> None:
    wording = wordings.setdefault(prompt.skeleton, Wording())
    wording.text = wording.text or prompt.masked
    if len(wording.accounts) < SHARED_BY:
        wording.accounts.add(account)


def store(wordings: Mapping[int, Wording]) -> None:
    """Counts the accounts of each skeleton; keeps the words of what is shared."""
    pairs = [
        (skeleton, account)
        for skeleton, wording in wordings.items()
        for account in wording.accounts
    ]
    if not pairs:
        return
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [
                [skeleton for skeleton, _ in pairs],
                [account for _, account in pairs],
                SHARED_BY,
                now.date(),
            ],
        )
        shared = [
            skeleton for skeleton, count in cursor.fetchall() if count >= SHARED_BY
        ]
    Template.objects.bulk_create(
        (
            Template(
                skeleton_hash=skeleton,
                text=wordings[skeleton].text[:TEXT_LIMIT],
                first_seen_at=now,
            )
            for skeleton in sorted(shared)
            if wordings[skeleton].text
        ),
        ignore_conflicts=True,
        batch_size=1000,
    )
