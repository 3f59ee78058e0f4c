"""Lets the tests empty the tables that the product never may.

Tests that commit are cleaned up by TRUNCATE, which the database refuses for what must
be kept. The refusal is lifted for just that statement, in its own transaction, by the
owner of the tables; the guard itself stays as it is in production.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

GUARDED = (
    "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'refuse_change'"
)

Flush = Callable[[Any, Iterable[str]], None]


def flush_past_the_guards(flush: Flush) -> Flush:
    def execute_sql_flush(self: DatabaseOperations, sql_list: Iterable[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(GUARDED)
            tables = [table for (table,) in cursor.fetchall()]
        lift = [f"ALTER TABLE {t} DISABLE TRIGGER refuse_change" for t in tables]
        back = [f"ALTER TABLE {t} ENABLE ALWAYS TRIGGER refuse_change" for t in tables]
        flush(self, [*lift, *sql_list, *back])

    return execute_sql_flush


def let_tests_empty_tables(patch: Any) -> None:
    flush = DatabaseOperations.execute_sql_flush
    patch.setattr(DatabaseOperations, "execute_sql_flush", flush_past_the_guards(flush))
