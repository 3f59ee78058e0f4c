"""What is kept how long: each kind of row, its setting, and how its age is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from ingest import ledger
from ingest.keeping import holds
from ingest.rolling import marks

After = Callable[[CursorWrapper, Sequence[int]], None]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table. All other strings are SQL over its alias `t`.

    `at` is the column that tells their age, `account` and `source` whose they are;
    None where a row does not tell. `action` is what happens to the rows whose keys are
    in `due`; `after` is given what it returns, in the same transaction.
    """

    table: str
    at: str
    account: str | None = None
    source: str | None = None
    also_held: str = ""
    is_day: bool = False  # whether `at` is a date instead of a time
    condition: str = "true"
    key: str = "id"
    action: str = "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM due)"
    returning: str = "1"
    after: After | None = None
    # Whether the rows are what people count when they read of the kind.
    counted: bool = True

    @property
    def held(self) -> str:
        day = f"t.{self.at}"
        if not self.is_day:
            day = f"({day} AT TIME ZONE 'UTC')::date"
        told = holds.is_held(day=day, account=self.account, source=self.source)
        if self.also_held:
            told = f"({told} OR {self.also_held.format(day=day)})"
        return told


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is kept for as many days as `setting` says."""

    key: str
    title: str
    what: str
    setting: str
    rows: tuple[Rows, ...]

    @property
    def days(self) -> int:
        return int(getattr(settings, self.setting))

    def before(self, now: datetime) -> date:
        """The first UTC day that stays."""
        return now.astimezone(UTC).date() - timedelta(days=self.days)


def _mark_sightings(_: CursorWrapper, account_ids: Sequence[int]) -> None:
    """What an account shared is what its remaining days show."""
    marks.mark_accounts(account_ids)


def _forget_words(cursor: CursorWrapper, skeletons: Sequence[int]) -> None:
    """A template that nobody has sent for so long is no template any more."""
    cursor.execute(
        "DELETE FROM ingest_template WHERE skeleton_hash = ANY(%s::bigint[])",
        [list(skeletons)],
    )


_OF_BATCH: Final = "(SELECT source_id FROM ingest_batch WHERE id = t.batch_id)"
_OF_KEY: Final = "(SELECT source_id FROM ingest_ingestkey WHERE id = t.key_id)"
# A kept line is held with an account that it names.
_NAMES_ACCOUNT: Final = """EXISTS (
    SELECT FROM held JOIN ingest_account AS named ON named.id = held.account_id
    WHERE {day} BETWEEN held.from_day AND held.to_day
      AND position(
        convert_to(to_json(named.external_id)::text, 'UTF8') IN t.raw) > 0)"""
_SENT_BY_HELD: Final = """EXISTS (
    SELECT FROM held WHERE held.account_id = ANY(t.account_ids)
      AND {day} BETWEEN held.from_day AND held.to_day)"""
_DAY_IS_HELD: Final = (
    "EXISTS (SELECT FROM held WHERE {day} BETWEEN held.from_day AND held.to_day)"
)
# A record counts for as long as it is the newest that tells one of its fields.
_SUPERSEDED: Final = """(t.excluded_at IS NOT NULL OR (EXISTS (
    SELECT FROM ingest_accountrecord AS newer
    WHERE newer.account_id = t.account_id AND newer.excluded_at IS NULL
      AND newer.updated_at > t.updated_at
) AND NOT EXISTS (
    SELECT FROM jsonb_object_keys(t.told) AS field (name) WHERE NOT EXISTS (
        SELECT FROM ingest_accountrecord AS newer
        WHERE newer.account_id = t.account_id AND newer.excluded_at IS NULL
          AND newer.updated_at > t.updated_at AND newer.told ? field.name))))"""

EVENTS: Final = Kind(
    "events",
    "Events",
    "Exchanges and activities, a whole day at a time. With them go the hashes of "
    "answers, and the keys by which repeats are told.",
    "RETENTION_EVENTS_DAYS",
    (
        Rows(
            "ingest_responsehash", "occurred_at", account="t.account_id", counted=False
        ),
        # A repeat of so old an event is refused as `too_old`, key or not.
        Rows(
            "ingest_eventkey", "occurred_on", is_day=True, key="digest", counted=False
        ),
    ),
)
EXCERPTS: Final = Kind(
    "excerpts",
    "Excerpts",
    "Redacted beginnings of drawn prompts.",
    "RETENTION_EXCERPTS_DAYS",
    (
        Rows(
            "ingest_excerpt",
            "day",
            is_day=True,
            account="t.account_id",
            source="t.source_id",
        ),
    ),
)
QUARANTINE: Final = Kind(
    "quarantine",
    "Kept lines",
    "Lines that were not stored, whether replayed or not, and the bodies of batches "
    "that could not be stored.",
    "RETENTION_QUARANTINE_DAYS",
    (
        Rows(
            "ingest_quarantinedline",
            "created_at",
            source=_OF_BATCH,
            also_held=_NAMES_ACCOUNT,
            returning="batch_id",
            after=ledger.note_dropped_lines,
        ),
        Rows(
            "ingest_batch",
            "received_at",
            source="t.source_id",
            # Nobody can tell whose events are in it.
            also_held=_DAY_IS_HELD,
            condition="t.state = 'parked' AND t.payload IS NOT NULL",
            action="UPDATE {table} SET payload = NULL "
            "WHERE {key} IN (SELECT {key} FROM due)",
        ),
    ),
)
ANSWERS: Final = Kind(
    "answers",
    "Answers to senders",
    "What each batch was answered, for a repeat with the same Idempotency-Key. The "
    "batch's counts stay.",
    "RETENTION_ANSWERS_DAYS",
    (
        Rows(
            "ingest_batch",
            "received_at",
            source="t.source_id",
            condition="t.state = 'stored' AND t.answer <> '{}'",
            action="UPDATE {table} SET answer = '{{}}', idempotency_key = NULL "
            "WHERE {key} IN (SELECT {key} FROM due)",
        ),
    ),
)
ROLLUPS: Final = Kind(
    "rollups",
    "Sums and sightings",
    "What each account did a day, and what it shared with others on those days.",
    "RETENTION_ROLLUPS_DAYS",
    (
        Rows(
            "ingest_accountday",
            "day",
            is_day=True,
            account="t.account_id",
            returning="account_id",
            after=_mark_sightings,
        ),
        Rows(
            "ingest_templatecandidate",
            "seen_on",
            is_day=True,
            also_held=_SENT_BY_HELD,
            key="skeleton_hash",
            returning="skeleton_hash",
            after=_forget_words,
            counted=False,
        ),
    ),
)
HISTORY: Final = Kind(
    "history",
    "Account history",
    "Account records of which every value was told anew since.",
    "RETENTION_HISTORY_DAYS",
    (
        Rows(
            "ingest_accountrecord",
            "updated_at",
            account="t.account_id",
            condition=_SUPERSEDED,
        ),
    ),
)
KEY_LOG: Final = Kind(
    "key_log",
    "Key log",
    "How much each key sent, from where, and when it was refused.",
    "RETENTION_KEY_LOG_DAYS",
    (
        Rows("ingest_keyrefusal", "hour", source=_OF_KEY),
        Rows("ingest_keyuse", "starts_at", source=_OF_KEY),
        Rows("ingest_keyblock", "last_used_at", source=_OF_KEY),
        Rows("ingest_refusedrequest", "hour", source=_OF_KEY),
    ),
)
KINDS: Final = (EVENTS, ROLLUPS, HISTORY, EXCERPTS, QUARANTINE, ANSWERS, KEY_LOG)
