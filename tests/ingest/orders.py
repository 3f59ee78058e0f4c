"""Traffic that arrives in any order, and all that must be the same in the end."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Model

from ingest.models import (
    Account,
    AccountDay,
    Batch,
    Event,
    EventKey,
    Indicator,
    Sighting,
    StaleDay,
    Template,
    TemplateCandidate,
    UnsightedDays,
    UnsummedBatch,
)
from tests.ingest.records import Record, a_request, an_account, an_activity

LEAP_DAY = datetime(2028, 2, 29, 12, tzinfo=UTC)


def some_traffic(rng: random.Random) -> list[dict[str, Any]]:
    """60 events and some account records with equal times, ties and late ones."""
    records: list[dict[str, Any]] = [
        a_request(
            event_id=f"ev-{n}",
            account_id=f"acct-{rng.randrange(5)}",
            occurred_at=f"2026-11-1{rng.randrange(5, 8)}T{rng.randrange(24):02}:00:00Z",
            conversation_id=f"c{rng.randrange(9)}",
            client_ip=f"198.51.100.{rng.randrange(6)}",
            temperature=rng.choice([None, 0, 0.7]),
            prompt=rng.choice(["Count to 7", "Count to 9", "Why?", "Explain tides"]),
        )
        for n in range(60)
    ]
    for n in range(12):
        records.append(
            an_account(
                account_id=f"acct-{n % 4}",
                updated_at=f"2026-11-0{1 + n % 3}T00:00:00Z",
                **{rng.choice(["referrer", "phone_hash", "plan"]): "free"},
                display_name=f"name {n}",
            )
        )
    return records


def forget_everything() -> None:
    derived: list[type[Model]] = [Sighting, Indicator, AccountDay, StaleDay]
    derived += [UnsummedBatch, UnsightedDays]
    facts: list[type[Model]] = [Event, EventKey, Template, TemplateCandidate]
    rest: list[type[Model]] = [*facts, Batch, Account]
    for model in derived + rest:
        model._default_manager.all().delete()


def everything() -> str:
    """All that was derived, by names instead of ids."""
    days = AccountDay.objects.order_by("account__external_id", "day")
    sightings = Sighting.objects.order_by(
        "account__external_id", "indicator__kind", "indicator__value"
    )
    accounts = Account.objects.order_by("external_id")
    day_fields = [
        field.name
        for field in AccountDay._meta.fields
        if field.name not in {"id", "account"}
    ]
    account_fields = [field.name for field in Account._meta.fields[1:]]
    return repr(
        [
            list(days.values("account__external_id", *day_fields)),
            list(
                sightings.values_list(
                    "account__external_id",
                    "indicator__kind",
                    "indicator__value",
                    "first_seen_on",
                    "last_seen_on",
                    "count",
                )
            ),
            list(accounts.values(*account_fields)),
        ]
    )


def skewed_traffic(rng: random.Random, count: int) -> list[Record]:
    """Around a leap day, up to thirty days late and up to an hour ahead: equal times,
    talks that go on past midnight, accounts that show more than is kept."""
    return [skewed(rng, n) for n in range(count)] + [
        an_account(
            account_id=f"acct-{n % 3}",
            updated_at=f"2028-02-2{n % 4}T00:00:00Z",
            **{rng.choice(["referrer", "phone_hash", "signup_device_id"]): f"d{n % 2}"},
        )
        for n in range(9)
    ]


def skewed(rng: random.Random, n: int) -> Record:
    late = rng.choice([0, 0, 0, 1, 1, 2, 30])
    at = LEAP_DAY - timedelta(days=late, minutes=rng.choice([-50, 0, 0, 5, 700, 1200]))
    account = rng.choice("0001112")
    told: dict[str, Any] = {
        "event_id": f"ev-{n}",
        "account_id": f"acct-{account}",
        "occurred_at": at.isoformat(),
        "client_ip": f"198.51.{rng.randrange(9)}.{rng.randrange(3)}",
        "device_id": f"d{rng.randrange(4)}",
    }
    if rng.random() < 0.1:
        return an_activity(**told)
    return a_request(
        conversation_id=f"c{rng.randrange(20)}",
        turn=rng.choice([None, 1, 1, 2, 5]),
        prompt="Tell me" + " again" * rng.randrange(14),
        temperature=rng.choice([None, 0, 0.7]),
        **told,
    )
