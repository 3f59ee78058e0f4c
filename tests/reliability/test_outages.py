"""Promise I5: something is gone for a while. Every answer is 202, or 503 and when to
come again, none is long in coming, and nothing that was promised is lost."""

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.reliability.chaos import Outage
from tests.reliability.conftest import Running
from tests.reliability.installation import Installation, wait_for
from tests.reliability.trials import Plan, Verdict, ledger_adds_up, run_trial

EVENTS = 2000
OVER, FROM, TO = 8.0, 1.0, 6.0
MIB = 2**20

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


def verdict_of(running: Running, number: int, *, name: str, begin, end) -> Verdict:
    outage = Outage(name, begin, end, start=FROM, stop=TO)
    plan = Plan(number, random.randrange(1_000_000) + number, EVENTS, 0, over=OVER)
    verdict = run_trial(running.home, running.key, plan, outage)
    assert verdict.faults == [], verdict.line()
    assert verdict.acknowledged == EVENTS
    assert verdict.answered_in <= 2, verdict.line()
    return verdict


def needs_redis(home: Installation) -> None:
    if home.broker != "redis":
        pytest.skip("this installation has no Redis")


def test_a_database_that_is_gone_is_a_503_and_loses_nothing(running):
    home = running.home
    verdict = verdict_of(
        running, 20, name="database", begin=home.stop_postgres, end=home.start_postgres
    )
    assert verdict.answers.keys() == {"202", "503"}


def test_without_redis_everything_is_accepted(running):
    needs_redis(running.home)
    part = running.home.parts["redis"]
    verdict = verdict_of(running, 21, name="redis", begin=part.hold, end=part.release)
    assert verdict.answers.keys() == {"202"}


def test_with_a_full_redis_everything_is_accepted(running):
    needs_redis(running.home)

    def limit(size: int) -> None:
        running.home.redis().config_set("maxmemory", size)

    verdict = verdict_of(
        running, 22, name="memory", begin=lambda: limit(1), end=lambda: limit(0)
    )
    assert verdict.answers.keys() == {"202"}


@contextmanager
def detection_held_up(home: Installation) -> Iterator[None]:
    """No pass can write its links, so that one that began does not end."""
    with psycopg.connect(home.env["DATABASE_URL"]) as link:
        link.execute("LOCK TABLE detection_link IN ACCESS EXCLUSIVE MODE")
        yield


def is_held_up(home: Installation) -> bool:
    waiting = "relation = 'detection_link'::regclass AND NOT granted"
    return bool(home.value(f"SELECT count(*) FROM pg_locks WHERE {waiting}"))  # noqa: S608


def test_telemetry_does_not_wait_for_detection(running):
    home = running.home
    run_trial(home, running.key, Plan(23, random.randrange(1_000_000), 100, 0, over=1))
    with detection_held_up(home):
        wait_for(lambda: is_held_up(home), "No pass began.")
        plan = Plan(24, random.randrange(1_000_000), EVENTS, 0, over=OVER)
        verdict = run_trial(home, running.key, plan)
        assert is_held_up(home)
    assert verdict.faults == [], verdict.line()
    assert verdict.answers.keys() == {"202"}


@pytest.fixture
def small_disk(tmp_path_factory) -> Iterator[Path]:
    """A file system of its own; only root can make one."""
    place = tmp_path_factory.mktemp("disk")
    words = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, check=False).returncode:
        pytest.skip("no disk can be made here")
    # PostgreSQL's user must be able to reach it.
    for folder in (place, *place.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o755)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_a_503_and_loses_nothing(small_disk):
    with Installation("embedded", within=small_disk) as home:
        running = Running(home, home.new_key("gateway"))
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            free = os.statvfs(small_disk)
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - MIB)

        def fill() -> None:
            with ballast.open("ab") as file:
                try:
                    while file.write(bytes(MIB // 16)):
                        file.flush()
                except OSError:
                    return

        def free_it() -> None:
            ballast.unlink()
            home.start_postgres()

        verdict = verdict_of(running, 0, name="disk", begin=fill, end=free_it)
        assert verdict.answers.keys() == {"202", "503"}
        assert ledger_adds_up(home)
