"""A sample of prompts, redacted and cut, so that people can see what was asked.

Drawn are the smallest keyed hashes of the event ids (bottom-k): a few of each account's
day and a few of each template's day, out of one in twenty. What is drawn depends on
the ids alone, so that order, splits and repeats do not matter, and no sender can
choose what is kept. A prompt that is not among the smallest of what has come so far
never will be, so nothing has to be remembered of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from ingest import fingerprints
from ingest.models import Account, Excerpt
from ingest.texts import redaction

LIMIT: Final = 500  # characters
OF_ACCOUNT_DAY: Final = 2
OF_TEMPLATE_DAY: Final = 3
# One in twenty: enough for whoever sends a lot, little of those who send little.

HIGHEST: Final = -(2**63) + 2**64 // 20


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in words, on its way through. `skeleton` is its fingerprint's."""

    source: int
    event_id: str
    account: int
    occurred_at: datetime
    skeleton: int
    text: str

    @property
    def day(self) -> date:
        return self.occurred_at.astimezone(UTC).date()


def rank(source: int, event_id: str, key: bytes) -> int:
    """A signed 64-bit keyed hash: the lots are drawn by it, smallest first."""
    digest = blake2b(f"{source}\0{event_id}".encode(), key=key, digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


def draw(prompts: Iterable[Prompt], key: bytes) -> list[tuple[int, Prompt]]:
    """(rank, prompt) of those that could be kept, of these alone. Pure."""
    accounts: dict[tuple[int, date], list[tuple[int, str]]] = defaultdict(list)
    templates: dict[tuple[int, date], list[tuple[int, str]]] = defaultdict(list)
    eligible: dict[tuple[int, str], Prompt] = {}
    for prompt in prompts:
        lot = rank(prompt.source, prompt.event_id, key)
        if lot < HIGHEST:
            place = (lot, prompt.event_id)
            eligible[place] = prompt
            accounts[prompt.account, prompt.day].append(place)
            templates[prompt.skeleton, prompt.day].append(place)
    chosen = {
        place
        for groups, most in ((accounts, OF_ACCOUNT_DAY), (templates, OF_TEMPLATE_DAY))
        for group in groups.values()
        for place in sorted(group)[:most]
    }
    return [(place[0], eligible[place]) for place in sorted(chosen)]


def store(prompts: Iterable[Prompt], key: bytes) -> None:
    """Keeps what is drawn, within the caller's transaction, and lets go of what the
    newcomers displace."""
    if not settings.RETENTION_EXCERPTS_DAYS:
        return
    drawn = draw(prompts, key)
    if not drawn:
        return
    Excerpt.objects.bulk_create(
        Excerpt(
            source_id=prompt.source,
            event_id=prompt.event_id,
            account_id=prompt.account,
            occurred_at=prompt.occurred_at,
            day=prompt.day,
            skeleton_hash=prompt.skeleton,
            rank=lot,
            text=redaction.excerpt(fingerprints.cut(prompt.text), LIMIT),
        )
        for lot, prompt in drawn
    )
    _trim([prompt for _, prompt in drawn])


# What is not among the smallest of the rows that can be seen here is not among the
# smallest of all; rows that another writer holds wait for the next newcomer. Each step
# is worked out once: a planner that takes the table for empty, as after a beginning,
# would otherwise do so for each row of the next one.
_TRIM: Final = """
WITH near AS MATERIALIZED (
    SELECT id, account_id, skeleton_hash, day, rank FROM ingest_excerpt
    WHERE (account_id, day) IN (
        SELECT * FROM unnest(%(accounts)s::bigint[], %(days)s::date[]))
    UNION
    SELECT id, account_id, skeleton_hash, day, rank FROM ingest_excerpt
    WHERE (skeleton_hash, day) IN (
        SELECT * FROM unnest(%(skeletons)s::bigint[], %(days)s::date[]))
), surplus AS MATERIALIZED (
    SELECT id FROM near
    WHERE %(of_account)s <= (
        SELECT count(*) FROM (
            SELECT FROM ingest_excerpt AS other
            WHERE other.account_id = near.account_id AND other.day = near.day
              AND (other.rank, other.id) < (near.rank, near.id)
            LIMIT %(of_account)s
        ) AS before
    ) AND %(of_template)s <= (
        SELECT count(*) FROM (
            SELECT FROM ingest_excerpt AS other
            WHERE other.skeleton_hash = near.skeleton_hash AND other.day = near.day
              AND (other.rank, other.id) < (near.rank, near.id)
            LIMIT %(of_template)s
        ) AS before
    )
), free AS MATERIALIZED (
    SELECT id FROM ingest_excerpt WHERE id = ANY(ARRAY(SELECT id FROM surplus))
    ORDER BY id FOR UPDATE SKIP LOCKED
)
DELETE FROM ingest_excerpt WHERE id = ANY(ARRAY(SELECT id FROM free))
"""


def _trim(prompts: Sequence[Prompt]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _TRIM,
            {
                "accounts": [prompt.account for prompt in prompts],
                "skeletons": [prompt.skeleton for prompt in prompts],
                "days": [prompt.day for prompt in prompts],
                "of_account": OF_ACCOUNT_DAY,
                "of_template": OF_TEMPLATE_DAY,
            },
        )


def drop_before(day: date, *, held: Collection[int] = ()) -> int:
    """Deletes what is older than `day`, except of the held accounts; says how many."""
    old = Excerpt.objects.filter(day__lt=day).exclude(account__in=held)
    return old.delete()[0]


def of_account(account: int, *, limit: int = 6) -> list[Excerpt]:
    """The newest that were drawn of an account."""
    found = Excerpt.objects.filter(account=account).order_by("-occurred_at", "-id")
    return list(found[:limit])


def of_templates(
    skeletons: Collection[int], accounts: QuerySet[Account, Any], *, each: int = 2
) -> dict[int, list[Excerpt]]:
    """The newest that were drawn of each template, among these accounts' prompts."""
    place = Window(
        RowNumber(),
        partition_by="skeleton_hash",
        order_by=[F("occurred_at").desc(), F("id").desc()],
    )
    found: dict[int, list[Excerpt]] = defaultdict(list)
    for excerpt in (
        Excerpt.objects.filter(skeleton_hash__in=skeletons, account__in=accounts)
        .annotate(place=place)
        .filter(place__lte=each)
        .order_by("skeleton_hash", "place")
    ):
        found[excerpt.skeleton_hash].append(excerpt)
    return found
