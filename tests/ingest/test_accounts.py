"""What is known of an account, whatever order its records came in."""

import itertools

import pytest

from ingest.models import Account, Batch, EventKey
from tests.ingest.records import an_account

FIRST, SECOND, THIRD = (f"2026-11-{day}T00:00:00Z" for day in ("01", "02", "03"))


def test_the_newest_record_wins_whichever_comes_last(deliver):
    deliver(an_account(updated_at=SECOND, plan="team"))
    deliver(an_account(updated_at=FIRST, plan="free"))
    assert Account.objects.get().plan == "team"


def test_a_record_that_tells_less_takes_nothing_away(deliver):
    deliver(an_account(updated_at=FIRST, plan="team", phone_hash="p"))
    deliver(an_account(updated_at=SECOND, status="banned"))
    account = Account.objects.get()
    assert (account.plan, account.phone_hash, account.status) == ("team", "p", "banned")


def test_a_default_gives_way_to_an_older_record_that_tells_the_field(deliver):
    deliver(an_account(updated_at=SECOND, status="banned"))
    deliver(an_account(updated_at=FIRST, verification="phone"))
    account = Account.objects.get()
    assert (account.status, account.verification) == ("banned", "phone")


def test_any_order_ends_in_the_same_account(deliver):
    records = [
        an_account(updated_at=FIRST, plan="free", status="active", referrer="x"),
        an_account(updated_at=SECOND, plan="team", verification="email"),
        an_account(updated_at=SECOND, plan="enterprise", email="a@lab.example"),
        an_account(updated_at=THIRD, status="closed", signup_ip="192.0.2.1"),
    ]
    ends = set()
    for order in itertools.permutations(records):
        for model in (Account, EventKey, Batch):
            model._default_manager.all().delete()
        for record in order:
            deliver(record)
        fields = [field.name for field in Account._meta.fields[1:]]
        ends.add(repr(Account.objects.values(*fields).get()))
    assert len(ends) == 1


def test_an_address_is_kept_as_domain_hash_and_shape_only(deliver):
    deliver(an_account(email="Mary.Smith84+spam@GoogleMail.com"))
    account = Account.objects.get()
    assert account.email_domain == "gmail.com"
    assert account.email_shape == "a4.a5n2+a4"
    assert len(account.email_hash or "") == 32


@pytest.mark.parametrize(
    "spelling",
    ["MARY.SMITH@gmail.com", "marysmith+a@gmail.com", "m.a.r.ysmith@googlemail.com"],
)
def test_spellings_of_one_mailbox_have_one_hash(deliver, spelling):
    deliver(
        an_account(email="marysmith@gmail.com"),
        an_account(account_id="acct-2", email=spelling),
    )
    assert Account.objects.values("email_hash").distinct().count() == 1


def test_a_provider_may_hash_addresses_itself(deliver):
    deliver(an_account(email_domain="Lab.Example", email_hash="h"))
    account = Account.objects.get()
    assert (account.email_domain, account.email_hash) == ("lab.example", "h")


def test_texts_too_long_are_cut_and_noted(deliver):
    deliver(an_account(display_name="é" * 300, signup_user_agent="u" * 2000))
    account = Account.objects.get()
    assert len(account.display_name or "") == 256
    assert len(account.signup_user_agent or "") == 1024
    assert account.cut_fields == ["display_name", "signup_user_agent"]


def test_a_shorter_text_is_no_longer_noted_as_cut(deliver):
    deliver(an_account(updated_at=FIRST, display_name="é" * 300))
    deliver(an_account(updated_at=SECOND, display_name="short"))
    assert Account.objects.get().cut_fields == []


def test_values_are_stored_in_canonical_form(deliver):
    deliver(an_account(signup_ip="::FFFF:192.0.2.1", phone_country="de"))
    account = Account.objects.get()
    assert (account.signup_ip, account.phone_country) == ("192.0.2.1", "DE")


def test_any_order_cuts_the_same_fields(deliver):
    cut, whole = "é" * 300, "é" * 256
    ends = []
    for order in ([cut, whole], [whole, cut]):
        for model in (Account, EventKey, Batch):
            model._default_manager.all().delete()
        for name in order:
            deliver(an_account(display_name=name))
        ends.append(Account.objects.get().cut_fields)
    assert ends == [["display_name"], ["display_name"]]
