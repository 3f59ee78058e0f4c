"""A file of the embedded broker that was cut short stops nobody."""

from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue

from dashboard.celery import app
from dashboard.file_broker import Transport


@pytest.fixture
def folder(tmp_path):
    for name in ("queue", "processed", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def connect(folder: Path) -> Connection:
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
    }
    return Connection(
        "filesystem://localhost",
        transport="dashboard.file_broker:Transport",
        transport_options=options,
    )


def test_a_hint_cut_short_is_passed_over(folder, caplog):
    # Before the whole one in their order, whose name is the machine's uptime.
    (folder / "queue" / "0_cut.celery.msg").write_bytes(b"")
    (folder / "queue" / "00_cut.celery.msg").write_bytes(b'{"body": ')
    with connect(folder) as link, link.SimpleQueue("celery") as queue:
        queue.put("whole")
        assert queue.get(timeout=2).payload == "whole"
    assert caplog.text.count("cut short") == 2


@pytest.mark.parametrize("left", [None, b"", b"[["])
def test_a_process_still_knows_its_queue_when_the_table_is_gone(folder, left):
    table = folder / "control" / "celery.exchange"
    with connect(folder) as link, link.SimpleQueue("celery") as queue:
        queue.put("before")
        table.unlink(missing_ok=True)
        if left is not None:
            table.write_bytes(left)
        queue.put("after")
        told = {queue.get(timeout=2).payload for _ in range(2)}
    assert told == {"before", "after"}


def test_a_table_cut_short_is_written_anew(folder):
    table = folder / "control" / "celery.exchange"
    for _ in range(2):
        with connect(folder) as link:
            queue = Queue("celery", Exchange("celery", "direct"))
            queue(link.default_channel).declare()
        assert b"celery" in table.read_bytes()
        table.write_bytes(b"")
        Transport.global_state.clear()  # what another process does not know


def test_the_embedded_broker_is_read_this_way():
    with app.connection_for_read("filesystem://localhost") as link:
        assert isinstance(link.transport, Transport)
