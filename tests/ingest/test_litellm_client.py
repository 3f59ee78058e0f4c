"""The real LiteLLM package with its own callback class as the sender."""

import asyncio
import os

import pytest

from ingest.drain import writers
from ingest.ledger import ledger
from ingest.models import Batch, Event, Source
from ingest.senders.keys import issue_key
from tests.waiting import PATIENCE

# Nothing may leave the machine: the table of prices is the one in the package.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(autouse=True)
def clock():
    """Its event loop needs a clock that goes on."""


async def converse(endpoint: str, secret: str, log_format: str) -> None:
    import litellm
    from litellm.exceptions import RateLimitError
    from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

    callback = GenericAPILogger(
        endpoint=endpoint,
        headers={"Authorization": f"Bearer {secret}"},
        log_format=log_format,  # type: ignore[arg-type]
    )
    litellm.callbacks = [callback]
    told = {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": "Why are there tides twice a day?"},
        ],
        "metadata": {
            "user_api_key_end_user_id": "acct-9f2",
            "user_api_key_hash": "88dc28d0",
        },
    }
    await litellm.acompletion(**told, mock_response="Two bulges.", temperature=0.5)
    answer = await litellm.acompletion(**told, mock_response="Moon.", stream=True)
    async for _ in answer:
        pass
    slow = RateLimitError("slow down", llm_provider="openai", model="gpt-4o")
    with pytest.raises(RateLimitError):
        await litellm.acompletion(**told, mock_response=slow)
    async with asyncio.timeout(PATIENCE):
        while len(callback.log_queue) < 3:
            await asyncio.sleep(0.05)
    await callback.async_send_batch()
    await callback.async_httpx_client.client.aclose()


@pytest.mark.parametrize("log_format", ["json_array", "ndjson", "single"])
def test_what_the_callback_sends_is_stored(live_server, log_format):
    source = Source.objects.create(name="litellm")
    _, secret = issue_key(source=source, name="proxy", scopes=["ingest:write"])
    endpoint = f"{live_server.url}/api/v1/telemetry/litellm"
    asyncio.run(converse(endpoint, secret, log_format))
    writers.store_pending()
    batches = Batch.objects.all()
    assert len(batches) == (3 if log_format == "single" else 1)
    assert sum(batch.stored for batch in batches) == 3
    good, streamed, failed = Event.objects.order_by("http_status", "stream")[:3]
    statuses = [event.http_status for event in (good, streamed, failed)]
    assert statuses == [200, 200, 429]
    assert {each.account.external_id for each in Event.objects.all()} == {"acct-9f2"}
    assert {each.system_hash for each in Event.objects.all()} == {good.system_hash}
    assert good.system_hash
    assert Event.objects.filter(stream=True).count() == 1
    assert Event.objects.filter(temperature=0.5).count() == 1
    assert [row for row in ledger() if not row.adds_up] == []
