"""The test database as another process reaches it."""

from urllib.parse import quote

from django.db import connection


def database_url() -> str:
    """DATABASE_URL of the database the test runs on, over TCP or a socket alike."""
    told = connection.settings_dict
    user, password = quote(told["USER"]), quote(told["PASSWORD"], safe="")
    host, port = quote(told["HOST"], safe=""), told["PORT"] or 5432
    name = quote(told["NAME"])
    return f"postgres://{user}:{password}@:{port}/{name}?host={host}"
