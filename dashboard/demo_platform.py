"""The provider's own system, as the demo pretends it: it receives decisions.

It knows only what a real platform would know: the signing secret it was given, and
the signed webhooks that arrive. It never reads Stillwatch's own tables.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F

from dashboard.models import PlatformState, ReceivedWebhook

WINDOW = timedelta(minutes=5)
STATUS_AFTER = {"account.ban": "banned", "account.restrict": "restricted"}
RESTORE, TEST = "account.restore", "endpoint.test"
RESTORABLE = frozenset({"active", "restricted", "banned", "closed"})


class Refused(Exception):
    """The webhook is not accepted; the sentence says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Message:
    """What one webhook asks for."""

    account_id: str
    action: str
    status: str
    sequence: int
    body: dict[str, object]


def secret_file() -> Path:
    return Path(settings.VAR) / "demo-platform-secret"


def keep_secret(path: Path, value: str) -> None:
    """Write a secret that only this user may read, from the first byte on."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(value + "\n")


def signing_keys() -> list[bytes]:
    """The secrets given to the platform, newest first: a rotation adds one."""
    path = secret_file()
    lines = path.read_text().split() if path.exists() else []
    return [base64.b64decode(line.removeprefix("whsec_")) for line in lines]


def verify(headers: dict[str, str], body: bytes, now: datetime) -> str:
    """The webhook's id, if it is signed and fresh as Standard Webhooks asks.

    https://github.com/standard-webhooks/standard-webhooks: HMAC-SHA256 over
    `id.timestamp.body`, base64, any one of the space-separated `v1,` signatures.
    """
    webhook_id, stamp = headers["webhook-id"], headers["webhook-timestamp"]
    try:
        sent = datetime.fromtimestamp(int(stamp), tz=UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused(401, "The timestamp is missing or no number.") from None
    if not webhook_id or abs(now - sent) > WINDOW:
        raise Refused(401, "The webhook is older than five minutes or has no id.")
    content = f"{webhook_id}.{stamp}.".encode() + body
    given = [
        part[3:] for part in headers["webhook-signature"].split() if part[:3] == "v1,"
    ]
    if not any(_signed_with(key, content, given) for key in signing_keys()):
        raise Refused(401, "The signature does not match.")
    return webhook_id


def _signed_with(key: bytes, content: bytes, given: list[str]) -> bool:
    right = hmac.new(key, content, hashlib.sha256).digest()
    for signature in given:
        try:
            candidate = base64.b64decode(signature, validate=True)
        except binascii.Error:
            continue
        if hmac.compare_digest(right, candidate):
            return True
    return False


def parse(body: bytes) -> Message | None:
    """The decision that the webhook carries; None for a test that asks for nothing."""
    try:
        document = json.loads(body)
        kind, data = str(document["type"]), document["data"]
        if kind == TEST:
            return None
        account_id, sequence = str(data["account_id"]), int(data["sequence"])
        status = STATUS_AFTER.get(kind) or data["restore_to"]
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "The body is not a decision about an account.") from None
    if kind not in (*STATUS_AFTER, RESTORE) or status not in RESTORABLE:
        raise Refused(400, f"Unknown type or status: {kind[:48]!r}.")
    return Message(account_id, kind, status, sequence, document)


@transaction.atomic
def receive(webhook_id: str, message: Message, now: datetime) -> ReceivedWebhook:
    """Apply each webhook once, and never one that a newer one has overtaken."""
    received, new = ReceivedWebhook.objects.get_or_create(
        webhook_id=webhook_id,
        defaults={
            "account_id": message.account_id,
            "action": message.action,
            "sequence": message.sequence,
            "body": message.body,
            "applied": False,
            "received_at": now,
        },
    )
    if not new:
        again = ReceivedWebhook.objects.filter(pk=received.pk)
        again.update(times_received=F("times_received") + 1)
        received.refresh_from_db()
        return received
    received.applied = _apply(message, now)
    received.save(update_fields=["applied"])
    return received


def _apply(message: Message, now: datetime) -> bool:
    # The row is made first, with a sequence below any other, so that two first
    # webhooks for one account wait for each other on its lock.
    PlatformState.objects.get_or_create(
        account_id=message.account_id,
        defaults={"status": "active", "sequence": -1, "changed_at": now},
    )
    state = PlatformState.objects.select_for_update().get(pk=message.account_id)
    if message.sequence <= state.sequence:
        return False
    state.status = message.status
    state.sequence = message.sequence
    state.changed_at = now
    state.save()
    return True
