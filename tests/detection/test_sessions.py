"""Session starts as the detectors count them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from investigations.detection import features
from tests.detection.facts import Record, take_in

pytestmark = pytest.mark.django_db


def request(at: str, turn: int) -> Record:
    told: dict[str, Any] = {"type": "request", "event_id": at, "account_id": "a"}
    told |= {"occurred_at": f"2026-11-{at}:00Z", "turn": turn}
    return told | {"model": "nova-2", "input_tokens": 1, "output_tokens": 1}


def starts(*requests: Record) -> list[int]:
    """Sessions on the eleventh and the twelfth, between two days that are cut off."""
    take_in([request("10T12:00", 1), *requests, request("13T12:00", 1)])
    seen = features.read_facts(datetime(2026, 11, 18, tzinfo=UTC))
    return [int(count) for count in seen.starts[:, 0] if count >= 0]


def test_a_session_that_runs_past_midnight_starts_once():
    assert starts(request("11T23:50", 3), request("12T00:12", 4)) == [1, 0]


def test_a_session_that_was_idle_over_midnight_starts_again():
    assert starts(request("11T23:20", 3), request("12T00:12", 4)) == [1, 1]


def test_a_conversation_that_begins_after_midnight_is_a_session_of_its_own():
    assert starts(request("11T23:50", 3), request("12T00:12", 1)) == [1, 1]
