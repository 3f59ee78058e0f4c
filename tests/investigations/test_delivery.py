import base64
import json
import socket
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from investigations import delivery
from investigations.actions import effects
from investigations.actions.cases import reopen_case
from investigations.actions.decisions import restore_accounts
from investigations.actions.effects import Answer, claim, replay_effect
from investigations.actions.endpoints import rotate_secret, stop_endpoint
from investigations.delivery import deliver_pending
from investigations.errors import BadReason, IllegalMove, NotAllowed
from investigations.models import AuditEntry, Effect, Endpoint
from tests.investigations.receiver import Reply
from tests.investigations.scenes import WHY, case_of, decide

SENT_AGAIN = [500, 502, 503, 408, 425, 429]
PARKED = [400, 401, 403, 404, 409, 410, 422, 301, 302, 307]


def states() -> list[str]:
    return list(Effect.objects.order_by("pk").values_list("state", flat=True))


def make_due() -> None:
    """As if the wait before the next try, and any lease, had passed."""
    Effect.objects.update(next_attempt_at=timezone.now(), leased_until=None)


def test_a_decision_reaches_the_platform_signed(ana, receiver, secret):
    decision = decide(case_of(3, ana), ana)
    assert deliver_pending() == 3
    assert states() == ["delivered"] * 3
    messages = receiver.verified(secret)
    assert {m["type"] for m in messages} == {"account.ban"}
    assert sorted(m["data"]["account_id"] for m in messages) == sorted(
        e.account.external_id for e in decision.effects.all()
    )


def test_the_message_says_what_on_which_ground_and_nothing_of_how_it_was_found(
    ana, receiver, secret
):
    decision = decide(case_of(1, ana), ana)
    deliver_pending()
    message = receiver.received[0].message
    assert message["data"] == {
        "account_id": decision.effects.get().account.external_id,
        "action": "ban",
        "sequence": 1,
        "decision": decision.ref,
        "case": decision.case.ref,
        "reason_code": "model_distillation",
        "ground": "Harvesting answers to train another model",
        "policy_clause": (
            "Usage policy 4.1: outputs may not be used to develop competing models."
        ),
        "decided_at": decision.made_at.isoformat().replace("+00:00", "Z"),
    }
    assert WHY not in receiver.received[0].body.decode()


def test_a_restore_names_the_state_to_go_back_to(ana, receiver, secret):
    ban = decide(case_of(1, ana), ana)
    deliver_pending()
    restore_accounts(decision=ban, reason="It was the school after all.", by=ana)
    deliver_pending()
    data = receiver.received[1].message["data"]
    assert (data["action"], data["restore_to"], data["sequence"]) == (
        "restore", "active", 2,
    )  # fmt: skip


def test_what_was_tampered_with_does_not_verify(ana, receiver, secret):
    decide(case_of(1, ana), ana)
    deliver_pending()
    sent = receiver.received[0]
    hook = Webhook(secret)
    hook.verify(sent.body, sent.headers)
    later = str(int(sent.headers["webhook-timestamp"]) + 1)
    forged = [
        (sent.body.replace(b"account.ban", b"account.restore"), sent.headers),
        (sent.body, {**sent.headers, "webhook-id": "other"}),
        (sent.body, {**sent.headers, "webhook-timestamp": later}),
        (sent.body, {**sent.headers, "webhook-signature": "v1,AAAA"}),
    ]
    for body, headers in forged:
        with pytest.raises(WebhookVerificationError):
            hook.verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 43 + "=").verify(sent.body, sent.headers)


