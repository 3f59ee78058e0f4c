"""How the suite is dealt out to two processes: whole files, the long ones first.

One process for itself begins with all that kills processes or holds a clock beside
them, one after another; the other with the files that take long with few tests. What is
left is dealt out in random order.
"""

from typing import Any

import pytest

APART = (
    "tests/reliability/",
    "tests/run/",
    "tests/ingest/test_poison.py",
    "tests/ingest/test_slow_bodies.py",
    "tests/dashboard/test_durable_start.py",
)
LONG = (
    "tests/bad_input/test_generated_bodies.py",
    "tests/detection/test_demo_world.py",
    "tests/bad_input/test_generated_requests.py",
)


def rank(item: pytest.Item) -> int:
    if item.nodeid.startswith(APART):
        return 0
    return 1 if item.nodeid.startswith(LONG) else 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """xdist's own for whole files, with one pile for what stays apart."""
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - only with xdist

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "apart" if nodeid.startswith(APART) else super()._split_scope(nodeid)

    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Scheduling(config, log)
