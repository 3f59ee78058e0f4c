"""What Stillwatch asks of its database and its settings before it serves."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from dashboard.checks import (
    DURABLE,
    not_durable,
    old_version,
    refuse_unsound_database,
    sound_database,
)

PRODUCTION = {
    "STILLWATCH_BASE_URL": "https://stillwatch.example",
    "STILLWATCH_HOSTS": "stillwatch.example",
    "STILLWATCH_SECRET_KEY": "".join(map(chr, range(48, 122))),
    "STILLWATCH_HASH_KEY": "".join(map(chr, range(122, 48, -1))),
    "STILLWATCH_DEBUG": "0",
    "STILLWATCH_DEMO": "0",
    "STILLWATCH_BEHIND_PROXY": "1",
    "BROKER_URL": "redis://127.0.0.1:6379/0",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_deployed_as_documented_no_check_warns(tmp_path):
    done = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        **PRODUCTION,
        STILLWATCH_VAR=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"STILLWATCH_DEMO": "1"}, "printed links"),
        (
            {"STILLWATCH_HASH_KEY": PRODUCTION["STILLWATCH_SECRET_KEY"]},
            "are the same",
        ),
    ],
)
def test_a_deployment_that_is_none_is_warned_about(tmp_path, change, told):
    environment = {**PRODUCTION, "STILLWATCH_VAR": str(tmp_path), **change}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **environment)
    assert done.returncode == 1
    assert told in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("STILLWATCH_SECRET_KEY", "short", "at least 32"),
        ("STILLWATCH_SECRET_KEY", "", "STILLWATCH_SECRET_KEY is not set"),
        ("STILLWATCH_HASH_KEY", "", "STILLWATCH_HASH_KEY is not set"),
        ("STILLWATCH_DEMO", "perhaps", "Use 1 or 0"),
        ("STILLWATCH_RETENTION_EVENTS_DAYS", "many", "whole number"),
        ("STILLWATCH_RETENTION_EVENTS_DAYS", "0", "Use 1 to 3650"),
        ("STILLWATCH_BASE_URL", "stillwatch.example", "must start with one of"),
        ("BROKER_URL", "amqp://x", "must start with one of"),
        ("DATABASE_URL", "sqlite:///x", "PostgreSQL 15 or newer"),
        ("DATABASE_URL", "postgres://u:secret@h:x/d", "port that is no number"),
    ],
)
def test_nonsense_in_the_environment_stops_the_start_with_a_sentence(name, value, told):
    done = manage("check", **{name: value})
    assert done.returncode != 0
    assert told in done.stderr
    assert "secret@" not in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("setting", DURABLE)
def test_a_database_that_may_lose_what_it_confirmed_is_refused(monkeypatch, setting):
    monkeypatch.delenv("STILLWATCH_TEST_DATABASE", raising=False)
    [error] = not_durable([setting])
    assert error.level == checks.ERROR
    assert setting in error.msg


@pytest.mark.parametrize("setting", DURABLE)
def test_a_throwaway_database_is_allowed_and_said_aloud(monkeypatch, setting):
    monkeypatch.setenv("STILLWATCH_TEST_DATABASE", "1")
    [warning] = not_durable([setting])
    assert warning.level == checks.WARNING
    assert "throwaway" in warning.msg


def test_an_old_postgresql_is_refused_with_the_version_that_is_needed():
    [error] = old_version(14)
    assert error.hint == "Use PostgreSQL 15 or newer."
    assert not old_version(15)


@pytest.mark.django_db
def test_a_setting_of_the_connection_itself_is_noticed(monkeypatch):
    monkeypatch.delenv("STILLWATCH_TEST_DATABASE", raising=False)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    [found] = sound_database(None, databases=["default"])
    assert "synchronous_commit" in found.msg
    with pytest.raises(ImproperlyConfigured, match="synchronous_commit"):
        refuse_unsound_database()
