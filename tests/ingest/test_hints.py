"""A worker is woken soon, and nobody waits for a broker that is down."""

import threading
import time

import pytest
from celery import current_app
from kombu.exceptions import OperationalError as BrokerError

from ingest.doors import hints
from tests.waiting import wait_until


@pytest.fixture
def sent(monkeypatch):
    """The batches of the hints that reached the broker.

    Those of a bell that an earlier test of the process rang may be among them.
    """
    reached: list[int] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, **rest: reached.extend(args)
    )
    return reached


def test_a_ring_reaches_the_worker(sent):
    hints.Bell().ring(7)
    wait_until(lambda: 7 in sent)


def test_many_rings_become_few_hints_and_the_newest_is_among_them(sent):
    bell = hints.Bell()
    for pk in range(1, 501):
        bell.ring(pk)
    wait_until(lambda: 500 in sent)
    assert len(sent) < 20


def test_ringing_takes_no_time_while_the_broker_hangs(monkeypatch):
    stuck, sent = threading.Event(), []

    def hang(name, args, **rest):
        stuck.wait(60)
        sent.extend(args)

    monkeypatch.setattr(current_app, "send_task", hang)
    bell = hints.Bell()
    started = time.monotonic()
    for pk in range(100):
        bell.ring(pk)
    assert time.monotonic() - started < 30  # one that waits takes a minute
    stuck.set()
    wait_until(lambda: 99 in sent)  # or it would ring in the next test


@pytest.mark.parametrize("failure", [BrokerError("refused"), OSError("disk full")])
def test_a_dead_broker_is_a_log_line(monkeypatch, caplog, failure):
    def no_broker(*args, **rest):
        raise failure

    monkeypatch.setattr(current_app, "send_task", no_broker)
    assert hints.send(7) is False
    assert "No hint for batch 7" in caplog.text
