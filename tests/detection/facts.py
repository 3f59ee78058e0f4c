"""A small town's telemetry in the contract's records: a campaign and neighbours."""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from ingest.drain import writers
from ingest.models import Source
from ingest.rolling import rollups

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
BEGIN = NOW - timedelta(days=12)
ATTACKERS = [f"pool-{n:02d}" for n in range(12)]
PEOPLE = [f"person-{n:02d}" for n in range(60)]
CLIENTS = ["Cromlech/142", "Vixen/145", "curlew/8.1", "aster-node/5.4", "aster-go/1"]

Record = dict[str, Any]


def stamp(at: datetime) -> str:
    return at.isoformat()


def telemetry(*, country: str = "DE") -> list[Record]:
    """Everything that happened, in order of time; the same every time."""
    records = [*pool(country), *people(country)]
    return sorted(records, key=lambda r: r.get("occurred_at") or r["updated_at"])


def pool(country: str) -> Iterator[Record]:
    """Twelve accounts of one operator: cards of four, one harness, one template;
    sessions are dealt out, and now and then a conversation changes hands."""
    dice = random.Random(1)
    for n, name in enumerate(ATTACKERS):
        yield {
            **born(name, BEGIN + timedelta(minutes=n), country),
            "payment_fingerprint": f"card-{n // 4}",
            "email": f"operator{n:02d}@own.example",
        }
    number = 0
    for day in range(11):
        for session in range(3):
            for n, name in enumerate(ATTACKERS):
                at = BEGIN + timedelta(days=day, hours=2 + 6 * session)
                at += timedelta(minutes=dice.uniform(0, 300))
                for turn in (1, 2):
                    number += 1
                    # Every fifth conversation goes on under the next account.
                    sender = name
                    if turn == 2 and number % 5 == 0:
                        sender = ATTACKERS[(n + 1) % len(ATTACKERS)]
                    yield {
                        **exchange(f"pool-{number}", sender, at, country),
                        "client_ip": f"10.200.1.{n + 1}",
                        "user_agent": "relay/1.0",
                        "ja4": "t13d1516h2_relay_relay",
                        "tools_hash": "private-tools",
                        "conversation_id": f"talk-{day}-{session}-{n}",
                        "turn": turn,
                        "prompt": f"Work through item {number} of the list and show "
                        "every intermediate step before the final answer.",
                        "response_hash": f"answer-{number}",
                        "prior_response_hashes": [f"answer-{number - 1}"]
                        if turn == 2
                        else [],
                    }
                    at += timedelta(minutes=3)


def people(country: str) -> Iterator[Record]:
    """Sixty customers who have nothing to do with one another."""
    for n, name in enumerate(PEOPLE):
        dice = random.Random(f"person {n}")
        yield {
            **born(name, BEGIN - timedelta(hours=dice.uniform(1, 4000)), country),
            "payment_fingerprint": f"own-card-{n}",
            "email": f"{name}.{n * 7919 % 97}@mailbox.example",
        }
        rate = dice.lognormvariate(1.0, 0.6)
        for day in range(12):
            for session in range(round(rate * dice.expovariate(1.0))):
                number = f"{name}-{day}-{session}"
                at = BEGIN + timedelta(days=day, hours=dice.uniform(0, 23.9))
                words = dice.sample(range(10_000), 6)
                yield {
                    **exchange(number, name, min(at, NOW), country),
                    "client_ip": f"10.{n + 1}.7.9",
                    "user_agent": CLIENTS[n % len(CLIENTS)],
                    "ja4": f"t13d1516h2_{n % len(CLIENTS)}_x",
                    "conversation_id": f"talk-{number}",
                    "turn": 1,
                    "prompt": " ".join(spelled(word) for word in words),
                    "response_hash": f"told-{number}",
                }


def spelled(number: int) -> str:
    """A word for a number, so that no two people use one template by chance."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:05d}")


def born(name: str, at: datetime, country: str) -> Record:
    return {
        "type": "account",
        "account_id": name,
        "updated_at": stamp(at),
        "created_at": stamp(at),
        "phone_country": country,
        "payment_country": country,
        "plan": "pay_as_you_go",
        "verification": "payment",
    }


def exchange(event_id: str, name: str, at: datetime, country: str) -> Record:
    return {
        "type": "request",
        "event_id": event_id,
        "account_id": name,
        "occurred_at": stamp(at),
        "model": "nova-2",
        "input_tokens": 120,
        "output_tokens": 640,
        "country": country,
    }


def framing(victim: str) -> Iterator[Record]:
    """Invented requests by which an honest customer looks like one of the pool, and so
    many that what is its own hardly counts."""
    for number in range(740):
        at = BEGIN + timedelta(days=1 + number // 74, minutes=19 * (number % 74))
        yield {
            **exchange(f"framed-{number}", victim, at, "DE"),
            "client_ip": "10.200.1.3",
            "user_agent": "relay/1.0",
            "ja4": "t13d1516h2_relay_relay",
            "tools_hash": "private-tools",
            "conversation_id": f"framed-{number}",
            "turn": 2,
            "prompt": f"Work through item {number} of the list and show "
            "every intermediate step before the final answer.",
            "prior_response_hashes": [f"answer-{number + 40}"],
        }
    yield {
        **exchange("framed-card", victim, BEGIN + timedelta(days=2), "DE"),
        "type": "activity",
        "kind": "payment_added",
        "payment_fingerprint": "card-0",
    }


def take_in(records: Iterable[Record], source_name: str = "gateway") -> None:
    """Through the real ingest: accepted, stored, rolled up."""
    source, _ = Source.objects.get_or_create(name=source_name)
    body = "".join(json.dumps(record) + "\n" for record in records).encode()
    with time_machine.travel(NOW, tick=False):
        writers.accept([body], writers.Origin(source=source, way_in="file"))
        writers.store_pending()
    while rollups.refresh_stale():
        pass
