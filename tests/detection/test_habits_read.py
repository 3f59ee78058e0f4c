"""What members of clusters do with the model is read up to the clock."""

from datetime import timedelta

import numpy as np
import pytest

from ingest.models import Account
from investigations.detection import features
from investigations.detection.features import Clock
from tests.detection.facts import BEGIN, NOW, Record, born, exchange, take_in

pytestmark = pytest.mark.django_db

PROMPTS = ("Bake a lemon cake with butter", "Whisk the dough in a warm pan")


def a_life(name: str, *, after: int = 0) -> list[Record]:
    """Thirty requests by one program, and some more after the clock."""
    life = [
        {**born(name, BEGIN, "DE"), "program": "startup", "email": f"{name}@a.example"}
    ]
    for n in range(30 + after):
        at = BEGIN + timedelta(hours=n) if n < 30 else NOW - timedelta(minutes=n)
        life.append(
            {
                **exchange(f"{name}-{n}", name, at, "DE"),
                "temperature": 0.3,
                "max_tokens": 512,
                "tool_count": n % 2,
                "prompt": PROMPTS[n % 2]
                if n < 30
                else "Something else altogether here",
            }
        )
    return life


@pytest.fixture
def accounts() -> dict[str, int]:
    take_in([*a_life("cook"), *a_life("late", after=20)])
    return dict(Account.objects.values_list("external_id", "pk"))


@pytest.mark.parametrize(("as_of", "seen"), [(NOW, 50), (NOW - timedelta(days=2), 30)])
def test_settings_are_counted_up_to_the_clock(accounts, as_of, seen):
    features.read_facts(as_of)
    found = features.settings_of(sorted(accounts.values()), Clock(as_of))

    assert found[accounts["cook"]] == {"0.3|512": 30}
    assert found[accounts["late"]] == {"0.3|512": seen}


def test_subjects_are_the_mean_of_the_prompts_up_to_the_clock(accounts):
    pks = sorted(accounts.values())
    before = Clock(NOW - timedelta(days=2))
    features.read_facts(before.as_of)
    subjects = features.subjects_of(pks, before)

    cook, late = (subjects[accounts[name]] for name in ("cook", "late"))
    assert np.array_equal(cook, late)
    # Two prompts with few words in common, in equal parts.
    assert 0.7 < float(cook @ cook) < 0.95


def test_who_has_special_access_and_offers_tools_is_read(accounts):
    facts = features.read_facts(NOW)
    cook = next(f for f in facts.features if f.account == accounts["cook"])

    assert (cook.program, cook.email_domain, cook.tool_requests) == (
        "startup",
        "a.example",
        15,
    )
