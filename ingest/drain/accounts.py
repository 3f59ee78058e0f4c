"""Accounts as the platform tells of them: stubs, and records merged into them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import polars as pl
from django.db import connection, transaction

from ingest.drain import account_history, copying, merging
from ingest.drain.acquaintances import Acquaintances
from ingest.drain.merging import Telling
from ingest.models import Account
from ingest.places import enrichment
from ingest.records import schemas
from ingest.rolling import marks

_MERGED: Final = [*merging.FIELDS, "updated_at", "field_times", "cut_fields"]
_WRITTEN: Final = [*_MERGED, "first_seen_at", "signup_country", "signup_asn"]
_AT_ONCE: Final = 500


def resolve(seen: pl.DataFrame) -> pl.DataFrame:
    """Primary keys of these accounts; the unknown ones are made as stubs.

    `seen` has each `account_id` once and the earliest time `at` it was mentioned, in
    microseconds since 1970. Comes back with `pk`, in any order. In a transaction that
    holds take-backs off (`repeats.hold_off`): they delete accounts, and let others be
    first seen later.
    """
    known = _met_lately()
    found = seen.hstack(known.find(seen["account_id"]))
    new = found.filter(pl.col("pk").is_null()).drop("pk", "first").sort("account_id")
    if len(new):
        new = _asked(new)
        found = pl.concat([found.drop_nulls("pk"), new])
    earlier = found.filter(pl.col("at") < pl.col("first"))
    _move_first_seen(earlier)
    learnt = pl.concat([new, earlier]).unique("account_id") if len(new) else earlier
    if len(learnt):
        first = pl.min_horizontal("at", "first").alias("first")
        columns = learnt.select("account_id", "pk", first).get_columns()
        # What is rolled back has to be forgotten.
        transaction.on_commit(lambda: known.learn(*columns))
    return found.drop("first")


def _asked(new: pl.DataFrame) -> pl.DataFrame:
    """`pk` and `first` of accounts that this process does not know, sorted by name."""
    found = _known(new)
    missing = found.filter(pl.col("pk").is_null()).drop("pk", "first")
    if not len(missing):
        return found
    _make_stubs(missing)
    return pl.concat([found.drop_nulls("pk"), _known(missing)])


_acquaintances: Final = Acquaintances(most=500_000)
_last_order: tuple[int, bool] | None = None
_TAKEN_BACK: Final = """
SELECT coalesce(max(id), 0), coalesce(bool_or(finished_at IS NULL), false)
FROM ingest_takeback
"""


def _met_lately() -> Acquaintances:
    """What is remembered; nothing where take-backs were at work, or are.

    Only take-backs delete accounts or let them be seen later than was known. They
    work alone: who asks while they are held off, and finds the same last order as
    before, and none that is not done, can rely on what is remembered.
    """
    global _last_order
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_BACK)
        newest, working = cursor.fetchone()
    if working or _last_order != (newest, working):
        forget_all()
        _last_order = newest, working
    return _acquaintances


def forget_all() -> None:
    _acquaintances.forget()


# Through the index, each in its turn and in its order: to join would read the table
# of all accounts for some thousand of them.
_KNOWN: Final = """
SELECT told.place - 1, account.id,
    (extract(epoch FROM account.first_seen_at) * 1000000)::bigint
FROM unnest(%s::text[]) WITH ORDINALITY AS told (name, place)
CROSS JOIN LATERAL (
    SELECT id, first_seen_at FROM ingest_account
    WHERE external_id = told.name LIMIT 1
) AS account
"""


def _known(seen: pl.DataFrame) -> pl.DataFrame:
    """The same with `pk` and `first`; null for who has no row."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [copying.texts(seen["account_id"].to_list())])
        rows = cursor.fetchall()
    found = pl.DataFrame(
        rows, {"place": pl.Int64, "pk": pl.Int64, "first": pl.Int64}, orient="row"
    )
    places = seen.with_row_index("place").cast({"place": pl.Int64})
    return places.join(found, on="place", how="left", maintain_order="left").drop(
        "place"
    )


_AT: Final = "timestamptz 'epoch' + {} * interval '1 microsecond'"


def _make_stubs(seen: pl.DataFrame) -> None:
    """A row for each; in the order of `seen`, which must be the same for everybody,
    so that two who make the same stubs cannot wait for each other."""
    told = ("id", "external_id", "first_seen_at")
    others = [each for each in Account._meta.concrete_fields if each.name not in told]
    names = ", ".join(f'"{each.column}"' for each in others)
    blanks = [each.get_db_prep_save(each.get_default(), connection) for each in others]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ingest_account (external_id, first_seen_at, {names}) "  # noqa: S608
            f"SELECT name, {_AT.format('at')}, {', '.join(['%s'] * len(others))} "
            "FROM unnest(%s::text[], %s::bigint[]) AS told (name, at) "
            "ON CONFLICT DO NOTHING",
            [
                *blanks,
                copying.texts(seen["account_id"].to_list()),
                copying.numbers(seen["at"].to_list()),
            ],
        )


# Locked in the order of their keys, as everybody does.
_MOVE_FIRST_SEEN: Final = f"""
WITH earlier AS (
    SELECT id, told.at
    FROM (
        SELECT pk, {_AT.format("micros")} FROM unnest(%s::bigint[], %s::bigint[])
            AS two (pk, micros)
    ) AS told (pk, at)
    JOIN ingest_account AS account ON account.id = told.pk
    WHERE first_seen_at > told.at
    ORDER BY id FOR NO KEY UPDATE OF account
)
UPDATE ingest_account AS account SET first_seen_at = earlier.at FROM earlier
WHERE account.id = earlier.id AND first_seen_at > earlier.at
RETURNING account.id, created_at IS NULL AND updated_at IS NOT NULL
"""  # noqa: S608 - made of constants


def _move_first_seen(earlier: pl.DataFrame) -> None:
    if not len(earlier):
        return
    earlier = earlier.sort("pk")
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVE_FIRST_SEEN,
            [copying.numbers(earlier[name].to_list()) for name in ("pk", "at")],
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
