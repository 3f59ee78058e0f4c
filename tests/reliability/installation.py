"""A whole Stillwatch as its users run it, each part of which can be killed.

PostgreSQL keeps its real durability and is watched over by the launcher's own
keeper. The web server, the worker, the clock and the broker are started again when
they die, as systemd or a container platform would.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from tests.reliability.launching import ROOT, launcher, postgres_programs

SET_BY_US = ("DATABASE_URL", "BROKER_URL", "STILLWATCH_", "PYTEST_", "DJANGO_")
BROKERS = ("embedded", "redis")
PATIENCE = 120.0
# Shorter than the default, so that a trial waits less for what a dead worker held.
LEASE = 10
# Starts a program that Linux kills once we are gone, even by kill -9.
LEASHED = [
    sys.executable,
    "-c",
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL\n"
    "os.execvp(sys.argv[1], sys.argv[1:])",
]


class Part:
    """One process and its children; started again a moment after it died."""

    PAUSE = 0.6

    def __init__(self, name: str, words: Sequence[str], home: "Installation") -> None:
        self.name, self.words, self.home = name, list(words), home
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.held = False
        self._died_at = 0.0

    def start(self) -> None:
        log = self.home.folder / "logs" / f"{self.name}.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*LEASHED, *self.words],
                cwd=ROOT,
                env=self.home.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.starts += 1

    def tend(self) -> None:
        if self.held or (self.process is not None and self.process.poll() is None):
            return
        if self.process is not None:
            self._mourn(self.process)
            self.process = None
        if time.monotonic() - self._died_at >= self.PAUSE:
            self.start()

    def _mourn(self, process: subprocess.Popen[bytes]) -> None:
        """What it left behind lives on for the pause, as orphans do."""
        self._died_at = time.monotonic()
        threading.Timer(
            self.PAUSE / 2, launcher().end_group, (process.pid, signal.SIGKILL)
        ).start()

    @property
    def pid(self) -> int:
        process = self.process
        return process.pid if process is not None and process.poll() is None else 0

    def family(self) -> list[int]:
        """The process and all that descend from it."""
        return [self.pid, *descendants(self.pid)] if self.pid else []

    def kill(self, *, group: bool = True) -> None:
        if not self.pid:
            return
        if group:
            launcher().end_group(self.pid, signal.SIGKILL)
        else:
            send_signal(self.pid, signal.SIGKILL)

    def hold(self) -> None:
        """Kill it and leave it dead until `release`."""
        self.held = True
        if self.process is not None:
            launcher().end_group(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def release(self) -> None:
        self.held = False


def send_signal(pid: int, how: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


def descendants(pid: int) -> list[int]:
    """Children of any of its threads, and theirs."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += map(int, task.read_text().split())
    return [*children, *(each for child in children for each in descendants(child))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """PostgreSQL, broker, web server, worker, clock, in a folder of their own."""

    def __init__(
        self, broker: str = "embedded", *, within: Path | None = None, **settings: str
    ) -> None:
        self.broker = broker
        self.folder = Path(tempfile.mkdtemp(prefix="stillwatch-drill-", dir=within))
        # PostgreSQL runs as another user where we are root.
        self.folder.chmod(0o755)
        (self.folder / "logs").mkdir()
        self.port, self.redis_port = free_port(), free_port()
        log = self.folder / "logs" / "postgres.log"
        with warnings.catch_warnings():
            # It forks to ask what another user may enter, and only that.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.cluster = launcher().Cluster(
                self.folder / "postgres", postgres_programs(), log
            )
        self._keepers = kept_keepers(self.cluster)
        self.env = self._environment(settings)
        self.parts = self._parts()
        self._over = threading.Event()
        self._tender = threading.Thread(target=self._tend, daemon=True)
        self._users: Any = None

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(SET_BY_US)}
        redis = f"redis://127.0.0.1:{self.redis_port}/0"
        return {
            **plain,
            "STILLWATCH_VAR": str(self.folder / "var"),
            "STILLWATCH_SECRET_KEY": secrets.token_urlsafe(48),
            "STILLWATCH_HASH_KEY": secrets.token_urlsafe(48),
            "STILLWATCH_BASE_URL": f"http://127.0.0.1:{self.port}",
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "BROKER_URL": redis if self.broker == "redis" else "filesystem://",
            "PYTHONUNBUFFERED": "1",
            "STILLWATCH_INGEST_LEASE_SECONDS": str(LEASE),
            **settings,
        }

    def _parts(self) -> dict[str, Part]:
        run, broker = launcher(), self.env["BROKER_URL"]
        words = {
            "web": [sys.executable, *run.web_words(self.port)],
            "worker": [sys.executable, *run.worker_words(broker), "--concurrency=2"],
            "detection": [sys.executable, *run.worker_words(broker, "detection")],
            "beat": [sys.executable, *run.clock_words()],
        }
        if self.broker == "redis":
            words["redis"] = [
                *("redis-server", "--port", str(self.redis_port)),
                *("--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)),
            ]
        return {name: Part(name, each, self) for name, each in words.items()}

    # Its life

    def open(self) -> None:
        self._users = self.cluster.use()
        self.env["DATABASE_URL"] = self.cluster.url()
        self.manage("migrate", "--no-input")
        for part in self.parts.values():
            part.start()
        self._tender.start()
        self.wait_until_up()

    def close(self) -> None:
        self._over.set()
        if self._tender.is_alive():
            self._tender.join(10)
        for part in self.parts.values():
            part.hold()
        if self._users is not None:
            self.start_postgres()
            self.cluster.leave(self._users)
        for keeper in self._keepers:
            keeper.wait(30)
        launcher().erase(self.cluster.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Installation":
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tend(self) -> None:
        while not self._over.wait(0.05):
            for part in self.parts.values():
                part.tend()

    def wait_until_up(self) -> None:
        wait_for(self.answers, "The web server does not answer.")

    def answers(self) -> bool:
        return bool(launcher().web_answers(self.port, self.env["STILLWATCH_BASE_URL"]))

    # Reaching it

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"{words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return done.stdout

    def new_key(self, source: str) -> str:
        return self.manage("issue_key", "drill", "--source", source).strip()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query gives, asked again while the database is away."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(self.env["DATABASE_URL"], autocommit=True) as link:
                    return link.execute(sql, values or None).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def value(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]

    def log(self, name: str) -> str:
        path = self.folder / "logs" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # Its PostgreSQL

    def postmaster(self) -> int:
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = (self.cluster.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0])
        return 0

    def stop_postgres(self) -> None:
        """The keeper dies, and its server with it; nobody starts it again."""
        pid = self.postmaster()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        send_signal(int(fields[1]), signal.SIGKILL)
        wait_for(lambda: not self.cluster.answers(), "PostgreSQL does not stop.")

    def start_postgres(self) -> None:
        self.cluster.ensure_kept()

    # Its broker

    def redis(self) -> Any:
        import redis  # noqa: PLC0415 - only where there is one

        return redis.Redis(port=self.redis_port, socket_timeout=5)

    def empty_embedded_broker(self) -> None:
        for path in (self.folder / "var" / "broker").rglob("*"):
            with contextlib.suppress(OSError):
                path.unlink()


def kept_keepers(cluster: Any) -> list["subprocess.Popen[bytes]"]:
    """The keepers that a cluster starts from now on, so that they can be waited for."""
    started: list[subprocess.Popen[bytes]] = []
    start = cluster.start_keeper

    def start_and_keep(**how: Any) -> Any:
        started.append(start(**how))
        return started[-1]

    cluster.start_keeper = start_and_keep
    return started


def wait_for(
    happened: Callable[[], bool], complaint: str, seconds: float = PATIENCE
) -> float:
    """Seconds until it happened. Raises TimeoutError with the complaint."""
    begun = time.monotonic()
    while not happened():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(complaint)
        time.sleep(0.05)
    return time.monotonic() - begun
