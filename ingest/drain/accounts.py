"""Accounts as the platform tells of them: stubs, and records merged into them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from django.db import connection, transaction

from ingest.drain import account_history, copying, merging
from ingest.drain.merging import Telling
from ingest.models import Account
from ingest.places import enrichment
from ingest.records import schemas
from ingest.rolling import marks

Seen = Mapping[str, float]  # account_id → earliest time it was mentioned, in seconds
_MERGED: Final = [*merging.FIELDS, "updated_at", "field_times", "cut_fields"]
_WRITTEN: Final = [*_MERGED, "first_seen_at", "signup_country", "signup_asn"]
_AT_ONCE: Final = 500


def resolve(seen: Seen) -> dict[str, int]:
    """Primary keys of these accounts; the unknown ones are made as stubs.

    In a transaction that holds take-backs off (`repeats.hold_off`): they delete
    accounts, and let others be first seen later.
    """
    remembered = _memory.of(_taken_back())
    found = {name: remembered[name] for name in seen.keys() & remembered.keys()}
    asked = {name: seen[name] for name in seen.keys() - found.keys()}
    if asked:
        found |= _known(asked)
        missing = sorted(asked.keys() - found.keys())
        if missing:
            stubs = {name: asked[name] for name in missing}
            _make_stubs(stubs)
            found |= _known(stubs)
    earlier = {
        name: seen[name] for name, (_, first) in found.items() if seen[name] < first
    }
    _move_first_seen({found[name][0]: at for name, at in earlier.items()})
    learnt = {name: found[name] for name in asked} | {
        name: (found[name][0], at) for name, at in earlier.items()
    }
    if learnt:
        # What is rolled back has to be forgotten.
        transaction.on_commit(lambda: _memory.learn(learnt))
    return {name: pk for name, (pk, _) in found.items()}


Row = tuple[int, float]  # primary key, and when it was seen first


class _Memory:
    """The accounts this process met last, so that they need not be looked up again.

    Only take-backs delete accounts or let them be seen later than was known. They
    work alone: who asks while they are held off, and learns of the same last order as
    before, and of none that is not done, can rely on what is remembered.
    """

    MOST: Final = 100_000

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._orders: object = None

    def of(self, orders: tuple[int, bool]) -> Mapping[str, Row]:
        """What is remembered; nothing where take-backs were at work, or are."""
        if orders != self._orders or orders[1]:
            self.forget()
            self._orders = orders
        return self._rows

    def learn(self, rows: Mapping[str, Row]) -> None:
        self._rows |= rows
        if len(self._rows) > self.MOST:
            # A dictionary has its oldest first.
            kept = list(self._rows)[-self.MOST // 2 :]
            self._rows = {name: self._rows[name] for name in kept}

    def forget(self) -> None:
        self._rows = {}


_memory: Final = _Memory()
forget_all: Final = _memory.forget
_TAKEN_BACK: Final = """
SELECT coalesce(max(id), 0), coalesce(bool_or(finished_at IS NULL), false)
FROM ingest_takeback
"""


def _taken_back() -> tuple[int, bool]:
    """The last order to take back, and whether any is not done."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_BACK)
        newest, working = cursor.fetchone()
    return int(newest), bool(working)


# Through the index, each in its turn and in its order: to join would read the table
# of all accounts for some thousand of them.
_KNOWN: Final = """
SELECT told.place - 1, account.id, extract(epoch FROM account.first_seen_at)::float8
FROM unnest(%s::text[]) WITH ORDINALITY AS told (name, place)
CROSS JOIN LATERAL (
    SELECT id, first_seen_at FROM ingest_account
    WHERE external_id = told.name LIMIT 1
) AS account
"""


def _known(seen: Seen) -> dict[str, Row]:
    """Those that have a row."""
    names = sorted(seen)
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [copying.texts(names)])
        return {names[place]: (pk, first) for place, pk, first in cursor.fetchall()}


def _make_stubs(seen: Seen) -> None:
    """A row for each; in the order of `seen`, which must be the same for everybody,
    so that two who make the same stubs cannot wait for each other."""
    told = ("id", "external_id", "first_seen_at")
    others = [each for each in Account._meta.concrete_fields if each.name not in told]
    names = ", ".join(f'"{each.column}"' for each in others)
    blanks = [each.get_db_prep_save(each.get_default(), connection) for each in others]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ingest_account (external_id, first_seen_at, {names}) "  # noqa: S608
            f"SELECT name, to_timestamp(at), {', '.join(['%s'] * len(others))} "
            "FROM unnest(%s::text[], %s::float8[]) AS told (name, at) "
            "ON CONFLICT DO NOTHING",
            [
                *blanks,
                copying.texts(list(seen)),
                copying.numbers(seen.values()),
            ],
        )


# Locked in the order of their keys, as everybody does.
_MOVE_FIRST_SEEN: Final = """
WITH earlier AS (
    SELECT id, to_timestamp(told.at) AS at
    FROM unnest(%s::bigint[], %s::float8[]) AS told (pk, at)
    JOIN ingest_account AS account ON account.id = told.pk
    WHERE first_seen_at > to_timestamp(told.at)
    ORDER BY id FOR NO KEY UPDATE OF account
)
UPDATE ingest_account AS account SET first_seen_at = earlier.at FROM earlier
WHERE account.id = earlier.id AND first_seen_at > earlier.at
RETURNING account.id, created_at IS NULL AND updated_at IS NOT NULL
"""


