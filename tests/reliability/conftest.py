"""One running installation for each broker; the trials of a module share it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.reliability.installation import BROKERS, Installation


@dataclass(frozen=True)
class Running:
    home: Installation
    key: str


def run_on(broker: str) -> Iterator[Running]:
    if broker == "redis" and shutil.which("redis-server") is None:
        pytest.skip("no redis-server on this machine")
    with Installation(broker) as home:
        yield Running(home, home.new_key("gateway"))


@pytest.fixture(scope="package", params=BROKERS)
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    yield from run_on(request.param)
