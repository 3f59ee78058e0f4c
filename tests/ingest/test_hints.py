"""A worker is woken soon, and nobody waits for a broker that is down."""

import threading
import time

import pytest
from celery import current_app
from kombu.exceptions import OperationalError as BrokerError

from ingest import hints


@pytest.fixture
def sent(monkeypatch):
    """The batches of the hints that reached the broker."""
    reached: list[int] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, **rest: reached.extend(args)
    )
    return reached


def wait_for(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_a_ring_reaches_the_worker(sent):
    hints.Bell().ring(7)
    wait_for(lambda: sent == [7])


def test_many_rings_become_few_hints_and_the_newest_is_among_them(sent):
    bell = hints.Bell()
    for pk in range(1, 501):
        bell.ring(pk)
    wait_for(lambda: sent[-1:] == [500])
    assert len(sent) < 20


def test_ringing_takes_no_time_while_the_broker_hangs(monkeypatch):
    stuck = threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda *args, **rest: stuck.wait(5))
    bell = hints.Bell()
    started = time.monotonic()
    for pk in range(100):
        bell.ring(pk)
    assert time.monotonic() - started < 0.5
    stuck.set()


@pytest.mark.parametrize("failure", [BrokerError("refused"), OSError("disk full")])
def test_a_dead_broker_is_a_log_line(monkeypatch, caplog, failure):
    def no_broker(*args, **rest):
        raise failure

    monkeypatch.setattr(current_app, "send_task", no_broker)
    assert hints.send(7) is False
    assert "No hint for batch 7" in caplog.text