def test_both_secrets_sign_while_one_takes_the_others_place(ana, ada, receiver, secret):
    new = rotate_secret(endpoint=Endpoint.objects.get(), by=ada)
    decide(case_of(1, ana), ana)
    deliver_pending()
    assert receiver.verified(secret) == receiver.verified(new)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        decide(case_of(1, ana), ana)
        deliver_pending()
        last = receiver.received[1]
        Webhook(new).verify(last.body, last.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(last.body, last.headers)


@pytest.mark.parametrize("status", SENT_AGAIN)
def test_a_receiver_in_trouble_is_asked_again_with_the_same_key(
    ana, receiver, secret, status
):
    decide(case_of(1, ana), ana)
    receiver.replies = [Reply(status)]
    assert deliver_pending() == 0
    assert states() == ["pending"]
    assert deliver_pending() == 0, "not before the wait is over"
    make_due()
    assert deliver_pending() == 1
    first, second = receiver.received
    assert (first.key, first.body) == (second.key, second.body)


@pytest.mark.parametrize("status", PARKED)
def test_a_refusal_is_parked_at_once_with_its_reason(ana, receiver, secret, status):
    decide(case_of(1, ana), ana)
    receiver.replies = [
        Reply(status, b"unknown \x1b[31maccount", {"location": "http://10.0.0.1/"})
    ]
    deliver_pending()
    effect = Effect.objects.get()
    assert effect.state == "parked"
    assert effect.last_error == f"Answered {status}. unknown  [31maccount"
    assert len(receiver.received) == 1
    entry = AuditEntry.objects.get(verb="effects.parked")
    assert entry.detail["accounts"] == [effect.account.external_id]


def test_the_wait_doubles_up_to_an_hour_and_is_never_the_same_for_all():
    waits = [effects._wait(attempt, 0).total_seconds() for attempt in range(1, 40)]
    assert 2 <= waits[0] <= 4
    assert 512 <= waits[8] <= 1024
    assert max(waits) <= 3600
    assert min(waits[20:]) >= 1800
    assert len(set(waits)) == len(waits)


def test_a_receiver_that_asks_for_time_gets_it(ana, receiver, secret):
    decide(case_of(1, ana), ana)
    receiver.replies = [Reply(429, headers={"Retry-After": "900"})]
    before = timezone.now()
    deliver_pending()
    assert Effect.objects.get().next_attempt_at >= before + timedelta(seconds=900)


def test_after_three_days_of_trouble_the_effect_is_parked(ana, receiver, secret):
    decide(case_of(1, ana), ana)
    receiver.replies = [Reply(500), Reply(500), Reply(500)]
    deliver_pending()
    with time_machine.travel(timezone.now() + timedelta(hours=71)):
        deliver_pending()
    assert states() == ["pending"]
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        deliver_pending()
    effect = Effect.objects.get()
    assert effect.state == "parked"
    assert effect.last_error.startswith("Given up after 72 hours. Answered 500.")


def test_a_receiver_that_is_down_is_not_asked_once_for_every_account(
    ana, receiver, secret
):
    decide(case_of(25, ana), ana)
    receiver.replies = [Reply(503)] * 25
    deliver_pending()
    assert len(receiver.received) == delivery.AT_ONCE


def test_a_receiver_that_hangs_is_left_after_five_seconds(
    ana, receiver, secret, monkeypatch
):
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 0.3)
    decide(case_of(1, ana), ana)
    receiver.replies = [Reply(after=0.8)]
    deliver_pending()
    effect = Effect.objects.get()
    assert effect.state == "pending"
    assert effect.last_error


def test_a_receiver_that_is_not_there_is_tried_again(ana, ada, settings, secret):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        Endpoint.objects.update(url=f"http://127.0.0.1:{free.getsockname()[1]}/")
    decide(case_of(1, ana), ana)
    deliver_pending()
    effect = Effect.objects.get()
    assert effect.state == "pending"
    assert effect.last_error.startswith("ConnectError")


def test_a_success_with_a_gigantic_body_is_a_success(ana, receiver, secret):
    decide(case_of(1, ana), ana)
    receiver.replies = [Reply(200, b"garbage " * 4_000_000)]
    assert deliver_pending() == 1


def test_without_an_endpoint_nothing_is_sent_and_nothing_counts_as_tried(
    ana, ada, receiver, secret
):
    stop_endpoint(endpoint=Endpoint.objects.get(), by=ada)
    decide(case_of(1, ana), ana)
    assert deliver_pending() == 0
    assert Effect.objects.get().attempts == 0
    Endpoint.objects.update(active=True)
    assert deliver_pending() == 1


def test_without_a_readable_secret_nothing_is_sent(ana, receiver, secret, settings):
    decide(case_of(1, ana), ana)
    settings.SECRET_KEY = "another-secret-key-another-secret-key-another"
    assert deliver_pending() == 0
    assert receiver.received == []
    assert Effect.objects.get().attempts == 0


