"""Waiting for what is to happen, however busy the machine is.

A wait ends as soon as it has happened, so a patience of a minute costs nothing where
all is well and saves a test where two others want the same core.
"""

import socket
import time
from collections.abc import Callable

PATIENCE = 90.0  # seconds


def wait_until(
    happened: Callable[[], object],
    complaint: str = "it did not happen in time",
    *,
    seconds: float = PATIENCE,
) -> None:
    """Asks again and again. Fails with the complaint."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether somebody takes connections there, on this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
