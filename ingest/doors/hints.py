"""Wakes a worker when a batch has come, without the sender waiting for the broker.

A hint may be lost: the sweeper finds every batch a few seconds later. So one thread
per web process sends them, at most one in PAUSE seconds however many batches come,
and a broker that is down costs a log line instead of a request's time.
"""

import logging
import threading
import time
from typing import Final

from celery import current_app
from kombu.exceptions import KombuError

PAUSE: Final = 0.1
# After a failure the broker is left alone for so long.
PAUSE_AFTER_FAILURE: Final = 10.0

log = logging.getLogger(__name__)


class Bell:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rung = threading.Event()
        self._newest = 0
        self._ringer: threading.Thread | None = None

    def ring(self, batch_pk: int) -> None:
        """Returns at once; the worker hears of this batch or a newer one."""
        self._newest = batch_pk
        self._rung.set()
        with self._lock:
            # Started on the first ring, and again in a process that was forked.
            if self._ringer is None or not self._ringer.is_alive():
                self._ringer = threading.Thread(
                    target=self._run, name="ingest-hints", daemon=True
                )
                self._ringer.start()

    def _run(self) -> None:
        while self._rung.wait():
            self._rung.clear()
            time.sleep(PAUSE if send(self._newest) else PAUSE_AFTER_FAILURE)


def send(batch_pk: int) -> bool:
    """Whether the broker took the hint."""
    try:
        current_app.send_task("ingest.store_batch", [batch_pk], retry=False)
    except (KombuError, OSError) as error:
        log.warning("No hint for batch %s: %s", batch_pk, type(error).__name__)
        return False
    return True


bell = Bell()
