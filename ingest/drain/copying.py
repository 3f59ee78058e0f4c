"""Many values to PostgreSQL at once: COPY, and arrays that are cheap to send."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import errors, pq


def copy(statement: str, blocks: Iterable[bytes]) -> None:
    """Sends the blocks to a COPY … FROM STDIN. Raises django.db errors.

    PostgreSQL reads one block while the next is made.
    """
    # Django's cursor passes `copy` on as it is, so that a server which goes away would
    # look like a fault of the rows.
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copying,
    ):
        for block in blocks:
            copying.write(block)


def read(statement: str, values: Sequence[object]) -> bytes:
    """All that a COPY … TO STDOUT writes. Raises django.db errors.

    psycopg's own copy waits for each row anew, which costs more than the row.
    """
    with connection.cursor(), connection.wrap_database_errors:
        operations: Any = connection.ops
        text: str = operations.compose_sql(statement, values)
        libpq = connection.connection.pgconn
        started = libpq.exec_(text.encode())
        if started.status != pq.ExecStatus.COPY_OUT:
            raise errors.error_from_result(started)
        rows = []
        while (got := libpq.get_copy_data(0))[0] > 0:
            rows.append(bytes(got[1]))
        ended = libpq.get_result()
        if ended.status != pq.ExecStatus.COMMAND_OK:
            raise errors.error_from_result(ended)
        libpq.get_result()
    return b"".join(rows)


def texts(values: Sequence[str]) -> str:
    """A text[] as PostgreSQL writes it; a parameter of many values costs far more."""
    if not values:
        return "{}"
    joined = '","'.join(values)
    # Only the joints may hold quotation marks.
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in values)
        joined = '","'.join(quoted)
    return '{"' + joined + '"}'


def numbers(values: Iterable[float]) -> str:
    """An array of numbers as PostgreSQL writes it."""
    return "{" + ",".join(map(repr, values)) + "}"
