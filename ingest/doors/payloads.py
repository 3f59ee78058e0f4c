"""A batch's body in and out of PostgreSQL as it is.

Django writes and reads it as hexadecimal text within the statement, which takes three
times as long on both sides.
"""

from typing import Any, Final

from django.db import connection
from psycopg import Cursor

_KEEP: Final = "UPDATE ingest_batch SET payload = %b WHERE id = %s"
_READ: Final = "SELECT payload FROM ingest_batch WHERE id = %s"


def keep(batch_id: int, payload: bytes) -> None:
    """In the caller's transaction. Raises django.db errors."""
    _run(_KEEP, [payload, batch_id])


def read(batch_id: int) -> bytes:
    """Empty where nothing is kept. Raises django.db errors."""
    found = _run(_READ, [batch_id]).fetchone()
    return (found and found[0]) or b""


def _run(statement: str, values: list[Any]) -> "Cursor[Any]":
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return Cursor(connection.connection).execute(statement, values, binary=True)
