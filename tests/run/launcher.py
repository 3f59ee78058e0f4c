"""The launcher as a user meets it: a process with words, output and an exit code."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
# A database is made, packages are read and programs started while others want the same
# cores. It is there for what hangs, and longer than the launcher itself waits for its
# database, so that its reason is heard.
DEADLINE = 330
LOCKS = ("requirements.txt", "tests/requirements.txt")
SET_BY_US = ("DATABASE_URL", "BROKER_URL", "STILLWATCH_", "PYTEST_", "DJANGO_")


def is_stamped(venv: Path) -> bool:
    stamp = venv / "stamp.json"
    locks = json.loads(stamp.read_text())["locks"] if stamp.exists() else {}
    wanted = {
        name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in LOCKS
    }
    return locks == wanted


class Launcher:
    """A checkout of its own, with the stand-in project and a fresh var folder."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.var = folder / "var"
        shutil.copytree(Path(__file__).parent / "stand_in", self.checkout)
        (self.checkout / "tests").mkdir()
        for name in ("run", *LOCKS):
            shutil.copy(ROOT / name, self.checkout / name)
        self.started: list[subprocess.Popen[str]] = []

    def share(self, venv: Path) -> "Launcher":
        self.var.mkdir(exist_ok=True)
        (self.var / "venv").symlink_to(venv)
        return self

    def environment(self, **extra: str) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(SET_BY_US)}
        return {**env, "STILLWATCH_VAR": str(self.var), **extra}

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(self.checkout / "run"), *words],
            env=self.environment(**extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **extra)
        out, err = process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def sql(self, *orders: str) -> list[object]:
        done = self.run("manage", "sql", *orders)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def sleeper(self, seconds: int = 60) -> subprocess.Popen[str]:
        """A manage command that holds the database."""
        process = self.start("manage", "sleep", str(seconds))
        assert process.stdout is not None
        assert process.stdout.readline() == '"asleep"\n'
        return process

    def place(self) -> Path:
        record = self.var / "postgres" / "place"
        return Path(record.read_text()) if record.exists() else self.var / "postgres"

    def postmaster(self) -> int:
        lines = (self.place() / "data" / "postmaster.pid").read_text().splitlines()
        return int(lines[0])

    def keeper(self) -> int:
        return int(Path(f"/proc/{self.postmaster()}/stat").read_text().split()[3])

    def service(self, name: str) -> int:
        return int(json.loads((self.var / "pids" / f"{name}.json").read_text())["pid"])

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=DEADLINE)
        wait_until(lambda: not self.is_database_kept())
        if self.place() != self.var / "postgres":
            shutil.rmtree(self.place(), ignore_errors=True)

    def is_database_kept(self) -> bool:
        lock = self.place() / "keeper.lock"
        return self.is_database_up() or (lock.exists() and is_held(lock))

    def is_keeper_started(self) -> bool:
        """Whether a process was told to keep this database, at work already or not."""
        words = (b"keep-database", os.fsencode(self.var))
        return any(all(w in line for w in words) for line in command_lines())

    def is_database_up(self) -> bool:
        return bool(servers_in(self.place() / "data"))


def is_held(path: Path) -> bool:
    """Whether somebody holds it alone."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield (entry / "cmdline").read_bytes()


def servers_in(data: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == data:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
