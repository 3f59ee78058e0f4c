"""What was told of an account is kept, shown, and can be taken out again."""

import hypothesis.strategies as st
import msgspec
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from ingest.drain import account_history, accounts, merging, storing
from ingest.models import Account, AccountRecord
from ingest.records import schemas
from tests.ingest.records import an_account

FIRST, SECOND, THIRD = (f"2026-11-{day}T00:00:00Z" for day in ("01", "02", "03"))


def what_is_known(account_id: str = "acct-1") -> str:
    fields = [f.name for f in Account._meta.fields if f.name != "id"]
    return repr(Account.objects.values(*fields).get(external_id=account_id))


def test_a_new_owner_in_mid_stream_leaves_the_old_one_on_record(deliver):
    deliver(an_account(updated_at=FIRST, email="a@lab.example", plan="free"))
    deliver(an_account(updated_at=SECOND, email="b@firm.example", status="restricted"))
    deliver(an_account(updated_at=THIRD, payment_fingerprint="card-2"))
    changed = account_history.changes(Account.objects.get().pk)
    domains = [
        (change.before, change.after)
        for change in changed
        if change.field == "email_domain"
    ]
    assert domains == [("lab.example", "firm.example")]
    assert {change.field for change in changed} == {"email_domain", "email_hash"}


def test_changes_stand_in_the_order_of_their_times_not_of_their_arrival(deliver):
    deliver(an_account(updated_at=THIRD, plan="enterprise"))
    deliver(an_account(updated_at=FIRST, plan="free"))
    deliver(an_account(updated_at=SECOND, plan="team"))
    steps = [
        (change.before, change.after)
        for change in account_history.changes(Account.objects.get().pk)
    ]
    assert steps == [("team", "enterprise"), ("free", "team")]


def test_no_record_holds_a_raw_address(deliver):
    deliver(an_account(email="Mary.Smith@lab.example"))
    told = AccountRecord.objects.get().told
    assert "email" not in told
    assert "mary" not in repr(told).lower()


def test_what_a_bad_sender_told_can_be_taken_out(deliver):
    deliver(an_account(updated_at=FIRST, email="a@lab.example", plan="free"))
    honest = what_is_known()
    told_by = deliver(an_account(updated_at=THIRD, plan="team", status="banned"))
    assert what_is_known() != honest
    touched = account_history.exclude([told_by.pk])
    assert [str(account) for account in accounts.rebuild(touched)] == ["acct-1"]
    assert what_is_known() == honest


def test_an_account_that_only_a_bad_sender_told_of_is_a_stub_again(deliver):
    told_by = deliver(an_account(plan="team", email="a@lab.example"))
    accounts.rebuild(account_history.exclude([told_by.pk]))
    account = Account.objects.get()
    assert (account.updated_at, account.plan, account.email_hash) == (None, None, None)
    assert account.field_times == {}


def test_what_was_taken_out_can_be_taken_back_in(deliver):
    told_by = deliver(an_account(plan="team"))
    before = what_is_known()
    accounts.rebuild(account_history.exclude([told_by.pk]))
    accounts.rebuild(account_history.include([told_by.pk]))
    assert what_is_known() == before


def test_first_seen_moves_on_when_its_record_is_taken_out(deliver):
    early = deliver(an_account(updated_at=FIRST, plan="team"))
    deliver(an_account(updated_at=THIRD, plan="free"))
    touched = account_history.exclude([early.pk])
    accounts.rebuild(touched)
    accounts.correct_first_seen(touched)
    assert Account.objects.get().first_seen_at.isoformat() == (
        "2026-11-03T00:00:00+00:00"
    )


@st.composite
def _record(draw) -> dict[str, object]:
    told = st.fixed_dictionaries(
        {"updated_at": st.sampled_from([FIRST, SECOND, THIRD])},
        optional={
            "plan": st.sampled_from(["free", "team"]),
            "status": st.sampled_from(["active", "banned"]),
            "email": st.sampled_from(["a@lab.example", "b@firm.example"]),
            "display_name": st.sampled_from(["Ann", "x" * 256, "x" * 300]),
            "created_at": st.sampled_from([FIRST, "2026-11-01T02:00:00+02:00"]),
            "signup_ip": st.sampled_from(
                ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::"]
            ),
        },
    )
    return an_account(**draw(told))


@pytest.mark.django_db
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(_record(), min_size=1, max_size=7), st.randoms(), st.data())
def test_rebuilt_from_what_remains_it_is_what_those_records_alone_would_make(
    told, random, data
):
    excluded = data.draw(st.sets(st.integers(0, len(told) - 1)))
    kept = [record for n, record in enumerate(told) if n not in excluded]
    mixed = list(enumerate(told))
    random.shuffle(mixed)
    Account.objects.all().delete()
    for external_id in ("acct-1", "apart"):
        Account.objects.create(external_id=external_id, first_seen_at=timezone.now())
    for n, record in mixed:
        merge(n, record)
    for record in kept:
        merge(-1, record | {"account_id": "apart"})
    accounts.rebuild(account_history.exclude(excluded))
    first = Account.objects.get(external_id="acct-1")
    apart = Account.objects.get(external_id="apart")
    names = ["updated_at", "field_times", "cut_fields", *merging.FIELDS]
    assert [getattr(first, name) for name in names] == [
        getattr(apart, name) for name in names
    ]


def merge(batch_id: int, record: dict[str, object]) -> None:
    read = msgspec.convert(record, schemas.Account)
    accounts.merge([(batch_id, read)], storing.mail_key())