def _move_first_seen(seen: Mapping[int, float]) -> None:
    if not seen:
        return
    pks = sorted(seen)
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVE_FIRST_SEEN,
            [copying.numbers(pks), copying.numbers(seen[pk] for pk in pks)],
        )
        moved = cursor.fetchall()
    # Of who has no sign-up date, what the record tells is sighted when first seen.
    marks.mark_accounts(pk for pk, dates_from_it in moved if dates_from_it)


def merge(
    records: Iterable[tuple[int, schemas.Account]], mail_key: bytes
) -> list[Account]:
    """Writes what the records tell; gives the accounts that changed by it.

    Each record comes with the key of its batch, and is kept as it was told
    (`account_history`). The accounts' rows must exist (`resolve` made them); they are
    locked until the commit.
    """
    by_account: dict[str, list[tuple[int, Telling]]] = defaultdict(list)
    for batch_id, record in records:
        told = merging.telling(record, mail_key)
        by_account[record.account_id].append((batch_id, told))
    found = Account.objects.filter(external_id__in=list(by_account))
    rows = list(found.order_by("pk").select_for_update())
    account_history.keep(
        (account.pk, batch_id, told)
        for account in rows
        for batch_id, told in by_account[account.external_id]
    )
    changed = [
        account
        for account in rows
        # Every record is applied; any() would stop at the first that tells something.
        if sum(_tell(account, told) for _, told in by_account[account.external_id])
    ]
    _write(changed)
    return changed


def rebuild(account_ids: Iterable[int]) -> list[Account]:
    """Merges these accounts anew from the records that are not excluded.

    The result is what merging just those records in any order would have given; an
    account without any becomes a stub again. Gives the accounts that changed. What
    they share is sighted anew with the rollup of a day of theirs, which is for the
    caller to mark. `first_seen_at` is not touched: `correct_first_seen` does that.
    """
    wanted = sorted(set(account_ids))
    changed: list[Account] = []
    for start in range(0, len(wanted), _AT_ONCE):
        with transaction.atomic():
            changed += _rebuild(wanted[start : start + _AT_ONCE])
    return changed


def _rebuild(account_ids: list[int]) -> list[Account]:
    rows = Account.objects.filter(pk__in=account_ids)
    tellings = account_history.remaining(account_ids)
    changed = []
    for account in rows.order_by("pk").select_for_update():
        before = [getattr(account, name) for name in _MERGED]
        for name, empty in _untold().items():
            setattr(account, name, empty)
        for told in tellings.get(account.pk, ()):
            _tell(account, told)
        if before != [getattr(account, name) for name in _MERGED]:
            changed.append(account)
    _write(changed)
    return changed


def _untold() -> dict[str, object]:
    """What a stub has in the fields that records are merged into."""
    stub = Account()
    return {name: getattr(stub, name) for name in _MERGED}


def correct_first_seen(account_ids: Iterable[int]) -> None:
    """Sets `first_seen_at` to the earliest that is left to be seen.

    For when what named an account first has been taken out; the account-days must be
    fresh. An account of which nothing is left keeps the time it had.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CORRECT_FIRST_SEEN, [sorted(set(account_ids))] * 3)


_CORRECT_FIRST_SEEN: Final = """
UPDATE ingest_account AS account SET first_seen_at = left_over.at
FROM (
    SELECT account_id, min(at) AS at FROM (
        SELECT account_id, first_at AS at FROM ingest_accountday
        WHERE account_id = ANY(%s::bigint[]) AND first_at IS NOT NULL
        UNION ALL
        SELECT account_id, updated_at FROM ingest_accountrecord
        WHERE account_id = ANY(%s::bigint[]) AND excluded_at IS NULL
    ) AS mentions GROUP BY account_id
) AS left_over
WHERE account.id = ANY(%s::bigint[]) AND account.id = left_over.account_id
  AND account.first_seen_at <> left_over.at
"""


def _write(accounts: list[Account]) -> None:
    enrichment.fill_sign_ups(accounts)
    Account.objects.bulk_create(
        accounts,
        update_conflicts=True,
        unique_fields=["external_id"],
        update_fields=_WRITTEN,
        batch_size=_AT_ONCE,
    )


def _tell(account: Account, told: Telling) -> bool:
    at = merging.micros(told.updated_at)
    current = {name: getattr(account, name) for name in merging.FIELDS}
    times = merging.known_times(current, account.updated_at, account.field_times)
    won = merging.winners(current, times, told.values, at)
    for name, value in won.items():
        setattr(account, name, value)
    cut = merging.cut_after(account.cut_fields, won, current | won, times, told)
    newer = account.updated_at is None or told.updated_at > account.updated_at
    if not won and not newer and cut == account.cut_fields:
        return False
    account.cut_fields = cut
    latest = (
        told.updated_at if newer or account.updated_at is None else account.updated_at
    )
    account.updated_at = latest
    account.field_times = merging.kept_times(times, latest)
    return True
