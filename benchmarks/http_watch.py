"""What an installation under load shows: lag of each batch, memory of each process,
and who uses the processors."""

import os
import re
import threading
import time
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.reliability.installation import Installation, descendants

# A batch is rolled up when the sums of its account-days hold it; what else its events
# show may follow a minute later (ingest/rolling/rollups.py).
BATCHES: Final = """
SELECT batch.batch_id::text, NOT EXISTS (
    SELECT FROM ingest_unsummedbatch AS waiting
    WHERE waiting.batch_id = batch.id AND NOT waiting.is_summed
) FROM ingest_batch AS batch WHERE batch.state = 'stored' AND batch.id > %s
"""
EVERY: Final = 0.5  # seconds between two looks: the resolution of the lag
# Looks to a weighing: the kernel goes through all pages of a process for it.
WEIGHED: Final = 10
MEBIBYTE: Final = 1024


class Watch(threading.Thread):
    """Looks every half second; says when each batch was first seen further on."""

    def __init__(self, home: Installation) -> None:
        super().__init__(daemon=True)
        self.home = home
        self.stored: dict[str, float] = {}
        self.rolled_up: dict[str, float] = {}
        self.memory: dict[str, list[float]] = {}
        self.over = threading.Event()
        self._first = int(home.value("SELECT coalesce(max(id), 0) FROM ingest_batch"))

    def run(self) -> None:
        with psycopg.connect(self.home.env["DATABASE_URL"], autocommit=True) as link:
            looks = 0
            while not self.over.wait(EVERY):
                self.look(link)
                if looks % WEIGHED == 0:
                    self.weigh()
                looks += 1

    def look(self, link: "psycopg.Connection[Any]") -> None:
        now = time.monotonic()
        for batch_id, rolled_up in link.execute(BATCHES, [self._first]).fetchall():
            self.stored.setdefault(batch_id, now)
            if rolled_up:
                self.rolled_up.setdefault(batch_id, now)

    def weigh(self) -> None:
        for name, pids in processes(self.home).items():
            held = [kibibytes(pid) / MEBIBYTE for pid in pids]
            if held:
                self.memory.setdefault(name, []).append(max(held))

    def wait_for(self, batch_ids: set[str], *, seconds: float) -> bool:
        """Whether all of them are rolled up within the time."""
        deadline = time.monotonic() + seconds
        while not batch_ids <= self.rolled_up.keys():
            if time.monotonic() > deadline:
                return False
            time.sleep(EVERY / 2)
        return True

    def stop(self) -> None:
        self.over.set()
        self.join()


def cpu_seconds(home: Installation) -> dict[str, float]:
    """Processor time of each part so far, with that of its children, dead or alive."""
    families = {name: part.family() for name, part in home.parts.items()}
    families["postgres"] = [home.postmaster(), *descendants(home.postmaster())]
    spent = {
        name: sum(map(ticks, pids)) / os.sysconf("SC_CLK_TCK")
        for name, pids in families.items()
    }
    return spent | {"sender": time.process_time()}


def ticks(pid: int) -> int:
    """Of a process and of those of its children that have ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return sum(map(int, told.rpartition(")")[2].split()[11:15]))


def processes(home: Installation) -> dict[str, list[int]]:
    found = {
        "postgres, largest backend": descendants(home.postmaster()),
        "web": home.parts["web"].family(),
        "worker, parent": [home.parts["worker"].pid],
        "worker, largest child": descendants(home.parts["worker"].pid),
        "detection, largest child": descendants(home.parts["detection"].pid),
        "clock": home.parts["beat"].family(),
    }
    if "redis" in home.parts:
        found["redis"] = home.parts["redis"].family()
    return found


def kibibytes(pid: int) -> int:
    """Memory of a process: pages that several hold count in parts, and what they share
    by intent, such as PostgreSQL's buffers, not at all."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    sizes = dict(re.findall(r"^(Pss|Pss_Shmem):\s+(\d+) kB", told, re.M))
    return int(sizes.get("Pss", 0)) - int(sizes.get("Pss_Shmem", 0))
