"""Prompt skeletons: their sketches, and in words once three accounts have sent them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.db import connection
from django.utils import timezone

from ingest.fingerprints import Fingerprint, sketch_many
from ingest.models import Template
from ingest.texts import redaction

SHARED_BY: Final = 3
TEXT_LIMIT: Final = 500

_KNOWN: Final = """
SELECT skeleton, template.skeleton_hash IS NOT NULL,
    coalesce(known.account_ids, '{}'), known.sketch IS NOT NULL, known.seen_on
FROM unnest(%s::bigint[]) AS skeleton
LEFT JOIN ingest_template AS template ON template.skeleton_hash = skeleton
LEFT JOIN ingest_templatecandidate AS known ON known.skeleton_hash = skeleton
"""
# Remembers up to three accounts a skeleton; sorted, so that two writers who meet in
# the same skeletons cannot wait for each other in a ring.
_COUNT: Final = """
WITH sent AS (
    SELECT skeleton, array_agg(DISTINCT account) AS accounts
    FROM unnest(%s::bigint[], %s::bigint[]) AS pairs (skeleton, account)
    GROUP BY skeleton
), sketched AS (
    SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[])
        AS sketched (skeleton, sketch, embedding)
)
INSERT INTO ingest_templatecandidate AS known
    (skeleton_hash, account_ids, seen_on, sketch, embedding)
SELECT skeleton, accounts[1:%s], %s, nullif(sketch, ''), nullif(embedding, '')
FROM sent LEFT JOIN sketched USING (skeleton) ORDER BY skeleton
ON CONFLICT (skeleton_hash) DO UPDATE SET
    account_ids = (
        SELECT array_agg(DISTINCT account ORDER BY account)
        FROM unnest(known.account_ids || excluded.account_ids) AS account
    ),
    seen_on = excluded.seen_on,
    sketch = coalesce(known.sketch, excluded.sketch),
    embedding = coalesce(known.embedding, excluded.embedding)
-- What another writer did meanwhile may have left nothing to do.
WHERE NOT known.account_ids @> excluded.account_ids
   OR known.seen_on < excluded.seen_on
   OR known.sketch IS NULL AND excluded.sketch IS NOT NULL
RETURNING skeleton_hash, cardinality(account_ids)
"""


@dataclass(slots=True)
class Wording:
    """A skeleton that came just now, and who sent it."""

    prompt: Fingerprint
    accounts: set[int] = field(default_factory=set)


def note(wordings: dict[int, Wording], prompt: Fingerprint, account: int) -> None:
    wording = wordings.setdefault(prompt.skeleton, Wording(prompt))
    if prompt.masked and not wording.prompt.masked:
        wording.prompt = prompt
    if len(wording.accounts) < SHARED_BY:
        wording.accounts.add(account)


@dataclass(frozen=True, slots=True)
class _Known:
    """`worded`: its words are kept already; `accounts` have sent it."""

    worded: bool
    accounts: list[int]
    sketched: bool
    seen_on: date | None

    @property
    def shared(self) -> bool:
        return len(self.accounts) >= SHARED_BY

    def learns_from(self, wording: Wording, today: date) -> bool:
        """Whether its row would change; a row that is only looked at costs a lock."""
        prompt = wording.prompt
        return (
            self.seen_on is None
            or self.seen_on < today
            or (not self.shared and not wording.accounts <= set(self.accounts))
            or (not self.sketched and bool(prompt.masked or prompt.sketch))
        )


def store(wordings: Mapping[int, Wording], key: bytes) -> None:
    """Counts the accounts of each skeleton and sketches it when it is new; keeps the
    words of what is shared. `key` is the fingerprints' key."""
    if not wordings:
        return
    today = timezone.now().date()
    known = _known(wordings)
    news = {
        each: of for each, of in wordings.items() if known[each].learns_from(of, today)
    }
    shared = {each for each in wordings if known[each].shared}
    if news:
        shared |= _count(news, known, key, today)
    _keep_words(wordings, sorted(each for each in shared if not known[each].worded))


def _known(skeletons: Iterable[int]) -> dict[int, _Known]:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [list(skeletons)])
        return {skeleton: _Known(*rest) for skeleton, *rest in cursor.fetchall()}


def _count(
    wordings: Mapping[int, Wording],
    known: Mapping[int, _Known],
    key: bytes,
    today: date,
) -> set[int]:
    """Those among the skeletons that enough accounts have sent by now."""
    pairs = [
        (skeleton, account)
        for skeleton, wording in wordings.items()
        for account in wording.accounts
    ]
    sketched = _sketched(
        [
            wording.prompt
            for skeleton, wording in wordings.items()
            if not known[skeleton].sketched
        ],
        key,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [
                [skeleton for skeleton, _ in pairs],
                [account for _, account in pairs],
                [skeleton for skeleton, _, _ in sketched],
                [sketch for _, sketch, _ in sketched],
                [embedding for _, _, embedding in sketched],
                SHARED_BY,
                today,
            ],
        )
        return {skeleton for skeleton, count in cursor.fetchall() if count >= SHARED_BY}


def _sketched(
    prompts: Iterable[Fingerprint], key: bytes
) -> list[tuple[int, bytes, bytes]]:
    """Made here where the text came, taken over where a gateway made them."""
    prompts = list(prompts)
    worded = [prompt for prompt in prompts if prompt.masked]
    made = sketch_many([prompt.masked for prompt in worded], key)
    sketched = [
        (prompt.skeleton, *both) for prompt, both in zip(worded, made, strict=True)
    ]
    return sketched + [
        (prompt.skeleton, prompt.sketch, prompt.embedding)
        for prompt in prompts
        if not prompt.masked
    ]


def _keep_words(wordings: Mapping[int, Wording], shared: Iterable[int]) -> None:
    now = timezone.now()
    rows = [
        Template(
            skeleton_hash=skeleton,
            # Masking leaves what stands outside quotes and labels, phone numbers with
            # blanks in them, say; redaction finds those.
            text=redaction.excerpt(masked, TEXT_LIMIT),
            first_seen_at=now,
        )
        for skeleton in shared
        if (masked := wordings[skeleton].prompt.masked)
    ]
    if rows:
        Template.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
