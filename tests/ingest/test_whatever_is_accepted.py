"""What was accepted can be stored: no value that passed may fail later."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.records import schemas
from tests.ingest.records import a_request, an_account, an_activity

WORDS = st.text(max_size=300)
DOMAINS = st.lists(
    st.text(
        st.characters(exclude_characters="@. \x00", exclude_categories=["Cs"]),
        min_size=1,
        max_size=80,
    ),
    min_size=2,
    max_size=60,
).map(".".join)
VALUES = st.one_of(
    WORDS,
    st.integers(-(2**70), 2**70),
    st.integers(0, 2**31),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.ip_addresses().map(str),
    st.lists(st.text(max_size=70), max_size=4),
    st.integers(-(10**9), 1_800_000_000).map(
        lambda at: datetime.fromtimestamp(at, UTC).isoformat()
    ),
    st.builds("{}@{}".format, st.text(min_size=1, max_size=90), DOMAINS),
    st.sampled_from(["f1:k=0123456789abcdef;s=fedcba9876543210", "DE", "de", "x" * 64]),
    st.sampled_from(["team", "phone", "banned", "embeddings", "signup", "reseller"]),
)
MAKERS = {"request": a_request, "activity": an_activity, "account": an_account}


@st.composite
def records(draw):
    kind = draw(st.sampled_from(sorted(MAKERS)))
    fields = st.sampled_from(sorted(schemas.FIELDS[kind] - {"type"}))
    return MAKERS[kind](**draw(st.dictionaries(fields, VALUES, max_size=6)))


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(records(), min_size=1, max_size=8))
def test_whatever_is_accepted_can_be_stored(deliver, many):
    batch = deliver(a_request(event_id="sure"), *many)
    assert (batch.state, batch.error) == ("stored", "")
    fates = (batch.stored, batch.duplicates, batch.conflicts)
    assert sum(fates) == batch.accepted
