"""A small sample of prompts stays readable: redacted, drawn by lot, for a while."""

import random
from datetime import UTC, date, datetime

import pytest

from ingest.models import Account, Excerpt
from ingest.texts import excerpts
from tests.ingest.records import a_request

AT = datetime(2026, 11, 18, tzinfo=UTC)
KEY = b"a key of the installation"
TALK = [
    "Write a limerick about the owl in our barn.",
    "Why do tides turn twice a day, in plain words?",
    "Translate this into Welsh: good morning.",
]


def talk(count: int, accounts: int = 4) -> list[dict[str, object]]:
    return [
        a_request(
            event_id=f"talk-{n}",
            account_id=f"a{n % accounts}",
            occurred_at=f"2026-11-{17 + n % 2}T09:30:00Z",
            prompt=TALK[n % 3],
        )
        for n in range(count)
    ]


def kept() -> list[tuple[str, str]]:
    return sorted(Excerpt.objects.values_list("event_id", "text"))


def prompts(count: int) -> list[excerpts.Prompt]:
    for each in talk(count):
        Account.objects.get_or_create(
            external_id=each["account_id"], defaults={"first_seen_at": AT}
        )
    accounts = dict(Account.objects.values_list("external_id", "pk"))
    return [
        excerpts.Prompt(
            source=1,
            event_id=str(each["event_id"]),
            account=accounts[str(each["account_id"])],
            occurred_at=datetime.fromisoformat(str(each["occurred_at"])),
            skeleton=TALK.index(str(each["prompt"])),
            text=str(each["prompt"]),
        )
        for each in talk(count)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_what_is_drawn_does_not_depend_on_order_or_splits(seed):
    said = prompts(900)
    excerpts.store(said, KEY)
    at_once = kept()
    Excerpt.objects.all().delete()
    rng = random.Random(seed)
    rng.shuffle(said)
    while said:
        size = rng.randrange(1, 200)
        excerpts.store(said[:size], KEY)
        said = said[size:]
    assert kept() == at_once != []


def test_few_are_kept_of_an_account_and_of_a_template(deliver):
    deliver(*talk(900))
    of_days = excerpts.OF_ACCOUNT_DAY * 4 * 2 + excerpts.OF_TEMPLATE_DAY * 3 * 2
    assert 0 < Excerpt.objects.count() <= of_days
    account = Account.objects.get(external_id="a0")
    assert {each.text for each in excerpts.of_account(account.pk)} <= set(TALK)


def test_an_event_sent_twice_is_not_kept_twice(deliver):
    deliver(*talk(300))
    once = kept()
    deliver(*talk(300))
    assert kept() == once


def test_what_could_name_a_person_is_masked_before_it_is_cut(deliver, monkeypatch):
    monkeypatch.setattr(excerpts, "HIGHEST", 2**63)
    deliver(
        a_request(prompt="x " * 240 + "call +49 30 901820 or mary.smith@lab.example")
    )
    excerpt = Excerpt.objects.get()
    assert len(excerpt.text) <= 500
    assert "901820" not in excerpt.text
    assert "mary" not in excerpt.text


def test_a_retention_of_nought_keeps_none(deliver, settings):
    settings.RETENTION_EXCERPTS_DAYS = 0
    deliver(*talk(900))
    assert not Excerpt.objects.exists()


def test_old_days_are_dropped_but_for_held_accounts(deliver):
    deliver(*talk(900))
    held = Account.objects.get(external_id="a0").pk
    of_held = Excerpt.objects.filter(account=held, day=date(2026, 11, 17)).count()
    dropped = excerpts.drop_before(date(2026, 11, 18), held=[held])
    assert dropped > 0
    left = Excerpt.objects.filter(day__lt=date(2026, 11, 18))
    assert left.count() == of_held > 0


def test_a_sender_cannot_choose_what_is_kept():
    one, other = (excerpts.rank(1, "event-1", key) for key in (b"k1", b"k2"))
    assert one != other
