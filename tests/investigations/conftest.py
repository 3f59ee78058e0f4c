from collections.abc import Iterator

import pytest

from investigations.actions.endpoints import set_endpoint
from tests.investigations.receiver import Receiver, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as running:
        yield running


@pytest.fixture
def secret(settings, ada, receiver) -> str:
    """Ada has set the receiver as the endpoint; this is the secret she was shown."""
    settings.DEMO = True
    return set_endpoint(url=receiver.url, by=ada, name="platform")[1]