def test_an_old_secret_key_still_opens_the_secret(ana, receiver, secret, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-another-secret-key-another"
    decide(case_of(1, ana), ana)
    assert deliver_pending() == 1


def test_an_account_that_is_banned_and_restored_ends_restored(ana, receiver, secret):
    case = case_of(1, ana)
    ban = decide(case, ana)
    receiver.replies = [Reply(500), Reply(500)]
    deliver_pending()
    restore_accounts(decision=ban, reason="It was the school after all.", by=ana)
    deliver_pending()
    make_due()
    deliver_pending()
    account = ban.effects.get().account.external_id
    assert receiver.applied[account] == (2, "restore")
    assert sorted(states()) == ["delivered", "superseded"]


def test_bursts_of_decisions_end_with_the_last_one(ana, receiver, secret):
    case = case_of(1, ana)
    receiver.replies = [Reply(code) for code in (500, 200, 503, 503, 200, 500)]
    for _ in range(3):
        ban = decide(case, ana)
        deliver_pending()
        restore_accounts(decision=ban, reason="It was the school after all.", by=ana)
        make_due()
        deliver_pending()
        case = reopen_case(case=case, reason=WHY, by=ana)
    last = decide(case, ana).effects.get()
    for _ in range(3):
        make_due()
        deliver_pending()
    assert receiver.applied[last.account.external_id] == (7, "ban")
    assert Effect.objects.filter(state="pending").count() == 0


def test_a_later_effect_waits_while_an_earlier_one_is_on_the_wire(ana, secret):
    ban = decide(case_of(1, ana), ana)
    (on_the_wire,) = claim(10)
    restore_accounts(decision=ban, reason="It was the school after all.", by=ana)
    assert claim(10) == []
    effects.record_deliveries([(on_the_wire, Answer(effects.State.DELIVERED))])
    on_the_wire.refresh_from_db()
    assert on_the_wire.state == "superseded"
    assert [effect.kind for effect in claim(10)] == ["restore"]


def test_dying_between_sending_and_noting_it_sends_again_under_the_same_key(
    ana, receiver, secret, monkeypatch
):
    decide(case_of(1, ana), ana)

    def die(results):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(effects, "record_deliveries", die)
        deliver_pending()
    assert states() == ["pending"]
    assert deliver_pending() == 0, "the lease still runs"
    with time_machine.travel(timezone.now() + effects.LEASE + timedelta(seconds=1)):
        assert deliver_pending() == 1
    assert len(receiver.received) == 2
    assert len(set(receiver.keys)) == 1


def test_a_parked_effect_is_sent_again_when_someone_says_why(ana, receiver, secret):
    decide(case_of(1, ana), ana)
    receiver.replies = [Reply(404)]
    deliver_pending()
    with pytest.raises(BadReason):
        replay_effect(effect=Effect.objects.get(), reason="again", by=ana)
    replay_effect(
        effect=Effect.objects.get(), reason="The platform has mended its route.", by=ana
    )
    assert deliver_pending() == 1
    assert len(set(receiver.keys)) == 1
    assert AuditEntry.objects.filter(verb="effect.replayed").count() == 1


def test_only_what_is_parked_can_be_sent_again_and_not_by_vic(ana, vic, secret):
    decide(case_of(1, ana), ana)
    effect = Effect.objects.get()
    with pytest.raises(IllegalMove):
        replay_effect(effect=effect, reason="The platform has mended it.", by=ana)
    with pytest.raises(NotAllowed):
        replay_effect(effect=effect, reason="The platform has mended it.", by=vic)


def test_a_host_that_is_not_public_is_noted_and_not_dialled(
    ana, receiver, secret, settings, monkeypatch
):
    decide(case_of(1, ana), ana)
    settings.DEMO = False
    Endpoint.objects.update(url="https://platform.example/hook")
    forged = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: forged)
    assert deliver_pending() == 0
    assert receiver.received == []
    effect = Effect.objects.get()
    assert effect.state == "pending"
    assert "169.254.169.254, which is not a public address" in effect.last_error


def test_a_host_that_does_not_resolve_is_tried_again(ana, secret, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror("Name or service not known")

    decide(case_of(1, ana), ana)
    Endpoint.objects.update(url="https://platform.example/hook")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    deliver_pending()
    assert "platform.example does not resolve" in Effect.objects.get().last_error


def test_the_checked_address_is_dialled_whatever_the_name_says_next(
    ana, receiver, secret, monkeypatch
):
    """The name answers once; asked a second time it would lead elsewhere."""
    port = httpx.URL(receiver.url).port
    answers = ["127.0.0.1"]

    def once(host, *args, **kwargs):
        where = answers.pop() if host == "localhost" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, port))]

    decide(case_of(1, ana), ana)
    Endpoint.objects.update(url=f"http://localhost:{port}/hook")
    monkeypatch.setattr(socket, "getaddrinfo", once)
    assert deliver_pending() == 1
    assert receiver.received[0].headers["host"] == f"localhost:{port}"


def test_the_message_is_the_same_bytes_at_every_try(ana, secret):
    effect = decide(case_of(1, ana), ana).effects.get()
    assert delivery.body_of(effect, {}) == delivery.body_of(effect, {})
    assert json.loads(delivery.body_of(effect, {}))["timestamp"] == (
        effect.queued_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    )


def test_the_signature_is_the_one_the_standards_own_library_makes():
    hook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    webhook_id, stamp, body = "msg_p5jXN8AQM9", 1614265330, b'{"test": 2432232314}'
    theirs = hook.sign(webhook_id, datetime.fromtimestamp(stamp, tz=UTC), body.decode())
    assert delivery.sign([key], webhook_id, stamp, body) == theirs
