"""Pending effects to the platform: signed, at least once, an account's in order.

Each round claims some effects, sends them side by side outside of any transaction,
and records how it ended. Dying in between loses nothing: the lease runs out and the
effect is sent again under the same delivery key, which makes it apply once.

The messages follow Standard Webhooks
(https://github.com/standard-webhooks/standard-webhooks).
"""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache

import httpx
from django.contrib.auth.models import User
from django.utils import timezone

from investigations import access, policies
from investigations.actions import audit, effects, endpoints
from investigations.actions.effects import Answer, State
from investigations.actions.endpoints import Destination
from investigations.errors import BadEndpoint
from investigations.models import Effect
from investigations.selectors.standing import (
    Restored,
    restored_status,
    statuses_before,
)

AT_ONCE = 10
# The whole of one try: connecting, sending, and reading what comes back.
TIMEOUT_SECONDS = 5.0
BODY_LIMIT = 64 * 1024
# A 4xx says that we are wrong, and trying again would not mend it; except these.
TRY_AGAIN = frozenset({408, 425, 429})


def deliver_pending(*, limit: int = 200) -> int:
    """Send what is due, at most `limit` of them; how many arrived.

    Nothing is sent, and nothing counts as tried, while there is no endpoint or no
    readable secret (`endpoints.obstacle`).
    """
    try:
        destination = endpoints.destination()
    except BadEndpoint:
        return 0
    address = _resolved(destination)
    delivered = tried = 0
    while tried < limit:
        claimed = effects.claim(min(AT_ONCE, limit - tried))
        if not claimed:
            break
        tried += len(claimed)
        answers = _send_all(destination, address, claimed)
        delivered += effects.record_deliveries(zip(claimed, answers, strict=True))
        if all(answer.fate == State.PENDING for answer in answers):
            break  # the receiver is down: the rest need not find out one by one
    return delivered


def send_test(*, by: User) -> Answer:
    """Send a signed message that asks for nothing, to see whether the way is open.

    Raises BadEndpoint when there is no endpoint or no readable secret.
    """
    access.require(by, access.MANAGE)
    destination = endpoints.destination()
    address = _resolved(destination)
    if isinstance(address, Answer):
        return address
    message = {"type": "endpoint.test", "timestamp": _iso(timezone.now()), "data": {}}
    body = json.dumps(message, sort_keys=True, separators=(",", ":")).encode()
    [answer] = _in_thread(destination, address, [(str(uuid.uuid4()), body)])
    audit.record(
        "endpoint.tested",
        by=by,
        object_type="endpoint",
        object_ref=destination.url[:160],
        outcome=answer.fate.value,
        sentence=answer.sentence,
    )
    return answer


def body_of(effect: Effect, before: dict[Restored, str]) -> bytes:
    """The message, byte for byte the same at every try."""
    decision = effect.decision
    ground = policies.GROUND_BY_KEY[decision.ground]
    data: dict[str, object] = {
        "account_id": effect.account.external_id,
        "action": effect.kind,
        "sequence": effect.sequence,
        "decision": decision.ref,
        "case": decision.case.ref,
        "reason_code": ground.key,
        "ground": ground.title,
        "policy_clause": ground.clause,
        "decided_at": _iso(decision.made_at),
    }
    if effect.kind == Effect.Kind.RESTORE:
        restore = (decision.reverses_id, effect.account_id)
        data["restore_to"] = restored_status(before, restore)
    message = {
        "type": f"account.{effect.kind}",
        "timestamp": _iso(effect.queued_at),
        "data": data,
    }
    return json.dumps(message, sort_keys=True, separators=(",", ":")).encode()


def sign(keys: Iterable[bytes], webhook_id: str, stamp: int, body: bytes) -> str:
    """`v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`, one for each key."""
    content = f"{webhook_id}.{stamp}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _resolved(destination: Destination) -> str | Answer:
    """The checked address to dial, or what is to be noted instead of sending."""
    try:
        return endpoints.resolve(destination.host, destination.port)
    except BadEndpoint as refusal:
        return Answer(State.PENDING, refusal.sentence)
    except OSError as error:
        return Answer(State.PENDING, f"{destination.host} does not resolve: {error}")


def _send_all(
    destination: Destination, address: str | Answer, claimed: list[Effect]
) -> list[Answer]:
    if isinstance(address, Answer):
        return [address] * len(claimed)
    before = statuses_before(
        (e.decision.reverses_id, e.account_id)
        for e in claimed
        if e.kind == Effect.Kind.RESTORE
    )
    messages = [(str(e.delivery_key), body_of(e, before)) for e in claimed]
    return _in_thread(destination, address, messages)


def _in_thread(
    destination: Destination, address: str, messages: list[tuple[str, bytes]]
) -> list[Answer]:
    # In a thread of its own, as the caller's may already run an event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(
            asyncio.run, _post_all(destination, address, messages)
        ).result()


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Read once: reading them again for each round cost more than the round."""
    return httpx.create_ssl_context(trust_env=False)


async def _post_all(
    destination: Destination, address: str, messages: list[tuple[str, bytes]]
) -> list[Answer]:
    # No proxy from the environment: only the endpoint's address was checked.
    async with httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS,
        follow_redirects=False,
        trust_env=False,
        verify=trusted_authorities(),
    ) as client:
        posts = (_post(client, destination, address, *message) for message in messages)
        return list(await asyncio.gather(*posts))


async def _post(
    client: httpx.AsyncClient,
    destination: Destination,
    address: str,
    webhook_id: str,
    body: bytes,
) -> Answer:
    stamp = int(timezone.now().timestamp())
    url = httpx.URL(destination.url)
    headers = {
        "host": url.netloc.decode(),
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "Stillwatch/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(destination.secrets, webhook_id, stamp, body),
    }
    request = client.build_request(
        "POST",
        url.copy_with(host=address),
        content=body,
        headers=headers,
        # The certificate is checked against the name, though we dial the address.
        extensions={"sni_hostname": url.host},
    )
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await _answer(client, request)
    except TimeoutError:
        return Answer(State.PENDING, f"No answer within {TIMEOUT_SECONDS:.0f} s.")
    except httpx.TransportError as error:
        return _failed(error)


async def _answer(client: httpx.AsyncClient, request: httpx.Request) -> Answer:
    response = await client.send(request, stream=True)
    try:
        said = await _beginning(response)
    finally:
        await response.aclose()
    status = response.status_code
    if response.is_success:
        return Answer(State.DELIVERED)
    sentence = f"Answered {status}. {said[:200]}".strip()
    if status >= 500 or status in TRY_AGAIN:
        return Answer(State.PENDING, sentence, _asked_to_wait(response))
    return Answer(State.PARKED, sentence)


async def _beginning(response: httpx.Response) -> str:
    """At most 64 KiB of the answer, undecoded: a bomb unpacks only if one lets it."""
    read = b""
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) >= BODY_LIMIT:
            break
    text = read[:BODY_LIMIT].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _asked_to_wait(response: httpx.Response) -> int:
    asked = response.headers.get("retry-after", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0


def _failed(error: httpx.TransportError) -> Answer:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"The certificate is not good: {cause.verify_message}."
            return Answer(State.PARKED, reason)
        cause = cause.__cause__ or cause.__context__
    return Answer(State.PENDING, f"{type(error).__name__}: {error}")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
