"""Bans as the account records told them, and what went on around them."""

from datetime import timedelta
from typing import Any

import pytest

from ingest.models import Account
from investigations.detection import features, pipeline, selectors
from investigations.detection.features import Clock
from investigations.detection.features.clock import open_day
from investigations.detection.models import Cluster
from tests.detection.facts import (
    ATTACKERS,
    NOW,
    Record,
    born,
    exchange,
    stamp,
    take_in,
    telemetry,
)

pytestmark = pytest.mark.django_db

BANNED_AT = NOW - timedelta(days=3)


def told(name: str, days_ago: float, status: str) -> Record:
    at = NOW - timedelta(days=days_ago)
    record: dict[str, Any] = {"type": "account", "account_id": name}
    return record | {"updated_at": stamp(at), "status": status}


def struck(*records: Record, as_of: float = 0) -> dict[str, float]:
    """Days ago, by account."""
    take_in(records)
    clock = Clock(NOW - timedelta(days=as_of))
    names = dict(Account.objects.values_list("pk", "external_id"))
    found = features.struck(list(names), clock)
    return {
        names[pk]: round((NOW.timestamp() - at) / 86_400, 3) for pk, at in found.items()
    }


def test_a_ban_is_the_moment_at_which_the_status_changed():
    assert struck(
        told("ann", 9, "active"), told("ann", 4, "banned"), told("ann", 2, "banned")
    ) == {"ann": 4}


def test_a_restriction_counts_and_the_ban_that_follows_it_is_no_second_one():
    assert struck(
        told("ann", 9, "active"), told("ann", 4, "restricted"), told("ann", 2, "banned")
    ) == {"ann": 4}


def test_an_account_that_was_never_told_otherwise_was_not_banned_just_then():
    assert struck(told("ann", 4, "banned")) == {}


def test_who_closed_the_account_was_not_banned():
    assert struck(told("ann", 9, "active"), told("ann", 4, "closed")) == {}


def test_a_ban_after_the_runs_clock_does_not_exist_yet():
    records = told("ann", 9, "active"), told("ann", 4, "banned")

    assert struck(*records, as_of=5) == {}


def test_requests_are_counted_by_hour_up_to_the_clocks_own():
    at = NOW - timedelta(hours=2, minutes=10)
    take_in([exchange(f"e{n}", "ann", at, "DE") for n in range(3)])
    account = Account.objects.get(external_id="ann").pk
    clock = Clock(NOW)
    open_day(clock)
    hours = features.hours_of([account], clock)[account]

    assert len(hours) == 28 * 24 + 12
    assert hours.sum() == hours[-3] == 3


def test_a_session_ends_with_its_last_answer():
    begin = NOW - timedelta(hours=5)
    take_in(
        {
            **exchange(f"e{n}", "ann", begin + timedelta(minutes=minute), "DE"),
            "turn": turn,
            "latency_ms": 4000,
        }
        for n, (minute, turn) in enumerate([(0, 1), (10, 2), (100, 3), (101, 1)])
    )
    account = Account.objects.get(external_id="ann").pk
    starts, ends = features.session_times([account], Clock(NOW))[account]

    assert [(at - begin.timestamp()) / 60 for at in starts] == [0, 100, 101]
    assert [at - begin.timestamp() for at in ends] == [604, 6004, 6064]


def replacements() -> list[Record]:
    """Eight of the pool fall, and within minutes eight others take their place."""
    records = []
    for n, name in enumerate(ATTACKERS[:8]):
        at = BANNED_AT + timedelta(minutes=n)
        records.append(told(name, 3 - n / 1440, "banned"))
        fresh, came = f"fresh-{n}", at + timedelta(minutes=5)
        records.append(
            {
                **born(fresh, came, "DE"),
                "payment_fingerprint": f"card-{n % 3}",
                "email": f"operator{90 + n}@own.example",
            }
        )
        records += [
            {
                **exchange(f"{fresh}-{k}", fresh, came + timedelta(hours=k), "DE"),
                "client_ip": f"10.200.1.{n + 1}",
                "user_agent": "relay/1.0",
                "ja4": "t13d1516h2_relay_relay",
                "tools_hash": "private-tools",
                "conversation_id": f"{fresh}-{k}",
                "turn": 1,
                "prompt": f"Work through item {900 + 40 * n + k} of the list and show "
                "every intermediate step before the final answer.",
            }
            for k in range(1, 40)
        ]
    return records


def test_a_pool_that_replaces_what_it_lost_is_told_so_with_its_rows():
    take_in(told(name, 11.9, "active") for name in ATTACKERS)
    take_in([*telemetry(), *replacements()])
    pipeline.run(as_of=NOW)
    cluster = Cluster.objects.get(live=True, score__gte=70)
    reason = next(r for r in cluster.reasons if r["signal"] == "ban_response")
    shown = {account.external_id for account in selectors.reason_rows(reason)}

    assert reason["sentence"].startswith("8 new accounts of the cluster signed up")
    assert shown == {*ATTACKERS[:8], *(f"fresh-{n}" for n in range(8))}
